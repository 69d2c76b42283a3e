/* The link between an item and its undo. */
#include "purser/engine/undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct item_counts counts_of_job;

static enum err_code counts(struct ledger *self, uint32_t job, uint32_t connection,
                            struct item_counts *counts_out, struct err *err)
{
    (void)self;
    (void)err;
    assert_int_equal(job, 3);
    assert_int_equal(connection, 4);
    *counts_out = counts_of_job;
    return ERR_OK;
}

static const char *job_name(struct ledger *self, uint32_t job)
{
    static const char *const names[] = {"products", "products:undo", "undo", "a:undone"};

    (void)self;
    return job < sizeof names / sizeof names[0] ? names[job] : NULL;
}

static const struct ledger_ops ops = {.counts = counts, .job_name = job_name};
static struct ledger ledger = {.ops = &ops};

static void the_key_of_an_undo_is_the_key_and_the_generation(void **state)
{
    char storage[ITEM_KEY_BYTES_MAX + 1], longest[ROW_KEY_BYTES_MAX];
    struct slice made = undo_key(SLICE("S#1"), 12, storage), key;
    uint32_t generation;

    (void)state;
    assert_true(slice_is(made, "S#1#12"));
    assert_true(undo_key_split(made, &key, &generation));
    assert_true(slice_is(key, "S#1"));
    assert_int_equal(generation, 12);
    memset(longest, '#', sizeof longest);
    made = undo_key((struct slice){longest, sizeof longest}, UINT32_MAX, storage);
    assert_true(undo_key_split(made, &key, &generation));
    assert_int_equal(key.length, sizeof longest);
    assert_int_equal(generation, UINT32_MAX);
}

static void what_is_no_key_of_an_undo_is_not_taken_for_one(void **state)
{
    static const char *const others[] = {"", "S-1", "S-1#", "S-1#0", "S-1#x", "S-1#4294967296"};
    struct slice key;
    uint32_t generation;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(undo_key_split(slice_of(others[i]), &key, &generation));
}

static void jobs_of_undos_are_known_by_their_names(void **state)
{
    static const bool expected[] = {false, true, false, false, false};

    (void)state;
    for (uint32_t job = 0; job < 5; job++)
        assert_int_equal(undo_is_job(&ledger, job), expected[job]);
}

static void an_end_says_what_is_known_of_the_item(void **state)
{
    static const struct {
        enum item_state state;
        uint16_t http_status;
        enum http_method method;
        uint64_t succeeded;
        enum reason reason;
    } cases[] = {
        {ITEM_SUCCEEDED, 200, METHOD_DELETE, 1, REASON_UNDONE},
        {ITEM_SUCCEEDED, 404, METHOD_PATCH, 1, REASON_UNDONE},
        {ITEM_FAILED, 410, METHOD_DELETE, 0, REASON_UNDO_FOUND_NOTHING},
        {ITEM_FAILED, 404, METHOD_DELETE, 1, REASON_UNDO_FOUND_NOTHING},
        {ITEM_FAILED, 404, METHOD_DELETE, 0, REASON_NONE},
        {ITEM_FAILED, 450, METHOD_DELETE, 1, REASON_NONE},
        {ITEM_FAILED, 410, METHOD_PATCH, 1, REASON_NONE},
        {ITEM_IN_DOUBT, 404, METHOD_DELETE, 1, REASON_NONE},
        {ITEM_READY, 410, METHOD_DELETE, 1, REASON_NONE},
        {ITEM_CANCELLED, 404, METHOD_DELETE, 1, REASON_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct item undo = {.state = cases[i].state,
                            .job = 3,
                            .connection = 4,
                            .http_status = cases[i].http_status};
        enum reason reason = REASON_COUNT;
        struct err err = {0};

        counts_of_job.by_state[ITEM_SUCCEEDED] = cases[i].succeeded;
        assert_int_equal(undo_end_of(&ledger, &undo, cases[i].method, &reason, &err), ERR_OK);
        assert_int_equal(reason, cases[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_an_undo_is_the_key_and_the_generation),
        cmocka_unit_test(what_is_no_key_of_an_undo_is_not_taken_for_one),
        cmocka_unit_test(jobs_of_undos_are_known_by_their_names),
        cmocka_unit_test(an_end_says_what_is_known_of_the_item),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
