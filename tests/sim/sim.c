/* Plays worlds from seeds and reports what was reached.
 *
 *   sim [--seed N] [--worlds N] [--crashes N] [--twice-every N] [--processes N] [--trace]
 *                                   from seed N on, until both numbers are met
 *   sim --script NAME --trace       one written world
 *   sim --scripts                   their names
 *
 * Of `--twice-every N` seeds one is played twice and must give the same history. Of P processes
 * the first plays the seeds N, N+P, N+2P and so on, so that what they play is the same each time.
 *
 * Exit status: 0 all laws held and every cell of the life cycle was reached (when many worlds were
 * played), 1 a law was broken, 2 wrong usage. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "purser/base/mem.h"
#include "sim.h"

enum { TWICE_EVERY = 50, WORLDS_FOR_ALL_CELLS = 5000, PROCESSES_MAX = 64 };

struct arguments {
    uint64_t seed, worlds, crashes, twice_every, processes;
    bool trace;
    const struct sim_script *script;
};

/* An assertion of the program under test is a violation like any other. */
static void on_abort(int signal_number)
{
    (void)signal_number;
    if (sim_current != NULL)
        sim_fail(sim_current, "an assertion failed (above)");
    _exit(1);
}

static void report_doubts(void)
{
    for (unsigned reason = 1; reason < REASON_COUNT; reason++)
        if (sim_totals.in_doubt_by_reason[reason] > 0)
            (void)printf("  in doubt at the end: %-22s %llu\n", reason_code((enum reason)reason),
                         (unsigned long long)sim_totals.in_doubt_by_reason[reason]);
}

/* Prints the legal cells that were not reached; gives their number. */
static unsigned report_cells(void)
{
    unsigned legal = 0, missed = 0;

    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        for (unsigned kind = 0; kind < ITEM_EVENT_COUNT; kind++) {
            if (!lifecycle_is_legal((enum item_state)state, (enum item_event_kind)kind))
                continue;
            legal++;
            if (sim_totals.cells[state][kind] > 0)
                continue;
            missed++;
            (void)printf("  not reached: %s on %s\n", item_state_name((enum item_state)state),
                         item_event_name((enum item_event_kind)kind));
        }
    }
    (void)printf("  cells of the life cycle reached: %u of %u\n", legal - missed, legal);
    return missed;
}

static int report(void)
{
    unsigned missed;

    (void)printf("sim: %llu worlds (%llu of them twice, the same), %llu items, %llu runs, "
                 "%llu crashes, %llu ledgers restored, %llu of them told of, %llu turns, %llu "
                 "steps of items, %llu sends: "
                 "no law was broken\n",
                 (unsigned long long)sim_totals.worlds, (unsigned long long)sim_totals.replays,
                 (unsigned long long)sim_totals.items, (unsigned long long)sim_totals.runs,
                 (unsigned long long)sim_totals.crashes, (unsigned long long)sim_totals.restores,
                 (unsigned long long)sim_totals.adoptions, (unsigned long long)sim_totals.turns,
                 (unsigned long long)sim_totals.steps, (unsigned long long)sim_totals.sends);
    report_doubts();
    missed = report_cells();
    return missed > 0 && sim_totals.worlds >= WORLDS_FOR_ALL_CELLS;
}

/* A second history of the same seed counts for nothing but its being the same. */
static void play_again(struct sim *sim, uint64_t seed, const struct arguments *arguments,
                       uint64_t hash)
{
    struct sim_totals before = sim_totals;

    if (sim_play(sim, seed, arguments->script, arguments->trace) != hash)
        sim_fail(sim, "the same seed gave two histories");
    sim_totals = before;
    sim_totals.replays++;
}

/* Plays the seeds of process `index` of `count`, which has its share of the work. */
static void play_share(struct sim *sim, const struct arguments *arguments, uint64_t index,
                       uint64_t count)
{
    uint64_t seed = arguments->seed + index;

    do {
        uint64_t hash = sim_play(sim, seed, arguments->script, arguments->trace);

        if (!arguments->trace && seed / count % arguments->twice_every == 0)
            play_again(sim, seed, arguments, hash);
        seed += count;
    } while (sim_totals.worlds * count < arguments->worlds ||
             sim_totals.crashes * count < arguments->crashes);
}

