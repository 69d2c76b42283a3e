/* What rows need, against a ledger of arrays: who waits for whom, and in which order they go. */
#include "import_bench.h"

/* --- needs --- */

static void a_row_waits_for_the_item_that_it_needs_and_that_item_knows(void **context)
{
    struct import_outcome outcome;
    (void)context;

    add_parent("P", ITEM_FAILED);
    outcome = take(row_that_needs("c", "{}", "P"));
    assert_waits(&outcome, WAIT_ITEM, "P");
    assert_int_equal(entry_of("c")->item.state, ITEM_BLOCKED);
    assert_int_equal(entry_of("c")->item.waits_for, number_of("P"));
    assert_true(entry_of("P")->item.has_dependents);
    assert_needs("c", "P");
}

static void a_need_is_met_by_success_alone(void **context)
{
    (void)context;

    for (int state = 0; state < ITEM_STATE_COUNT; state++) {
        struct import_outcome outcome;

        begin(1);
        add_parent("P", (enum item_state)state);
        outcome = take(row_that_needs("c", "{}", "P"));
        assert_waits(&outcome, state == ITEM_SUCCEEDED ? WAIT_NONE : WAIT_ITEM,
                     state == ITEM_SUCCEEDED ? NULL : "P");
    }
}

static void an_item_that_nobody_has_is_waited_for_until_a_run_finds_it(void **context)
{
    struct import_outcome outcome = take(row_that_needs("c", "{}", "P"));
    (void)context;

    assert_waits(&outcome, WAIT_UNKNOWN_ITEM, NULL);
    begin(2);
    add_parent("P", ITEM_SUCCEEDED);
    outcome = take(row_that_needs("c", "{}", "P"));
    assert_waits(&outcome, WAIT_NONE, NULL);
    assert_int_equal(entry_of("c")->item.state, ITEM_READY);
}

static void a_whole_job_is_waited_for_while_anything_of_it_is_open(void **context)
{
    static const struct import_need all = {.whole_job = true};
    struct import_row one = row(CHILDREN, "c", "{}");
    struct import_outcome outcome;
    (void)context;

    one.needs = &all;
    one.need_count = 1;
    for (int state = 0; state < ITEM_STATE_COUNT; state++) {
        begin(1);
        add_parent("P", (enum item_state)state);
        outcome = compare(&one);
        assert_int_equal(outcome.waits_on,
                         item_state_is_over((enum item_state)state) ? WAIT_NONE : WAIT_JOB);
    }
    begin(1);
    add_parent("P", ITEM_SUCCEEDED);
    importer.has_work[PARENTS] = true; /* a row of this run */
    outcome = compare(&one);
    assert_int_equal(outcome.waits_on, WAIT_JOB);
}

static void what_waits_follows_its_row_to_another_parent(void **context)
{
    struct import_outcome outcome;
    (void)context;

    add_parent("P", ITEM_FAILED);
    add_parent("Q", ITEM_FAILED);
    (void)take(row_that_needs("c", "{}", "P"));
    begin(2);
    outcome = take(row_that_needs("c", "{}", "Q"));
    assert_int_equal(outcome.action, CONVERGE_REPLACE);
    assert_int_equal(entry_of("c")->item.waits_for, number_of("Q"));
    assert_needs("c", "Q");
    assert_true(entry_of("Q")->item.has_dependents);
}

/* A run was killed when the parent had succeeded and its child still waited for it. */
static void what_can_be_rendered_now_is_frozen_though_it_waits_for_its_turn(void **context)
{
    struct import_row one = row_that_needs("c", "{\"parent\":1}", "P");
    struct import_outcome outcome;
    (void)context;

    one.has_group = true;
    one.group = hash_of("g");
    one.draft = SLICE("{draft}");
    add_parent("P", ITEM_READY);
    (void)take(row_of_group("before", "{}", "g"));
    outcome = take(one);
    assert_waits(&outcome, WAIT_ITEM, "P");
    set_state("P", ITEM_SUCCEEDED);
    begin(2);
    one.draft = SLICE("");
    outcome = take(one);
    assert_waits(&outcome, WAIT_ITEM, "before");
    assert_int_equal(outcome.action, CONVERGE_UNCHANGED);
    assert_int_equal(entry_of("c")->item.state, ITEM_BLOCKED);
    assert_int_equal(entry_of("c")->needs.draft.length, 0);
    assert_int_equal(entry_of("c")->item.request_hash.low, outcome.request_hash.low);
}

