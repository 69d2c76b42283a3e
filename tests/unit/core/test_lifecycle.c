/* The table of the life cycle, cell by cell. */
#include "lifecycle_bench.h"

/* --- the table --- */

struct cell {
    enum item_state state;
    enum item_event_kind event;
    enum item_state next;
    enum effect effect;
};

static const struct cell cells[] = {
    {ITEM_BLOCKED, EVENT_WAITS, ITEM_BLOCKED, EFFECT_NONE},
    {ITEM_BLOCKED, EVENT_UNBLOCKED, ITEM_READY, EFFECT_NONE},
    {ITEM_BLOCKED, EVENT_NOT_RENDERED, ITEM_FAILED, EFFECT_FINAL},
    {ITEM_BLOCKED, EVENT_SKIPPED, ITEM_SKIPPED, EFFECT_FINAL},
    {ITEM_BLOCKED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_BLOCKED, EVENT_CANCELLED, ITEM_CANCELLED, EFFECT_FINAL},
    {ITEM_READY, EVENT_START, ITEM_SENDING, EFFECT_NONE},
    {ITEM_READY, EVENT_WAITS, ITEM_BLOCKED, EFFECT_NONE},
    {ITEM_READY, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_READY, EVENT_CANCELLED, ITEM_CANCELLED, EFFECT_FINAL},
    {ITEM_SENDING, EVENT_WITHDRAWN, ITEM_READY, EFFECT_NONE},
    {ITEM_SENDING, EVENT_RESTARTED, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_DUE, ITEM_SENDING, EFFECT_SEND},
    {ITEM_SENDING, EVENT_ACCEPTED, ITEM_WAITING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_DONE, ITEM_SUCCEEDED, EFFECT_FINAL},
    {ITEM_SENDING, EVENT_REFUSED, ITEM_FAILED, EFFECT_FINAL},
    {ITEM_SENDING, EVENT_THROTTLED, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_HELD, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_LOST, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_NOT_SENT, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_UNCLEAR, ITEM_IN_DOUBT, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_RESTARTED, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_DUE, ITEM_WAITING, EFFECT_POLL},
    {ITEM_WAITING, EVENT_DONE, ITEM_SUCCEEDED, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_REFUSED, ITEM_FAILED, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_THROTTLED, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_HELD, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_LOST, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_NOT_SENT, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_UNCLEAR, ITEM_IN_DOUBT, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_PENDING, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_MISSING, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_JOB_THROTTLED, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SUCCEEDED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_SUCCEEDED, EVENT_UNDONE, ITEM_CANCELLED, EFFECT_FINAL},
    {ITEM_FAILED, EVENT_RETRY, ITEM_READY, EFFECT_NONE},
    {ITEM_FAILED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_IN_DOUBT, EVENT_RESOLVED_DONE, ITEM_SUCCEEDED, EFFECT_FINAL},
    {ITEM_IN_DOUBT, EVENT_RESOLVED_NOT_DONE, ITEM_READY, EFFECT_NONE},
    {ITEM_IN_DOUBT, EVENT_ABANDONED, ITEM_CANCELLED, EFFECT_FINAL},
    {ITEM_CANCELLED, EVENT_RETRY, ITEM_READY, EFFECT_NONE},
    {ITEM_SKIPPED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
};

static const struct cell *cell_of(unsigned state, unsigned event)
{
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        if (cells[i].state == state && cells[i].event == event)
            return &cells[i];
    return NULL;
}

static void every_cell_of_the_table_is_as_listed_and_all_others_are_illegal(void **context)
{
    (void)context;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        for (unsigned kind = 0; kind < ITEM_EVENT_COUNT; kind++) {
            const struct cell *cell = cell_of(state, kind);
            struct item item = item_in((enum item_state)state);
            struct item_event event = event_of((enum item_event_kind)kind);
            struct step step;

            if (kind == EVENT_WITHDRAWN)
                item.attempt_count = 0;
            if (lifecycle_is_legal((enum item_state)state, (enum item_event_kind)kind) !=
                (cell != NULL))
                fail_msg("%s on %s: the list of this test and the table differ",
                         item_state_name((enum item_state)state),
                         item_event_name((enum item_event_kind)kind));
            step = lifecycle_step(&item, &event, &keyed);
            assert_int_equal(step.legal, cell != NULL);
            if (cell == NULL) {
                assert_memory_equal(&step.item, &item, sizeof item);
                continue;
            }
            if (step.item.state != cell->next || step.effect != cell->effect)
                fail_msg("%s on %s: became %s", item_state_name((enum item_state)state),
                         item_event_name((enum item_event_kind)kind),
                         item_state_name(step.item.state));
            assert_int_equal(step.item.changed_ms, NOW_MS);
        }
    }
}

static void no_automatic_event_leaves_a_final_state(void **context)
{
    (void)context;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        for (unsigned kind = 0; kind < ITEM_EVENT_COUNT; kind++)
            if (item_state_is_final((enum item_state)state) && kind < EVENT_RETRY)
                assert_false(
                    lifecycle_is_legal((enum item_state)state, (enum item_event_kind)kind));
}

static void every_event_has_a_name_of_its_own_and_a_meaning(void **context)
{
    (void)context;
    for (unsigned a = 0; a < ITEM_EVENT_COUNT; a++) {
        assert_true(strlen(item_event_meaning((enum item_event_kind)a)) > 0);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(item_event_name((enum item_event_kind)a),
                                    item_event_name((enum item_event_kind)b));
    }
}

static void the_same_item_event_and_policy_give_the_same_step(void **context)
{
    (void)context;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct item item = item_in(cells[i].state);
        struct item_event event = event_of(cells[i].event);
        struct step one, two;

        if (cells[i].event == EVENT_WITHDRAWN)
            item.attempt_count = 0;
        one = lifecycle_step(&item, &event, &keyed);
        two = lifecycle_step(&item, &event, &keyed);
        assert_int_equal(one.effect, two.effect);
        assert_memory_equal(&one.item, &two.item, sizeof one.item);
    }
}

static void a_step_keeps_what_the_item_is(void **context)
{
    (void)context;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct item before = item_in(cells[i].state), after;

        if (cells[i].event == EVENT_WITHDRAWN)
            before.attempt_count = 0;
        before.seen_run = 9;
        after = before;
        step_of(&after, cells[i].event, &keyed);
        assert_int_equal(after.job, before.job);
        assert_int_equal(after.connection, before.connection);
        assert_int_equal(after.seen_run, before.seen_run);
        if (cells[i].event != EVENT_CHANGED && cells[i].event != EVENT_UNBLOCKED)
            assert_memory_equal(&after.request_hash, &before.request_hash,
                                sizeof after.request_hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table_is_as_listed_and_all_others_are_illegal),
        cmocka_unit_test(no_automatic_event_leaves_a_final_state),
        cmocka_unit_test(every_event_has_a_name_of_its_own_and_a_meaning),
        cmocka_unit_test(the_same_item_event_and_policy_give_the_same_step),
        cmocka_unit_test(a_step_keeps_what_the_item_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
