/* purser schedule next|tick|log|install|uninstall
 *
 * Promises: each slot since the first look is accounted for once; two ticks at once run it once. */
#include <stdio.h>
#include <string.h>

#include "purser/base/text.h"
#include "purser/cli/command.h"
#include "purser/cli/schedule.h"

const char help_schedule[] =
    "usage: purser schedule next|tick|log|install|uninstall …\n\n"
    "  purser schedule next invoices.yaml             when it runs next\n"
    "  purser schedule tick specs/                    runs what is due; for cron\n"
    "  purser schedule log invoices.yaml              what became of each slot\n"
    "  purser schedule install invoices.yaml          a timer of systemd that ticks\n\n"
    "A spec has its times in `schedule: { cron: \"15 6 * * 1-5\", timezone:\n"
    "Europe/Berlin }`. Each time is a slot. `tick` is one look at a folder of specs:\n"
    "it starts what is due and ends when that has ended. What became of each slot\n"
    "since the first look is in the ledger: it ran, it was skipped and why, or it was\n"
    "missed. A slot whose run was killed is gone on with by the next tick.\n\n"
    "  if_running: skip       (default) no run for a slot at whose time another run\n"
    "                         went on\n"
    "              wait       run when that has ended\n"
    "  if_missed:  run_once   (default) of several slots that have come the last one\n"
    "              runs skip       as run_once, but no slot later than its window\n"
    "              run_all    one run for each, one after the other\n"
    "  window:     2h         so late may a slot still start; default: any time, 10m\n"
    "              with skip\n\n"
    "A time that daylight saving skips is due when the clocks jump; one that comes\n"
    "twice is due at the first. For every hour of the real day, leave the timezone\n"
    "out: UTC has them all.\n\n"
    "Help for each: purser schedule next --help\n";

static const struct command parts[] = {
    {"schedule next", NULL, help_schedule_next, schedule_next_command},
    {"schedule tick", NULL, help_schedule_tick, schedule_tick_command},
    {"schedule log", NULL, help_schedule_log, schedule_log_command},
    {"schedule install", NULL, help_schedule_install, schedule_install_command},
    {"schedule uninstall", NULL, help_schedule_uninstall, schedule_uninstall_command},
};

enum { PART_COUNT = sizeof parts / sizeof parts[0], WORD = sizeof "schedule" };

const struct command *schedule_part_find(const char *name)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}

static int unknown_part(const char *word)
{
    const char *names[PART_COUNT];
    const char *closest;

    for (size_t i = 0; i < PART_COUNT; i++)
        names[i] = parts[i].name + WORD;
    closest = text_closest(word, names, PART_COUNT);
    print_talk("purser schedule: there is no '%.100s'", word);
    if (closest != NULL)
        print_talk("hint: did you mean 'purser schedule %s'?", closest);
    else
        print_talk("hint: `purser schedule --help` shows what there is");
    return EXIT_INPUT;
}

int cmd_schedule(int argc, char **argv)
{
    char name[64];
    const struct command *part;

    if (argc < 2) {
        print_talk("purser schedule: next, tick, log, install or uninstall?");
        print_talk("hint: `purser schedule --help` shows examples");
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(help_schedule, stdout);
        return EXIT_DONE;
    }
    if ((size_t)snprintf(name, sizeof name, "schedule %s", argv[1]) >= sizeof name)
        return unknown_part(argv[1]);
    part = schedule_part_find(name);
    if (part == NULL)
        return unknown_part(argv[1]);
    argv[1] = name;
    return part->run(argc - 1, argv + 1);
}