static void what_failed_is_sent_again_when_its_row_waits_for_another(void **context)
{
    struct import_outcome outcome;
    (void)context;

    add_parent("P", ITEM_SUCCEEDED);
    add_parent("Q", ITEM_FAILED);
    (void)take(row_that_needs("c", "{}", "P"));
    set_state("c", ITEM_FAILED);
    begin(2);
    outcome = take(row_that_needs("c", "{}", "P"));
    assert_int_equal(outcome.action, CONVERGE_UNCHANGED);
    outcome = take(row_that_needs("c", "{}", "Q"));
    assert_int_equal(outcome.action, CONVERGE_RESEND);
    assert_int_equal(entry_of("c")->item.state, ITEM_BLOCKED);
    assert_needs("c", "Q");
}

static void a_row_that_needs_nothing_any_more_leaves_no_needs(void **context)
{
    (void)context;

    add_parent("P", ITEM_FAILED);
    (void)take(row_that_needs("c", "{}", "P"));
    begin(2);
    (void)take(row(CHILDREN, "c", "{}"));
    assert_int_equal(entry_of("c")->item.state, ITEM_READY);
    assert_false(entry_of("c")->item.has_needs);
    assert_int_equal(entry_of("c")->needs.need_count, 0);
}

static void what_succeeded_keeps_its_draft_while_its_parent_is_sent_again(void **context)
{
    struct import_row one = row_that_needs("c", "{\"parent\":1}", "P");
    struct import_outcome outcome;
    (void)context;

    add_parent("P", ITEM_SUCCEEDED);
    one.uses_needs = true;
    (void)take(one);
    set_state("c", ITEM_SUCCEEDED);
    begin(2);
    set_state("P", ITEM_READY);
    begin_job();
    one.path = one.body = one.draft = SLICE("");
    one.draft = SLICE("draft");
    outcome = take(one);
    assert_int_equal(outcome.action, CONVERGE_UNCHANGED);
    assert_true(import_may_change(&one, &outcome));
    assert_int_equal(importer.counts.may_change, 1);
    assert_true(slice_is(entry_of("c")->needs.draft, "draft"));
    assert_int_equal(entry_of("c")->item.state, ITEM_SUCCEEDED);
    assert_needs("c", "P");
}

/* --- corrections --- */

static void a_correction_brings_its_needs_and_remembers_the_row_of_the_source(void **context)
{
    struct import_row before = row_that_needs("c", "{}", "P"), after;
    struct import_outcome outcome;
    (void)context;

    add_parent("P", ITEM_SUCCEEDED);
    add_parent("Q", ITEM_FAILED);
    (void)take(before);
    set_state("c", ITEM_FAILED);
    begin(2);
    after = row_that_needs("c", "{}", "Q");
    assert_int_equal(correct(after), CORRECTION_CHANGE);
    assert_needs("c", "Q");
    assert_true(entry_of("Q")->item.has_dependents);
    assert_int_equal(entry_of("c")->item.state, ITEM_BLOCKED);
    assert_int_equal(entry_of("c")->item.waits_on, WAIT_NONE);
    assert_int_equal(entry_of("c")->item.source_hash.low, before.draft_hash.low);
    begin(3);
    outcome = take(row_that_needs("c", "{}", "P"));
    assert_int_equal(outcome.action, CONVERGE_CORRECTED);
    assert_needs("c", "Q");
    outcome = take(row_that_needs("c", "{}", "Q"));
    assert_int_equal(outcome.action, CONVERGE_UNCHANGED);
    assert_false(entry_of("c")->item.corrected);
}

