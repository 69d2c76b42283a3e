/* The commands of the program, as a table. Adding one touches the table and one new file. */
#ifndef PURSER_CLI_COMMAND_H
#define PURSER_CLI_COMMAND_H

#include "purser/base/buf.h"

struct command {
    const char *name;
    const char *summary; /* one line of `purser help` */
    const char *help;    /* examples first, then what it promises, then its options */
    /* Gets the command's name as argv[0] and what follows it. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

/* NULL when there is none. */
const struct command *command_find(const char *name);

/* "schedule next" and the like; as above. */
const struct command *schedule_part_find(const char *name);

/* The n-th in the order of the help; NULL past the end. */
const struct command *command_at(unsigned index);

/* What `purser help NAME` explains besides the commands. */
struct help_topic {
    const char *name, *summary;
    void (*append)(struct buf *out);
};

/* As those of the commands. */
const struct help_topic *help_topic_find(const char *name);
const struct help_topic *help_topic_at(unsigned index);

int cmd_run(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_items(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_retry(int argc, char **argv);
int cmd_reconcile(int argc, char **argv);
int cmd_resolve(int argc, char **argv);
int cmd_cancel(int argc, char **argv);
int cmd_results(int argc, char **argv);
int cmd_connections(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_operations(int argc, char **argv);
int cmd_schedule(int argc, char **argv);
int cmd_undo(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_adopt(int argc, char **argv);

extern const char help_run[], help_plan[], help_check[], help_status[], help_items[],
    help_explain[], help_retry[], help_resolve[], help_cancel[], help_results[], help_connections[],
    help_probe[], help_operations[], help_reconcile[], help_schedule[], help_undo[], help_doctor[],
    help_adopt[];

#endif
