/* What ticks write into the ledger about slots. */
#include "ledger_fixture.h"
#include "purser/cli/schedule.h"

enum { HOUR = 3600, START = 1704067200 /* 2024-01-01T00:00Z */, TOLD_MAX = 8 };

static struct opened opened;
static struct session session;
static const struct options options;
static struct schedule_range told[TOLD_MAX];
static int told_count;

static void tell(struct session *unused, const struct schedule_range *range)
{
    (void)unused;
    assert_true(told_count < TOLD_MAX);
    told[told_count++] = *range;
}

/* An hourly schedule whose account begins at half past midnight. */
static void begin(void)
{
    struct cron_error problem;
    struct settled settled;
    struct err err = {0};

    opened = open_ledger();
    session = (struct session){.options = &options, .zone = &zone_utc, .ledger = opened.port};
    session.spec.schedule =
        (struct spec_schedule){.cron_text = "@hourly", .policy = {.window_s = INT64_MAX}};
    assert_true(cron_parse(SLICE("@hourly"), &session.spec.schedule.cron, &problem));
    told_count = 0;
    must(schedule_settle(&session, START + HOUR / 2, tell, &settled, &err), &err);
    assert_true(settled.began);
    assert_int_equal(settled.slot_s, 0);
}

static struct settled settle(int64_t now_s)
{
    struct settled settled;
    struct err err = {0};

    told_count = 0;
    must(schedule_settle(&session, now_s, tell, &settled, &err), &err);
    return settled;
}

static void close_slot(int64_t slot_s, int exit_status)
{
    struct err err = {0};

    must(schedule_close(&session, slot_s, exit_status, &err), &err);
}

static void put_run(uint32_t number, int64_t started_s, int64_t ended_s)
{
    struct run_record run = {.started_ms = started_s * 1000, .ended_ms = ended_s * 1000};
    struct err err = {0};

    must(opened.port->ops->put_run(opened.port, number, &run, &err), &err);
    commit(opened.port);
}

/* The record that begins at `first_s`. */
static struct slot_record slot_at(int64_t first_s)
{
    struct slot_record slot;
    struct err err = {0};
    int64_t found_s;

    must(opened.port->ops->slot_before(opened.port, first_s + 1, &found_s, &slot, &err), &err);
    assert_true(found_s == first_s);
    return slot;
}

static void first_look_runs_nothing_of_the_past(void **context)
{
    struct settled settled;
    (void)context;

    begin();
    settled = settle(START + HOUR - 1);
    assert_false(settled.began);
    assert_int_equal(settled.slot_s, 0);
    settled = settle(START + HOUR);
    assert_int_equal(settled.slot_s, START + HOUR);
    assert_false(settled.goes_on);
    close_ledger(&opened);
}

static void claimed_slot_goes_on_until_it_is_closed(void **context)
{
    struct settled settled;
    (void)context;

    begin();
    assert_int_equal(settle(START + HOUR).slot_s, START + HOUR);
    assert_int_equal(slot_at(START + HOUR).fate, SLOT_CLAIMED);
    settled = settle(START + 5 * HOUR);
    assert_int_equal(settled.slot_s, START + HOUR);
    assert_true(settled.goes_on);
    assert_int_equal(told_count, 0);
    close_slot(START + 2 * HOUR, 2); /* not the claimed one */
    assert_true(settle(START + 5 * HOUR).goes_on);
    close_slot(START + HOUR, 2);
    assert_int_equal(slot_at(START + HOUR).fate, SLOT_RAN);
    assert_int_equal(slot_at(START + HOUR).exit_status, 2);
    settled = settle(START + 5 * HOUR);
    assert_int_equal(settled.slot_s, START + 5 * HOUR);
    assert_int_equal(slot_at(START + 2 * HOUR).fate, SLOT_SUPERSEDED);
    assert_int_equal(slot_at(START + 2 * HOUR).count, 3);
    assert_int_equal(told_count, 1);
    close_ledger(&opened);
}

