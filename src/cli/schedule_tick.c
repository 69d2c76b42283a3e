/* purser schedule tick DIR|SPEC …
 *
 * Promises: a broken spec stops no other; a slot is claimed durably before its run is started, and
 * that run, in a process of its own, looks again whether it is still to be done. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/mem.h"
#include "purser/base/moment.h"
#include "purser/cli/schedule.h"
#include "purser/io/child_process.h"
#include "purser/io/clock.h"
#include "purser/io/signals.h"

const char help_schedule_tick[] =
    "usage: purser schedule tick DIR|SPEC … [options]\n\n"
    "  purser schedule tick /etc/purser/specs --quiet       each minute, from cron\n"
    "  purser schedule tick invoices.yaml --dry-run --now 2026-11-27T05:20Z\n\n"
    "One look at the specs (of a folder: *.yaml and *.yml in it that have a\n"
    "schedule). What is due is started, each as a `purser run` of its own, and waited\n"
    "for. The first look at a spec begins with its account: what was before does not\n"
    "run. How often you tick is up to you: it says how late a slot can start. Two\n"
    "ticks at once run a slot once.\n\n"
    "  --at-once N        so many runs at a time (default 4)\n"
    "  --dry-run          say what would be done, and do nothing\n"
    "  --now TIME         take this for the time of day; not in the future without\n"
    "                     --dry-run\n"
    "  --var NAME=VALUE   set a variable of the specs; may be repeated\n"
    "  --state DIR        where the ledgers are\n"
    "  --quiet            nothing about specs of which nothing is due\n\n"
    "Exit status: the worst of all runs and specs; purser help exit-status\n";

enum { AT_ONCE_DEFAULT = 4, LINE_BYTES = 3072, TEXT_BYTES = 1024 };

struct tick_spec {
    char *path;
    char name[SPEC_NAME_BYTES_MAX + 1]; /* known when it was loaded */
    bool is_named;                      /* on the command line, not found in a folder */
    int64_t slot_s;                     /* that runs, or ran; 0 = none */
    int exit_status;                    /* of the last run */
    bool is_running;
    struct child_process child;
    char line[LINE_BYTES];
    size_t line_length;
};

struct tick {
    const struct options *options;
    struct tick_spec *specs;
    size_t count;
    int64_t now_s;
    int worst;
    int signal_fd;
    bool is_stopped;
};

/* --- the worst of all --- */

static int badness(int exit_status)
{
    static const int order[] = {EXIT_DONE,     EXIT_NOT_FINISHED, EXIT_SOME_FAILED,
                                EXIT_IN_DOUBT, EXIT_MAX_FAILURES, EXIT_CREDENTIALS,
                                EXIT_INPUT,    EXIT_INTERNAL};

    for (int i = 0; i < (int)(sizeof order / sizeof order[0]); i++)
        if (order[i] == exit_status)
            return i;
    return exit_status >= 128 ? 1000 : 999;
}

static void note_status(struct tick *tick, int exit_status)
{
    /* Locked: another purser is at work on it, which is no failure. */
    if (exit_status != EXIT_LOCKED && badness(exit_status) > badness(tick->worst))
        tick->worst = exit_status;
}

/* --- which specs --- */

static bool add_spec(struct tick *tick, const char *folder, const char *name, bool is_named)
{
    struct tick_spec *spec;
    size_t size = strlen(folder) + strlen(name) + 2;

    if (tick->count == TICK_SPECS_MAX)
        return false;
    spec = &tick->specs[tick->count];
    spec->path = mem_new(size, 1);
    if (spec->path == NULL)
        return false;
    (void)snprintf(spec->path, size, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
    spec->is_named = is_named;
    spec->child.output_fd = -1;
    tick->count++;
    return true;
}

static bool is_spec_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const struct tick_spec *)left)->path, ((const struct tick_spec *)right)->path);
}

static void add_folder(struct tick *tick, const char *folder, DIR *directory)
{
    size_t first = tick->count;
    struct dirent *entry;

    while ((entry = readdir(directory)) != NULL)
        if (is_spec_name(entry->d_name) && !add_spec(tick, folder, entry->d_name, false)) {
            print_talk("purser: %s: more than %d specs, or no memory for them", folder,
                       TICK_SPECS_MAX);
            note_status(tick, EXIT_INPUT);
            break;
        }
    qsort(tick->specs + first, tick->count - first, sizeof *tick->specs, by_path);
}

