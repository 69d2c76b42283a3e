#include "purser/cli/command.h"

#include <stddef.h>
#include <string.h>

static const struct command commands[] = {
    {"run", "compare with the ledger, then do what is not done", help_run, cmd_run},
    {"plan", "show what run would do; sends nothing", help_plan, cmd_plan},
    {"check", "is the spec right, are its sources, are all requests", help_check, cmd_check},
    {"status", "counts, rates, what waits and why; works during a run", help_status, cmd_status},
    {"items", "one line an item", help_items, cmd_items},
    {"explain", "everything that happened to one item, and why", help_explain, cmd_explain},
    {"retry", "failed items become ready again", help_retry, cmd_retry},
    {"reconcile", "evidence for items in doubt, and what it proposes", help_reconcile,
     cmd_reconcile},
    {"resolve", "a person's word on an item in doubt", help_resolve, cmd_resolve},
    {"adopt", "a ledger that was moved, or brought back from a backup", help_adopt, cmd_adopt},
    {"cancel", "stop what has not been sent", help_cancel, cmd_cancel},
    {"undo", "reverse what a run has written, in reverse order", help_undo, cmd_undo},
    {"results", "write succeeded.csv, failed.csv and so on", help_results, cmd_results},
    {"connections", "which can be written to, and what their merchants must do", help_connections,
     cmd_connections},
    {"probe", "how long the API remembers an idempotency key; makes real writes", help_probe,
     cmd_probe},
    {"schedule", "when it runs next, what is due, timers, what became of each time", help_schedule,
     cmd_schedule},
    {"operations", "which writes the API has and how each is repeated", help_operations,
     cmd_operations},
    {"doctor", "spec, state, ledger, credentials, clock and API: what is wrong", help_doctor,
     cmd_doctor},
};

const struct command *command_at(unsigned index)
{
    return index < sizeof commands / sizeof commands[0] ? &commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
    for (unsigned i = 0; command_at(i) != NULL; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return schedule_part_find(name);
}