static void a_correction_that_a_crash_left_blocked_is_named_by_the_next_one(void **context)
{
    struct import_row one = row_that_needs("c", "{}", "P");
    (void)context;

    add_parent("P", ITEM_SUCCEEDED);
    (void)take(one);
    set_state("c", ITEM_FAILED);
    begin(2);
    assert_int_equal(correct(one), CORRECTION_AGAIN);
    assert_int_equal(entry_of("c")->item.seen_run, 2);
    begin(3);
    assert_int_equal(correct(one), CORRECTION_GOES_ON);
    assert_int_equal(entry_of("c")->item.state, ITEM_BLOCKED);
    assert_int_equal(entry_of("c")->item.seen_run, 3);
}

static void a_correction_of_what_the_ledger_does_not_have_writes_nothing(void **context)
{
    (void)context;

    add_parent("P", ITEM_SUCCEEDED);
    (void)take(row_that_needs("c", "{}", "P"));
    set_state("c", ITEM_FAILED);
    begin(2);
    assert_int_equal(correct(row_that_needs("c", "{\"other\":1}", "Q")), CORRECTION_NEEDS_UNKNOWN);
    assert_int_equal(ledger.open_count, 0);
    assert_int_equal(entry_of("c")->item.state, ITEM_FAILED);
}

/* --- orders --- */

static void rows_of_a_group_stand_behind_each_other_before_anything_is_committed(void **context)
{
    struct import_outcome outcome = take(row_of_group("a", "{}", "g"));
    (void)context;

    assert_waits(&outcome, WAIT_NONE, NULL);
    outcome = take(row_of_group("b", "{}", "g"));
    assert_waits(&outcome, WAIT_ITEM, "a");
    outcome = take(row_of_group("c", "{}", "other"));
    assert_waits(&outcome, WAIT_NONE, NULL);
    outcome = take(row_of_group("d", "{}", "g"));
    assert_waits(&outcome, WAIT_ITEM, "b");
    assert_true(entry_of("a")->item.has_dependents);
}

static void who_is_over_without_success_leaves_its_place_to_the_one_before(void **context)
{
    static const struct {
        enum item_state before;
        const char *waits_for;
    } cases[] = {{ITEM_FAILED, "a"}, {ITEM_SUCCEEDED, NULL}, {ITEM_CANCELLED, NULL}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct import_outcome outcome;

        begin(1);
        (void)take(row_of_group("a", "{}", "g"));
        (void)take(row_of_group("b", "{}", "g"));
        set_state("a", cases[i].before);
        set_state("b", ITEM_CANCELLED);
        begin(2);
        outcome = take(row_of_group("c", "{}", "g"));
        assert_waits(&outcome, cases[i].waits_for == NULL ? WAIT_NONE : WAIT_ITEM,
                     cases[i].waits_for);
    }
}

static void a_success_that_is_sent_again_goes_behind_all_others(void **context)
{
    struct import_outcome outcome;
    (void)context;

    (void)take(row_of_group("a", "{}", "g"));
    set_state("a", ITEM_SUCCEEDED);
    begin(2);
    (void)take(row_of_group("b", "{}", "g"));
    entry_of("b")->needs.need_count = 0; /* the engine has found it met, and has taken it out */
    begin(3);
    outcome = take(row_of_group("a", "{\"new\":1}", "g"));
    assert_waits(&outcome, WAIT_ITEM, "b");
    assert_int_equal(ledger.groups[0].last, number_of("a"));
}

static void a_success_that_others_stand_behind_keeps_its_place(void **context)
{
    struct import_outcome outcome;
    (void)context;

    (void)take(row_of_group("a", "{}", "g"));
    set_state("a", ITEM_SUCCEEDED);
    (void)take(row_of_group("b", "{}", "g"));
    begin(2);
    outcome = take(row_of_group("a", "{\"new\":1}", "g"));
    assert_int_equal(outcome.action, CONVERGE_RESEND);
    assert_waits(&outcome, WAIT_NONE, NULL);
    assert_int_equal(ledger.groups[0].last, number_of("b"));
}