static void gather(struct tick *tick)
{
    for (size_t i = 0; i < tick->options->operand_count; i++) {
        const char *operand = tick->options->operands[i];
        DIR *directory = opendir(operand);

        if (directory != NULL) {
            add_folder(tick, operand, directory);
            closedir(directory);
        } else if (!add_spec(tick, "", operand, true)) {
            print_talk("purser: more than %d specs, or no memory for them", TICK_SPECS_MAX);
            note_status(tick, EXIT_INPUT);
            return;
        }
    }
}

/* --- one spec --- */

static void tell_range(struct session *session, const struct schedule_range *range)
{
    char first[MOMENT_BYTES], last[MOMENT_BYTES];

    moment_print(range->first_s, 0, first);
    moment_print(range->last_s, 0, last);
    if (range->count == 1)
        print_talk("%s: slot %s: %s", session->spec.name, first, slot_fate_meaning(range->fate));
    else
        print_talk("%s: %llu slots from %s to %s: %s", session->spec.name,
                   (unsigned long long)range->count, first, last, slot_fate_meaning(range->fate));
}

static void tell_settled(const struct tick *tick, const struct session *session,
                         const struct settled *settled)
{
    struct schedule_slot next =
        schedule_next(&session->spec.schedule.cron, session->zone, tick->now_s);
    char text[MOMENT_BYTES];

    if (settled->clock_was_ahead)
        print_talk("%s: the clock was ahead when its slots were looked at; they count from now on",
                   session->spec.name);
    moment_print(settled->slot_s != 0 ? settled->slot_s : next.due_s, 0, text);
    if (settled->slot_s != 0)
        print_talk("%s: slot %s %s%s", session->spec.name, text,
                   tick->options->schedule.dry_run ? "would be " : "is ",
                   settled->goes_on ? "gone on with: its run had not come to an end" : "run");
    else if (settled->began)
        print_talk("%s: its slots count from now on; the first is %s", session->spec.name, text);
    else if (!tick->options->quiet)
        print_talk("%s: nothing is due; the next slot is %s", session->spec.name, text);
}

/* Two specs of one name would fight for one ledger. */
static enum err_code check_name(const struct tick *tick, struct tick_spec *spec,
                                const struct session *session, struct err *err)
{
    for (size_t i = 0; i < tick->count; i++)
        if (&tick->specs[i] != spec && strcmp(tick->specs[i].name, session->spec.name) == 0 &&
            strcmp(tick->specs[i].path, spec->path) != 0)
            return err_set(err, ERR_INPUT,
                           "%s: %s has the name '%s' too, so both have one ledger\n"
                           "hint: give one of them another name",
                           spec->path, tick->specs[i].path, session->spec.name);
    (void)snprintf(spec->name, sizeof spec->name, "%s", session->spec.name);
    return ERR_OK;
}

/* A run that ends with these has said nothing about its slot, or goes on with it later. */
static bool is_over(int exit_status)
{
    return exit_status != EXIT_INTERNAL && exit_status != EXIT_LOCKED &&
           exit_status != EXIT_NOT_FINISHED && exit_status < 128;
}

static enum err_code settle(struct tick *tick, struct tick_spec *spec, struct session *session,
                            struct settled *settled, struct err *err)
{
    bool dry = tick->options->schedule.dry_run;
    enum err_code code = session_open_ledger(session, !dry, err);

    if (dry && code == ERR_NOT_FOUND)
        code = ERR_OK;
    if (code != ERR_OK)
        return code;
    if (dry)
        return schedule_foresee(session, tick->now_s, tell_range, settled, err);
    if (spec->slot_s != 0 && is_over(spec->exit_status) &&
        schedule_close(session, spec->slot_s, spec->exit_status, err) != ERR_OK)
        return err->code;
    return schedule_settle(session, tick->now_s, tell_range, settled, err);
}

static void tell_locked(const struct tick *tick, const struct tick_spec *spec)
{
    if (!tick->options->quiet)
        print_talk("%s: another purser works on its ledger; the next tick looks at its slots",
                   spec->name);
}

