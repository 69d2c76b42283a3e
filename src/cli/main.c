#include <stdio.h>
#include <string.h>

#include "purser/base/err.h"
#include "purser/base/log.h"
#include "purser/base/text.h"
#include "purser/cli/command.h"
#include "purser/cli/session.h"
#include "purser/io/credentials.h"
#include "purser/io/curl_transport.h"
#include "purser/io/signals.h"

static int print_short_help(void)
{
    printf("purser - bulk writes against the Rutter API: nothing lost, nothing done twice\n\n"
           "Try it without an account:\n"
           "  purser run jobspecs/catalog-upload.yaml\n\n"
           "Commands:\n");
    for (unsigned i = 0; command_at(i) != NULL; i++)
        printf("  %-11s %s\n", command_at(i)->name, command_at(i)->summary);
    printf("\n`purser COMMAND --help` shows examples. Exit statuses: `purser help exit-status`.\n");
    return EXIT_DONE;
}

static int print_exit_statuses(void)
{
    printf("0        all done, or nothing to do\n"
           "1        internal or storage failure; the ledger is as it was at the last commit\n"
           "2        usage, spec or input error; nothing was sent\n"
           "3        finished, some items failed\n"
           "4        credentials refused, or a connection must be authorised again\n"
           "5        stopped by max_failures\n"
           "6        the ledger is locked by another purser (its pid is named)\n"
           "7        items in doubt remain\n"
           "75       not finished; run the same command again to go on\n"
           "130 143  second Ctrl-C, second SIGTERM; safe, run again to go on\n\n"
           "When several apply, the first of 1, 4, 5, 75, 7, 3.\n");
    return EXIT_DONE;
}

static int print_version(void)
{
    printf("purser %s\n%s\nledger format %d\n", PURSER_VERSION, curl_transport_version(),
           RECORD_VERSION);
    return EXIT_DONE;
}

static int unknown_command(const char *name)
{
    const char *names[32];
    const char *closest;
    size_t count = 0;

    for (unsigned i = 0; command_at(i) != NULL && count < 32; i++)
        names[count++] = command_at(i)->name;
    closest = text_closest(name, names, count);
    print_talk("purser: there is no command '%.100s'", name);
    if (closest != NULL)
        print_talk("hint: did you mean '%s'?", closest);
    else
        print_talk("hint: `purser help` lists the commands");
    return EXIT_INPUT;
}

static int help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2)
        return print_short_help();
    if (strcmp(argv[1], "exit-status") == 0)
        return print_exit_statuses();
    command = command_find(argv[1]);
    if (command == NULL)
        return unknown_command(argv[1]);
    fputs(command->help, stdout);
    return EXIT_DONE;
}

static int dispatch(int argc, char **argv)
{
    const char *name = argc < 2 ? "help" : argv[1];
    const struct command *command;

    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc < 2 ? 1 : argc - 1, argv + 1);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0)
        return print_version();
    command = command_find(name);
    return command == NULL ? unknown_command(name) : command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int exit_status;

    if (!signals_secure_standard_descriptors())
        return EXIT_INTERNAL;
    credentials_protect_process();
    exit_status = dispatch(argc, argv);
    if (fflush(stdout) != 0 && exit_status == EXIT_DONE)
        exit_status = EXIT_INTERNAL;
    log_forget();
    return exit_status;
}
