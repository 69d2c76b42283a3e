#include "server.h"

int main(int argc, char **argv)
{
    struct options options;

    options_read(argc, argv, &options);
    return server_run(&options);
}