static void slots_during_runs_name_the_run(void **context)
{
    struct settled settled;
    (void)context;

    begin();
    put_run(1, START - HOUR, START);
    put_run(2, START + HOUR - 60, START + 2 * HOUR + 60);
    put_run(3, START + 3 * HOUR - 60, 0); /* killed: nobody knows when */
    put_run(4, START + 4 * HOUR - 60, START + 4 * HOUR + 60);
    settled = settle(START + 5 * HOUR + 60);
    assert_int_equal(settled.slot_s, START + 5 * HOUR);
    assert_int_equal(slot_at(START + HOUR).fate, SLOT_RUN_WENT_ON);
    assert_int_equal(slot_at(START + HOUR).count, 2);
    assert_int_equal(slot_at(START + HOUR).run, 2);
    assert_int_equal(slot_at(START + 3 * HOUR).fate, SLOT_SUPERSEDED);
    assert_int_equal(slot_at(START + 4 * HOUR).fate, SLOT_RUN_WENT_ON);
    assert_int_equal(slot_at(START + 4 * HOUR).run, 4);
    close_ledger(&opened);
}

/* --- runs that cannot be read --- */

static const struct ledger_ops *whole_ops;
static enum err_code read_fails_as;
static int reads_until_failing;
static uint32_t damaged_run;

static enum err_code read_run(struct ledger *self, uint32_t run, struct run_record *run_out,
                              struct err *err)
{
    if (run == damaged_run)
        return err_set(err, ERR_DAMAGED, "damaged");
    if (reads_until_failing-- == 0)
        return err_set(err, read_fails_as, "the ledger is out of order");
    return whole_ops->read_run(self, run, run_out, err);
}

static void begin_with_runs(struct ledger_ops *ops)
{
    begin();
    put_run(1, START - HOUR, START);
    put_run(2, START + HOUR - 60, START + 2 * HOUR + 60);
    put_run(3, START + 4 * HOUR - 60, START + 4 * HOUR + 60);
    whole_ops = opened.port->ops;
    *ops = *whole_ops;
    ops->read_run = read_run;
    opened.port->ops = ops;
    damaged_run = 0;
    reads_until_failing = -1;
}

/* The `failing`-th read of a run fails, first in a look that writes nothing. */
static enum err_code settle_failing(int failing)
{
    struct settled settled;
    struct err err = {0};
    enum err_code code;

    reads_until_failing = failing;
    code = schedule_foresee(&session, START + 5 * HOUR + 60, NULL, &settled, &err);
    assert_int_equal(err.code, code);
    reads_until_failing = failing;
    assert_int_equal(schedule_settle(&session, START + 5 * HOUR + 60, NULL, &settled, &err), code);
    return code;
}

static void a_run_that_cannot_be_read_leaves_all_slots_to_the_next_look(void **context)
{
    static const enum err_code codes[] = {ERR_NO_MEMORY, ERR_STORAGE, ERR_STATE_DIRECTORY};
    (void)context;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct schedule_record before, after;
        struct ledger_ops ops;
        struct err err = {0};
        enum err_code code;
        int failing = 0;

        begin_with_runs(&ops);
        must(opened.port->ops->read_schedule(opened.port, &before, &err), &err);
        read_fails_as = codes[i];
        while ((code = settle_failing(failing)) != ERR_OK) {
            assert_int_equal(code, codes[i]);
            must(opened.port->ops->read_schedule(opened.port, &after, &err), &err);
            assert_memory_equal(&before, &after, sizeof before);
            failing++;
        }
        assert_true(failing > 3);
        assert_int_equal(slot_at(START + HOUR).fate, SLOT_RUN_WENT_ON);
        assert_int_equal(slot_at(START + HOUR).run, 2);
        assert_int_equal(slot_at(START + 4 * HOUR).run, 3);
        close_ledger(&opened);
        assert_int_equal(scratch_remove(context), 0);
        assert_int_equal(scratch_make(context), 0);
    }
}

