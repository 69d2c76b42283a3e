#include "purser/cli/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char said[16384];

/* What is printed of the run: for people, or on stdout as JSON. */
static const char *summary(const struct run *run, int exit_status, bool json)
{
    const struct options options = {.output = json ? OUTPUT_NDJSON : OUTPUT_TABLE, .quiet = json};
    int fd = json ? STDOUT_FILENO : STDERR_FILENO, saved = dup(fd);
    struct session session = {.options = &options, .spec = {.file = "spec.yaml", .name = "demo"}};
    struct run shown = *run;
    struct err err = {0};
    int ends[2];
    ssize_t length;

    shown.session = &session;
    (void)fflush(stdout);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], fd) >= 0);
    (void)close(ends[1]);
    assert_int_equal(run_print_summary(&shown, exit_status, &err), ERR_OK);
    assert_true(dup2(saved, fd) >= 0);
    (void)close(saved);
    length = read(ends[0], said, sizeof said - 1);
    (void)close(ends[0]);
    assert_true(length > 0);
    said[length] = '\0';
    return said;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in\n%s", part, text);
}

static struct item_counts one_in(enum item_state state)
{
    struct item_counts counts = {{0}};

    counts.by_state[ITEM_SUCCEEDED] = 5;
    counts.by_state[state]++;
    return counts;
}

static int status_of(enum item_state state)
{
    struct item_counts counts = one_in(state);
    struct engine_progress progress = {0};

    return run_exit_status(&progress, &counts);
}

static void the_state_of_the_items_decides(void **context)
{
    (void)context;
    assert_int_equal(status_of(ITEM_SUCCEEDED), EXIT_DONE);
    assert_int_equal(status_of(ITEM_CANCELLED), EXIT_DONE);
    assert_int_equal(status_of(ITEM_SKIPPED), EXIT_DONE);
    assert_int_equal(status_of(ITEM_FAILED), EXIT_SOME_FAILED);
    assert_int_equal(status_of(ITEM_IN_DOUBT), EXIT_IN_DOUBT);
    assert_int_equal(status_of(ITEM_READY), EXIT_NOT_FINISHED);
    assert_int_equal(status_of(ITEM_BLOCKED), EXIT_SOME_FAILED);
    assert_int_equal(status_of(ITEM_SENDING), EXIT_NOT_FINISHED);
    assert_int_equal(status_of(ITEM_WAITING), EXIT_NOT_FINISHED);
}

static void what_is_blocked_waits_for_a_person_unless_the_run_was_stopped(void **context)
{
    struct item_counts counts = one_in(ITEM_BLOCKED);
    struct engine_progress progress = {.stop = STOP_ASKED};

    (void)context;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_NOT_FINISHED);
    progress.stop = STOP_NONE;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_SOME_FAILED);
    counts.by_state[ITEM_IN_DOUBT] = 1;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_IN_DOUBT);
}

static void of_several_the_first_of_the_order_counts(void **context)
{
    struct item_counts counts = one_in(ITEM_FAILED);
    struct engine_progress progress = {0};

    (void)context;
    counts.by_state[ITEM_IN_DOUBT] = 1;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_IN_DOUBT);
    counts.by_state[ITEM_WAITING] = 1;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_NOT_FINISHED);
    progress.stop = STOP_MAX_FAILURES;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_MAX_FAILURES);
    progress.parked_for_credentials = true;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_CREDENTIALS);
}