/* In a process of its own, whose totals come through the pipe; gives its reading end. */
static int start_share(struct sim *sim, const struct arguments *arguments, uint64_t index)
{
    int ends[2];

    if (pipe(ends) != 0)
        sim_fail(sim, "no pipe");
    switch (fork()) {
    case -1:
        sim_fail(sim, "no further process");
    case 0:
        play_share(sim, arguments, index, arguments->processes);
        _exit(write(ends[1], &sim_totals, sizeof sim_totals) == sizeof sim_totals ? 0 : 1);
    default:
        (void)close(ends[1]);
        return ends[0];
    }
}

static bool add_totals(int from)
{
    struct sim_totals more;
    /* Nothing but counters. */
    uint64_t *sum = (uint64_t *)(void *)&sim_totals;
    const uint64_t *part = (const uint64_t *)(const void *)&more;
    bool complete = read(from, &more, sizeof more) == (ssize_t)sizeof more;

    (void)close(from);
    for (size_t i = 0; complete && i < sizeof more / sizeof *part; i++)
        sum[i] += part[i];
    return complete;
}

static bool play_in_processes(struct sim *sim, const struct arguments *arguments)
{
    int ends[PROCESSES_MAX];
    bool good = true;
    int status;

    for (uint64_t i = 0; i < arguments->processes; i++)
        ends[i] = start_share(sim, arguments, i);
    for (uint64_t i = 0; i < arguments->processes; i++)
        good &= add_totals(ends[i]);
    while (wait(&status) > 0)
        good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return good;
}

static int play_all(struct sim *sim, const struct arguments *arguments)
{
    if (arguments->processes > 1) {
        if (!play_in_processes(sim, arguments))
            return 1;
    } else {
        play_share(sim, arguments, 0, 1);
    }
    return arguments->trace ? 0 : report();
}

static bool read_number(const char *text, uint64_t *number_out)
{
    return text != NULL && text_to_u64(slice_of(text), number_out);
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--trace") == 0) {
            arguments->trace = true;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--seed") == 0 && read_number(value, &arguments->seed))
            continue;
        if (strcmp(argv[i - 1], "--worlds") == 0 && read_number(value, &arguments->worlds))
            continue;
        if (strcmp(argv[i - 1], "--crashes") == 0 && read_number(value, &arguments->crashes))
            continue;
        if (strcmp(argv[i - 1], "--twice-every") == 0 &&
            read_number(value, &arguments->twice_every) && arguments->twice_every > 0)
            continue;
        if (strcmp(argv[i - 1], "--processes") == 0 && read_number(value, &arguments->processes) &&
            arguments->processes > 0 && arguments->processes <= PROCESSES_MAX)
            continue;
        if (strcmp(argv[i - 1], "--script") == 0 && value != NULL &&
            (arguments->script = sim_script_find(value)) != NULL)
            continue;
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .seed = 1, .worlds = 1, .twice_every = TWICE_EVERY, .processes = 1};
    struct sim *sim;
    int status;

    if (argc == 2 && strcmp(argv[1], "--scripts") == 0) {
        sim_script_list();
        return 0;
    }
    if (!read_arguments(argc, argv, &arguments)) {
        (void)fprintf(stderr, "usage: sim [--seed N] [--worlds N] [--crashes N] [--twice-every N]\n"
                              "           [--processes N] [--trace]\n"
                              "       sim --script NAME --trace\n"
                              "       sim --scripts\n");
        return 2;
    }
    (void)signal(SIGABRT, on_abort);
    sim = mem_new(1, sizeof *sim);
    if (sim == NULL)
        return 1;
    status = play_all(sim, &arguments);
    sim_ledger_deinit(&sim->ledger);
    buf_deinit(&sim->rendered);
    mem_free(sim);
    return status;
}
