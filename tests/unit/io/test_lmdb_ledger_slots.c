/* What the ledger keeps of a schedule. */
#include "ledger_fixture.h"

static void put_slot(struct ledger *port, int64_t first_s, uint32_t run)
{
    struct slot_record slot = {.last_s = first_s, .count = 1, .fate = SLOT_RAN, .run = run};
    struct err err = {0};

    must(port->ops->put_slot(port, first_s, &slot, &err), &err);
}

static void state_of_the_schedule_is_kept(void **context)
{
    struct opened opened = open_ledger();
    struct schedule_record schedule = {.since_s = 10, .until_s = 20, .claimed_s = 15};
    struct err err = {0};
    (void)context;

    assert_int_equal(opened.port->ops->read_schedule(opened.port, &schedule, &err), ERR_NOT_FOUND);
    must(opened.port->ops->put_schedule(opened.port, &schedule, &err), &err);
    commit(opened.port);
    close_ledger(&opened);
    opened = open_with(false, 0);
    schedule = (struct schedule_record){0};
    must(opened.port->ops->read_schedule(opened.port, &schedule, &err), &err);
    assert_int_equal(schedule.since_s, 10);
    assert_int_equal(schedule.until_s, 20);
    assert_int_equal(schedule.claimed_s, 15);
    close_ledger(&opened);
}

static void slots_are_walked_from_the_latest_back(void **context)
{
    struct opened opened = open_ledger();
    struct ledger *port = opened.port;
    struct slot_record slot;
    struct err err = {0};
    int64_t first_s = INT64_MAX;
    (void)context;

    assert_int_equal(port->ops->slot_before(port, INT64_MAX, &first_s, &slot, &err), ERR_NOT_FOUND);
    put_slot(port, 300, 3);
    put_slot(port, 0, 1);
    put_slot(port, 4000000000, 4);
    put_slot(port, 200, 2);
    put_slot(port, 200, 22);
    commit(port);
    first_s = INT64_MAX;
    for (int i = 0; i < 4; i++) {
        static const int64_t times[] = {4000000000, 300, 200, 0};
        static const uint32_t runs[] = {4, 3, 22, 1};

        must(port->ops->slot_before(port, first_s, &first_s, &slot, &err), &err);
        assert_true(first_s == times[i]);
        assert_int_equal(slot.run, runs[i]);
    }
    assert_int_equal(port->ops->slot_before(port, first_s, &first_s, &slot, &err), ERR_NOT_FOUND);
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(state_of_the_schedule_is_kept),
        SCRATCH_TEST(slots_are_walked_from_the_latest_back),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger_slots", tests, NULL, NULL);
}
