/* Whoever looks back tells nothing from not knowing. */
#include "purser/cli/plan_times.h"
#include "purser/cli/recall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static enum err_code run_code, connection_code;

static enum err_code read_run(struct ledger *self, uint32_t run, struct run_record *run_out,
                              struct err *err)
{
    (void)self;
    *run_out = (struct run_record){.started_ms = run, .sent = 10, .retried = 5, .polls = 30};
    if (run_code != ERR_OK && run_code != ERR_NOT_FOUND)
        err_set(err, run_code, "the ledger is out of order");
    return run_code;
}

static uint32_t last_run(struct ledger *self)
{
    (void)self;
    return 7;
}

static enum err_code read_connection(struct ledger *self, uint32_t connection, struct buf *storage,
                                     struct connection_record *connection_out, struct err *err)
{
    (void)self;
    (void)storage;
    *connection_out = (struct connection_record){.learned_rate_millis = 4000 + connection,
                                                 .times = {.answer_ms = 70}};
    if (connection_code != ERR_OK && connection_code != ERR_NOT_FOUND)
        err_set(err, connection_code, "the ledger is out of order");
    return connection_code;
}

static const struct ledger_ops ops = {
    .read_run = read_run, .last_run = last_run, .read_connection = read_connection};
static struct ledger ledger = {.ops = &ops};

static const enum err_code nothing[] = {ERR_NOT_FOUND, ERR_DAMAGED};
static const enum err_code failures[] = {ERR_NO_MEMORY, ERR_STORAGE, ERR_STATE_DIRECTORY};
enum {
    NOTHING_COUNT = sizeof nothing / sizeof *nothing,
    FAILURE_COUNT = sizeof failures / sizeof *failures
};

static void a_run_that_is_not_there_or_damaged_is_all_0(void **context)
{
    struct run_record run;
    struct err err = {0};
    bool found;
    (void)context;

    run_code = ERR_OK;
    assert_int_equal(recall_run(&ledger, 3, true, &run, &found, &err), ERR_OK);
    assert_true(found);
    assert_int_equal(run.started_ms, 3);
    for (int i = 0; i < NOTHING_COUNT; i++) {
        run_code = nothing[i];
        assert_int_equal(recall_run(&ledger, 3, true, &run, &found, &err), ERR_OK);
        assert_false(found);
        assert_int_equal(run.started_ms, 0);
    }
}

static void a_run_that_cannot_be_read_is_an_error(void **context)
{
    struct run_record run;
    struct err err = {0};
    bool found;
    (void)context;

    for (int i = 0; i < FAILURE_COUNT; i++) {
        run_code = failures[i];
        assert_int_equal(recall_run(&ledger, 3, true, &run, &found, &err), failures[i]);
        assert_false(found);
    }
}

static void what_was_learned_and_is_not_there_or_damaged_is_all_0(void **context)
{
    struct connection_record record;
    struct err err = {0};
    struct buf storage;
    (void)context;

    buf_init(&storage, 100);
    connection_code = ERR_OK;
    assert_int_equal(recall_connection(&ledger, 1, "shop", &storage, &record, &err), ERR_OK);
    assert_int_equal(record.learned_rate_millis, 4001);
    for (int i = 0; i < NOTHING_COUNT; i++) {
        connection_code = nothing[i];
        assert_int_equal(recall_connection(&ledger, 1, "shop", &storage, &record, &err), ERR_OK);
        assert_int_equal(record.learned_rate_millis, 0);
    }
}

static void what_was_learned_and_cannot_be_read_is_an_error(void **context)
{
    struct connection_record record;
    struct err err = {0};
    struct buf storage;
    (void)context;

    buf_init(&storage, 100);
    for (int i = 0; i < FAILURE_COUNT; i++) {
        connection_code = failures[i];
        assert_int_equal(recall_connection(&ledger, 1, NULL, &storage, &record, &err), failures[i]);
        assert_int_equal(record.learned_rate_millis, 0);
    }
}

/* --- the times of a plan --- */

static struct session session = {.ledger = &ledger};
static struct spec_connection connections[] = {{.alias = "shop"}};
static uint32_t numbers[] = {0};
static struct comparison comparison = {.session = &session, .connections = numbers};

static void a_plan_without_its_past_is_no_plan(void **context)
{
    struct plan_experience experience;
    struct plan_times times;
    struct err err = {0};
    (void)context;

    session.spec.connections = connections;
    session.spec.connection_count = 1;
    run_code = connection_code = ERR_OK;
    assert_int_equal(plan_experience_find(&comparison, &experience, &err), ERR_OK);
    assert_int_equal(experience.run, 7);
    assert_int_equal(plan_times_find(&comparison, &experience, 0, &times, &err), ERR_OK);
    assert_int_equal(times.origin, TIMES_LEARNED);
    assert_int_equal(times.times.answer_ms, 70);
    for (int i = 0; i < NOTHING_COUNT; i++) {
        run_code = connection_code = nothing[i];
        assert_int_equal(plan_experience_find(&comparison, &experience, &err), ERR_OK);
        assert_int_equal(experience.run, 0);
        assert_int_equal(plan_times_find(&comparison, &experience, 0, &times, &err), ERR_OK);
        assert_int_equal(times.origin, TIMES_ASSUMED);
    }
    for (int i = 0; i < FAILURE_COUNT; i++) {
        run_code = connection_code = failures[i];
        assert_int_equal(plan_experience_find(&comparison, &experience, &err), failures[i]);
        assert_int_equal(plan_times_find(&comparison, &experience, 0, &times, &err), failures[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_is_not_there_or_damaged_is_all_0),
        cmocka_unit_test(a_run_that_cannot_be_read_is_an_error),
        cmocka_unit_test(what_was_learned_and_is_not_there_or_damaged_is_all_0),
        cmocka_unit_test(what_was_learned_and_cannot_be_read_is_an_error),
        cmocka_unit_test(a_plan_without_its_past_is_no_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