static void each_end_names_the_next_command(void **context)
{
    struct run run = {.number = 2};

    (void)context;
    has(summary(&run, EXIT_DONE, false), "demo run 2: no items (0 sent");
    has(said, "next: purser results spec.yaml");
    has(summary(&run, EXIT_SOME_FAILED, false), "--where state=blocked shows what the rest waits");
    run.only_seen = true;
    has(summary(&run, EXIT_SOME_FAILED, false), "next: purser run spec.yaml goes on with what has");
    run.counts.by_state[ITEM_FAILED] = 1;
    has(summary(&run, EXIT_SOME_FAILED, false), "--where state=failed shows why; correct the rows");
    has(summary(&run, EXIT_MAX_FAILURES, false),
        "--where state=failed shows why; correct the rows");
    run.counts.by_state[ITEM_FAILED] = 0;
    has(summary(&run, EXIT_MAX_FAILURES, false), "correct the rows or the spec");
    run.counts.by_state[ITEM_IN_DOUBT] = 1;
    has(summary(&run, EXIT_MAX_FAILURES, false),
        "next: purser reconcile spec.yaml asks what became "
        "of them; then run again");
    has(summary(&run, EXIT_IN_DOUBT, false), "then purser resolve spec.yaml JOB/KEY --as");
    has(summary(&run, EXIT_CREDENTIALS, false), "next: mend the credentials");
    has(summary(&run, EXIT_NOT_FINISHED, false), "goes on where this run stopped");
    run.outdated = 1;
    has(summary(&run, EXIT_NOT_FINISHED, false), "sends again what has changed by that");
}

static void what_stopped_it_or_is_left_is_told(void **context)
{
    struct run run = {.progress = {.stop = STOP_ASKED, .left_behind = 3, .stuck = 2}};

    (void)context;
    (void)snprintf(run.progress.stop_text, sizeof run.progress.stop_text, "asked to stop");
    run.counts.by_state[ITEM_BLOCKED] = 1;
    has(summary(&run, EXIT_NOT_FINISHED, false), "purser: stopped: asked to stop\n");
    has(said, "purser: 3 items that may have been sent wait for the next run\n");
    has(said, "purser: 2 remote jobs are pending for longer than a day\n");
    has(said, "purser: 1 item waits for others");
    run.counts.by_state[ITEM_BLOCKED] = 2;
    has(summary(&run, EXIT_NOT_FINISHED, false), "purser: 2 items wait for others");
    has(summary(&run, EXIT_NOT_FINISHED, true), "\"stopped\":\"asked to stop\"");
}

static void answers_that_have_changed_are_counted_in_words(void **context)
{
    struct run run = {.outdated = 1, .outdated_corrected = 1, .outdated_kept = 1};

    (void)context;
    has(summary(&run, EXIT_DONE, false), "purser: 1 item was made from an answer that has changed");
    has(said, "purser: 1 corrected item was made from");
    has(said, "hint: put the corrected row into the source");
    has(said, "when_changed: keep leaves it so\n");
    has(summary(&run, EXIT_DONE, true),
        "\"outdated\":1,\"outdated_corrected\":1,\"outdated_kept\":1");
    run = (struct run){.outdated = 2, .outdated_corrected = 2, .outdated_kept = 2};
    has(summary(&run, EXIT_DONE, false), "purser: 2 items were made from an answer");
    has(said, "purser: 2 corrected items were made from");
    has(said, "hint: put the corrected rows into the source");
    has(said, "when_changed: keep leaves them so\n");
}

static void credentials_and_what_is_stuck_have_their_statuses(void **context)
{
    const struct item_counts none = {{0}};

    (void)context;
    assert_int_equal(run_exit_status(&(struct engine_progress){.stop = STOP_CREDENTIALS}, &none),
                     EXIT_CREDENTIALS);
    assert_int_equal(run_exit_status(&(struct engine_progress){.stuck = 1}, &none), EXIT_IN_DOUBT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_of_the_items_decides),
        cmocka_unit_test(what_is_blocked_waits_for_a_person_unless_the_run_was_stopped),
        cmocka_unit_test(of_several_the_first_of_the_order_counts),
        cmocka_unit_test(credentials_and_what_is_stuck_have_their_statuses),
        cmocka_unit_test(each_end_names_the_next_command),
        cmocka_unit_test(what_stopped_it_or_is_left_is_told),
        cmocka_unit_test(answers_that_have_changed_are_counted_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
