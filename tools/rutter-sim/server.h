/* The HTTP server; libh2o is known to it and to reply.c only. */
#ifndef RUTTER_SIM_SERVER_H
#define RUTTER_SIM_SERVER_H

#include "options.h"

/* Listens on 127.0.0.1, prints the address on standard output and serves until SIGTERM or
 * SIGINT. Returns the exit status; an error is told on standard error. */
int server_run(const struct options *options);

#endif