static void a_row_that_comes_into_another_group_goes_to_its_end(void **context)
{
    struct import_outcome outcome;
    (void)context;

    (void)take(row_of_group("a", "{}", "g"));
    (void)take(row_of_group("b", "{}", "h"));
    set_state("a", ITEM_FAILED);
    set_state("b", ITEM_FAILED);
    begin(2);
    outcome = take(row_of_group("a", "{}", "h"));
    assert_int_equal(outcome.action, CONVERGE_RESEND);
    assert_waits(&outcome, WAIT_ITEM, "b");
    assert_int_equal(ledger.groups[1].last, number_of("a"));
    assert_int_equal(entry_of("a")->needs.group.low, hash_of("h").low);
}

static void rows_that_swap_their_groups_make_no_circle(void **context)
{
    struct import_outcome outcome;
    (void)context;

    (void)take(row_of_group("a1", "{}", "g"));
    (void)take(row_of_group("a2", "{}", "g"));
    (void)take(row_of_group("b1", "{}", "h"));
    (void)take(row_of_group("b2", "{}", "h"));
    begin(2);
    outcome = take(row_of_group("a1", "{}", "h"));
    assert_waits(&outcome, WAIT_ITEM, "b2");
    outcome = take(row_of_group("b1", "{}", "g")); /* a2, the last of g, waits for it by now */
    assert_waits(&outcome, WAIT_NONE, NULL);
    assert_int_equal(ledger.groups[0].last, number_of("a2"));
}

static void a_group_of_more_rows_than_are_remembered_is_committed_on_the_way(void **context)
{
    enum { ROWS = IMPORT_UNSENT_MAX / 2 + 2 };
    struct import_outcome outcome = {0};
    char key[KEY_BYTES];
    uint64_t commits = ledger.commits;
    (void)context;

    for (int i = 0; i < ROWS; i++) {
        (void)snprintf(key, sizeof key, "r%d", i);
        outcome = take(row_of_group(key, "{}", "g"));
        assert_int_equal(ledger.commits - commits, i >= IMPORT_UNSENT_MAX / 2);
    }
    assert_int_equal(outcome.waits_for, ROWS - 1);
    assert_int_equal(importer.unsent_count, 2);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, begin_first)
    const struct CMUnitTest tests[] = {
        FRESH(a_row_waits_for_the_item_that_it_needs_and_that_item_knows),
        FRESH(a_need_is_met_by_success_alone),
        FRESH(an_item_that_nobody_has_is_waited_for_until_a_run_finds_it),
        FRESH(a_whole_job_is_waited_for_while_anything_of_it_is_open),
        FRESH(what_waits_follows_its_row_to_another_parent),
        FRESH(what_can_be_rendered_now_is_frozen_though_it_waits_for_its_turn),
        FRESH(what_failed_is_sent_again_when_its_row_waits_for_another),
        FRESH(a_row_that_needs_nothing_any_more_leaves_no_needs),
        FRESH(what_succeeded_keeps_its_draft_while_its_parent_is_sent_again),
        FRESH(a_correction_brings_its_needs_and_remembers_the_row_of_the_source),
        FRESH(a_correction_that_a_crash_left_blocked_is_named_by_the_next_one),
        FRESH(a_correction_of_what_the_ledger_does_not_have_writes_nothing),
        FRESH(rows_of_a_group_stand_behind_each_other_before_anything_is_committed),
        FRESH(who_is_over_without_success_leaves_its_place_to_the_one_before),
        FRESH(a_success_that_is_sent_again_goes_behind_all_others),
        FRESH(a_success_that_others_stand_behind_keeps_its_place),
        FRESH(a_row_that_comes_into_another_group_goes_to_its_end),
        FRESH(rows_that_swap_their_groups_make_no_circle),
        FRESH(a_group_of_more_rows_than_are_remembered_is_committed_on_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