/* Loads the spec and accounts for its slots. False when nothing of it is to run. */
static bool has_due_slot(struct tick *tick, struct tick_spec *spec)
{
    struct options options = *tick->options;
    struct settled settled = {0};
    struct session session;
    struct err err = {0};
    int64_t before_s = spec->slot_s;

    options.spec_file = spec->path;
    session_init(&session, &options);
    spec->slot_s = 0;
    if (session_load_spec(&session, &err) != ERR_OK) {
        note_status(tick, session_fail(&session, &err));
    } else if (session.spec.schedule.cron_text == NULL && !spec->is_named) {
        /* A folder may hold specs that are run by hand. */
    } else if (schedule_require(&session, &err) != ERR_OK ||
               check_name(tick, spec, &session, &err) != ERR_OK) {
        note_status(tick, session_fail(&session, &err));
    } else {
        spec->slot_s = before_s;
        if (settle(tick, spec, &session, &settled, &err) == ERR_OK) {
            spec->slot_s = settled.slot_s;
            if (before_s == 0 || (settled.slot_s != 0 && settled.slot_s != before_s))
                tell_settled(tick, &session, &settled);
        } else {
            spec->slot_s = 0;
            if (err.code == ERR_LOCKED)
                tell_locked(tick, spec);
            else
                note_status(tick, session_fail(&session, &err));
        }
    }
    session_deinit(&session);
    return spec->slot_s != 0 && spec->slot_s != before_s && !tick->options->schedule.dry_run;
}

/* --- its run --- */

enum { ARGUMENTS_MAX = 16 + 2 * OPTION_VARIABLES_MAX };

static bool start(struct tick *tick, struct tick_spec *spec)
{
    const struct options *options = tick->options;
    char *arguments[ARGUMENTS_MAX] = {(char *)"purser", (char *)"run"};
    char slot[MOMENT_BYTES];
    struct err err = {0};
    size_t count = 2;

    moment_print(spec->slot_s, 0, slot);
    arguments[count++] = (char *)"--slot";
    arguments[count++] = slot;
    arguments[count++] = (char *)"--scheduled";
    if (options->state_root != NULL) {
        arguments[count++] = (char *)"--state";
        arguments[count++] = (char *)(uintptr_t)options->state_root;
    }
    if (options->quiet)
        arguments[count++] = (char *)"--quiet";
    for (size_t i = 0; i < options->variable_count; i++) {
        arguments[count++] = (char *)"--var";
        arguments[count++] = (char *)(uintptr_t)options->variables[i].name.bytes;
    }
    arguments[count++] = (char *)"--";
    arguments[count++] = spec->path;
    arguments[count] = NULL;
    if (child_process_start(arguments, &spec->child, &err) != ERR_OK) {
        print_talk("%s: %s", spec->name, err.text);
        note_status(tick, EXIT_INTERNAL);
        return false;
    }
    spec->is_running = true;
    spec->line_length = 0;
    return true;
}

static void flush_line(struct tick_spec *spec)
{
    print_talk("%s: %.*s", spec->name, (int)spec->line_length, spec->line);
    spec->line_length = 0;
}

/* What the child prints, line by line, with the name in front. False when it has ended. */
static bool pass_on(struct tick_spec *spec)
{
    char bytes[TEXT_BYTES];

    for (;;) {
        ssize_t got = read(spec->child.output_fd, bytes, sizeof bytes);

        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1 && errno == EAGAIN)
            return true;
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] != '\n')
                spec->line[spec->line_length++] = bytes[i];
            if (bytes[i] == '\n' || spec->line_length == sizeof spec->line)
                flush_line(spec);
        }
        if (got <= 0) {
            if (spec->line_length > 0)
                flush_line(spec);
            return false;
        }
    }
}

static void end(struct tick *tick, struct tick_spec *spec)
{
    char slot[MOMENT_BYTES];

    spec->exit_status = child_process_wait(&spec->child);
    spec->is_running = false;
    note_status(tick, spec->exit_status);
    moment_print(spec->slot_s, 0, slot);
    if (spec->exit_status == EXIT_LOCKED)
        tell_locked(tick, spec);
    else if (spec->exit_status != EXIT_DONE || !tick->options->quiet)
        print_talk("%s: slot %s: exit status %d", spec->name, slot, spec->exit_status);
}

