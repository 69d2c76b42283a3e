#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/err.h"
#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/base/text.h"
#include "purser/cli/command.h"
#include "purser/cli/message_code.h"
#include "purser/cli/session.h"
#include "purser/io/credentials.h"
#include "purser/io/curl_transport.h"
#include "purser/io/signals.h"

enum {
    MESSAGE_CODE_BYTES_MAX = 100,
    HELP_BYTES_MAX = 64 * 1024,
    TOPIC_BYTES_MAX = 1024 * 1024,
    LIBRARIES_BYTES_MAX = 256
};

static int print_short_help(void)
{
    printf("purser - bulk writes against the Rutter API: nothing lost, nothing done twice\n\n"
           "Try it without an account:\n"
           "  purser run jobspecs/catalog-upload.yaml\n\n"
           "Commands:\n");
    for (unsigned i = 0; command_at(i) != NULL; i++)
        printf("  %-11s %s\n", command_at(i)->name, command_at(i)->summary);
    printf("\n`purser COMMAND --help` shows examples. `purser help` also explains:\n");
    for (unsigned i = 0; help_topic_at(i) != NULL; i++)
        printf("  %-11s %s\n", help_topic_at(i)->name, help_topic_at(i)->summary);
    return EXIT_DONE;
}

static int print_version(void)
{
    char libraries[LIBRARIES_BYTES_MAX];

    curl_transport_version(libraries, sizeof libraries);
    printf("purser %s\n%s\nledger format %d\n", PURSER_VERSION, libraries, RECORD_VERSION);
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

/* Prints and frees. */
static int print_help(struct buf *out)
{
    struct err err = {0};
    enum err_code code = print_out(out, &err);

    if (code != ERR_OK)
        print_talk("purser: %s", err.text);
    buf_deinit(out);
    return err_exit_status(code);
}

/* As it stands in a message, with its brackets or without. */
static int explain_code(const char *word)
{
    const struct message_code *code, *closest;
    char name[MESSAGE_CODE_BYTES_MAX];
    struct buf out;

    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word + (*word == '['), "]"),
                   word + (*word == '['));
    code = message_code_find(name);
    if (code == NULL) {
        closest = message_code_closest(name);
        print_talk("purser: there is no message with the code '%s'", name);
        print_talk("hint: %s%s%s", closest != NULL ? "did you mean '" : "`purser help codes",
                   closest != NULL ? closest->code : "` lists them", closest != NULL ? "'?" : "");
        return EXIT_INPUT;
    }
    buf_init(&out, HELP_BYTES_MAX);
    message_code_explain(code, &out);
    return print_help(&out);
}

static int print_topic(const struct help_topic *topic)
{
    struct buf out;

    buf_init(&out, TOPIC_BYTES_MAX);
    topic->append(&out);
    return print_help(&out);
}

static int help(int argc, char **argv)
{
    const struct command *command;
    const struct help_topic *topic;

    if (argc < 2)
        return print_short_help();
    topic = help_topic_find(argv[1]);
    if (topic != NULL)
        return print_topic(topic);
    if (strchr(argv[1], '.') != NULL)
        return explain_code(argv[1]);
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

/* What was asked for did not arrive: that is no success, however well the rest went. */
static int end_output(int exit_status)
{
    const char *reason = fflush(stdout) != 0 ? strerror(errno) : "not all of it was written";

    if (!ferror(stdout) || exit_status != EXIT_DONE)
        return exit_status;
    print_talk("purser: standard output: %s", reason);
    return EXIT_INTERNAL;
}

int main(int argc, char **argv)
{
    int exit_status;

    if (!signals_secure_standard_descriptors())
        return EXIT_INTERNAL;
    signals_ignore_file_limit();
    credentials_protect_process();
    exit_status = dispatch(argc, argv);
    /* Not the user is wrong when what they gave could not be read for a lack of memory. */
    if (exit_status == EXIT_INPUT && mem_failure_count() > 0) {
        print_talk("purser: out of memory, which may be all that is wrong");
        exit_status = EXIT_INTERNAL;
    }
    exit_status = end_output(exit_status);
    log_forget();
    return exit_status;
}