static void a_damaged_run_concerns_itself_alone(void **context)
{
    struct ledger_ops ops;
    (void)context;

    begin_with_runs(&ops);
    damaged_run = 2;
    assert_int_equal(settle(START + 5 * HOUR + 60).slot_s, START + 5 * HOUR);
    assert_int_equal(slot_at(START + HOUR).fate, SLOT_SUPERSEDED);
    assert_int_equal(slot_at(START + 4 * HOUR).fate, SLOT_RUN_WENT_ON);
    assert_int_equal(slot_at(START + 4 * HOUR).run, 3);
    close_ledger(&opened);
}

static void foreseeing_writes_nothing(void **context)
{
    struct schedule_record before, after;
    struct settled settled;
    struct err err = {0};
    (void)context;

    begin();
    must(opened.port->ops->read_schedule(opened.port, &before, &err), &err);
    told_count = 0;
    must(schedule_foresee(&session, START + 3 * HOUR, tell, &settled, &err), &err);
    assert_int_equal(settled.slot_s, START + 3 * HOUR);
    assert_int_equal(told_count, 1);
    must(opened.port->ops->read_schedule(opened.port, &after, &err), &err);
    assert_memory_equal(&before, &after, sizeof before);
    session.ledger = NULL;
    must(schedule_foresee(&session, START + 3 * HOUR, tell, &settled, &err), &err);
    assert_true(settled.began);
    close_ledger(&opened);
}

static void clock_that_was_ahead_does_not_stop_the_schedule(void **context)
{
    struct schedule_record schedule = {.since_s = START, .until_s = 4102444800};
    struct settled settled;
    struct err err = {0};
    (void)context;

    begin();
    assert_false(settle(START + HOUR - 1).clock_was_ahead);
    must(opened.port->ops->put_schedule(opened.port, &schedule, &err), &err);
    commit(opened.port);
    settled = settle(START + HOUR);
    assert_true(settled.clock_was_ahead);
    assert_int_equal(settled.slot_s, 0);
    must(opened.port->ops->read_schedule(opened.port, &schedule, &err), &err);
    assert_true(schedule.until_s < 4102444800);
    assert_false(settle(START + HOUR).clock_was_ahead);
    close_ledger(&opened);
}

static void run_ends_its_slot_unless_it_was_stopped(void **context)
{
    struct options with_slot = {.schedule = {.has_slot = true, .slot_s = START + HOUR}};
    struct run run = {.session = &session, .number = 7};
    struct schedule_record schedule;
    struct err err = {0};
    bool is_over;
    (void)context;

    begin();
    session.options = &with_slot;
    assert_int_equal(settle(START + HOUR).slot_s, START + HOUR);
    must(run_slot_begin(&run, &is_over, &err), &err);
    assert_true(run.holds_claim);
    assert_false(is_over);
    must(run_slot_put(&run, -1, &err), &err);
    commit(opened.port);
    assert_int_equal(slot_at(START + HOUR).fate, SLOT_CLAIMED);
    assert_int_equal(slot_at(START + HOUR).run, 7);
    run.was_stopped = true;
    must(run_slot_put(&run, 75, &err), &err);
    commit(opened.port);
    assert_true(settle(START + HOUR).goes_on);
    run.was_stopped = false;
    must(run_slot_put(&run, 3, &err), &err);
    commit(opened.port);
    assert_int_equal(slot_at(START + HOUR).fate, SLOT_RAN);
    assert_int_equal(slot_at(START + HOUR).exit_status, 3);
    must(opened.port->ops->read_schedule(opened.port, &schedule, &err), &err);
    assert_int_equal(schedule.claimed_s, 0);
    with_slot.schedule.scheduled = true;
    must(run_slot_begin(&run, &is_over, &err), &err);
    assert_true(is_over);
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(first_look_runs_nothing_of_the_past),
        SCRATCH_TEST(claimed_slot_goes_on_until_it_is_closed),
        SCRATCH_TEST(slots_during_runs_name_the_run),
        SCRATCH_TEST(a_run_that_cannot_be_read_leaves_all_slots_to_the_next_look),
        SCRATCH_TEST(a_damaged_run_concerns_itself_alone),
        SCRATCH_TEST(foreseeing_writes_nothing),
        SCRATCH_TEST(clock_that_was_ahead_does_not_stop_the_schedule),
        SCRATCH_TEST(run_ends_its_slot_unless_it_was_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