/* --- all of them --- */

static void stop(struct tick *tick)
{
    int number = signals_take(tick->signal_fd);

    if (number == 0)
        return;
    tick->is_stopped = true;
    note_status(tick, EXIT_NOT_FINISHED);
    for (size_t i = 0; i < tick->count; i++)
        if (tick->specs[i].is_running)
            (void)kill(tick->specs[i].child.pid, number);
}

/* Nothing tells which of the runs says something: they are heard to their end one by one, and no
 * other is started. */
static size_t wait_for_each(struct tick *tick, struct tick_spec **running, size_t count)
{
    print_talk("purser schedule tick: poll: %s; no other run is started", strerror(errno));
    tick->is_stopped = true;
    note_status(tick, EXIT_INTERNAL);
    for (size_t i = 0; i < count; i++) {
        if (fcntl(running[i]->child.output_fd, F_SETFL, 0) == 0)
            while (pass_on(running[i]))
                ;
        end(tick, running[i]);
    }
    return count;
}

/* Waits until something happens, and deals with it. Gives the number of runs that ended for good.
 */
static size_t turn(struct tick *tick)
{
    struct pollfd fds[1 + TICK_AT_ONCE_MAX] = {{.fd = tick->signal_fd, .events = POLLIN}};
    struct tick_spec *running[1 + TICK_AT_ONCE_MAX] = {NULL};
    size_t count = 1, ended = 0;

    for (size_t i = 0; i < tick->count && count < 1 + TICK_AT_ONCE_MAX; i++)
        if (tick->specs[i].is_running) {
            running[count] = &tick->specs[i];
            fds[count++] = (struct pollfd){.fd = tick->specs[i].child.output_fd, .events = POLLIN};
        }
    if (poll(fds, count, -1) == -1)
        return errno == EINTR ? 0 : wait_for_each(tick, running + 1, count - 1);
    stop(tick);
    for (size_t i = 1; i < count; i++) {
        if (fds[i].revents == 0 || pass_on(running[i]))
            continue;
        end(tick, running[i]);
        /* The next slot of the same spec takes its place. */
        if (tick->is_stopped || !has_due_slot(tick, running[i]) || !start(tick, running[i]))
            ended++;
    }
    return ended;
}

static void tick_all(struct tick *tick)
{
    size_t at_once = tick->options->schedule.at_once, running = 0, next = 0;

    if (at_once == 0)
        at_once = AT_ONCE_DEFAULT;
    for (;;) {
        stop(tick);
        while (running < at_once && next < tick->count && !tick->is_stopped) {
            struct tick_spec *spec = &tick->specs[next++];

            if (has_due_slot(tick, spec) && start(tick, spec))
                running++;
        }
        if (running == 0)
            return;
        running -= turn(tick);
    }
}

static int run(const struct options *options)
{
    struct tick tick = {.options = options, .now_s = clock_wall_ms() / 1000};
    const struct schedule_options *schedule = &options->schedule;
    struct err err = {0};

    if (schedule->has_now && schedule->now_s > tick.now_s && !schedule->dry_run) {
        print_talk("purser schedule tick: --now is in the future: slots that have not come would "
                   "be accounted for");
        print_talk("hint: add --dry-run");
        return EXIT_INPUT;
    }
    if (schedule->has_now)
        tick.now_s = schedule->now_s;
    tick.specs = mem_new(TICK_SPECS_MAX, sizeof *tick.specs);
    if (tick.specs == NULL || signals_open(&tick.signal_fd, &err) != ERR_OK) {
        print_talk("purser: %s", tick.specs == NULL ? "no memory" : err.text);
        mem_free(tick.specs);
        return EXIT_INTERNAL;
    }
    gather(&tick);
    tick_all(&tick);
    for (size_t i = 0; i < tick.count; i++)
        mem_free(tick.specs[i].path);
    mem_free(tick.specs);
    signals_close(tick.signal_fd);
    return tick.worst;
}

int schedule_tick_command(int argc, char **argv)
{
    struct options options;
    int exit_status =
        options_parse(argc, argv, ALLOW_VARIABLES | ALLOW_TICK | ALLOW_OPERANDS, &options);

    return exit_status != -1 ? exit_status : run(&options);
}
