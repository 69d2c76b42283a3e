#include "purser/cli/ledger_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 4 };

enum record { ATTEMPT, REQUEST, RESULT, NEEDS, RECORD_COUNT };

/* A ledger of items 1 to 4: all of them succeeded, with every record. */
static struct {
    enum err_code codes[RECORD_COUNT]; /* of the records of item 2 */
    enum err_code counts_code, item_code;
    bool is_stuck;                    /* item 1 comes again and again */
    bool is_damaged, last_is_damaged; /* item 2, the last one */
    unsigned attempts;
} world;

static int setup(void **context)
{
    (void)context;
    memset(&world, 0, sizeof world);
    world.attempts = 2;
    return 0;
}

static enum err_code code_of(enum err_code code, struct err *err)
{
    return code == ERR_OK || code == ERR_NOT_FOUND ? code : err_set(err, code, "broken");
}

static enum err_code read_record(enum record record, uint64_t number, struct err *err)
{
    return code_of(number == 2 ? world.codes[record] : ERR_OK, err);
}

static enum err_code next_item(struct ledger *self, uint64_t after, uint64_t *number_out,
                               struct item *item_out, struct err *err)
{
    (void)self;
    if (after == ITEMS)
        return ERR_NOT_FOUND;
    *number_out = world.is_stuck ? 1 : after + 1;
    *item_out = (struct item){.state = ITEM_SUCCEEDED};
    if ((world.is_damaged && *number_out == 2) || (world.last_is_damaged && *number_out == ITEMS))
        *item_out = (struct item){.state = ITEM_IN_DOUBT, .reason = REASON_RECORD_DAMAGED};
    return after == 2 ? code_of(world.item_code, err) : ERR_OK;
}

static enum err_code read_attempt(struct ledger *self, uint64_t number, uint32_t index,
                                  struct buf *storage, struct attempt_record *attempt_out,
                                  struct err *err)
{
    (void)self, (void)storage, (void)attempt_out;
    assert_true(index < ATTEMPTS_KEPT_MAX);
    return index >= world.attempts ? ERR_NOT_FOUND : read_record(ATTEMPT, number, err);
}

static enum err_code read_request(struct ledger *self, uint64_t number, struct buf *storage,
                                  struct frozen_request *request_out, struct err *err)
{
    (void)self, (void)storage, (void)request_out;
    return read_record(REQUEST, number, err);
}

static enum err_code read_result(struct ledger *self, uint64_t number, struct buf *storage,
                                 struct result_record *result_out, struct err *err)
{
    (void)self, (void)storage, (void)result_out;
    return read_record(RESULT, number, err);
}

static enum err_code read_needs(struct ledger *self, uint64_t number, struct buf *storage,
                                struct needs_record *needs_out, struct err *err)
{
    (void)self, (void)storage, (void)needs_out;
    return read_record(NEEDS, number, err);
}

static enum err_code read_counts(struct ledger *self, uint32_t job, uint32_t connection,
                                 struct item_counts *counts_out, struct err *err)
{
    (void)self, (void)job, (void)connection;
    *counts_out = (struct item_counts){{0}};
    counts_out->by_state[ITEM_SUCCEEDED] = ITEMS;
    return code_of(world.counts_code, err);
}

static const struct ledger_ops ops = {.next_item = next_item,
                                      .read_attempt = read_attempt,
                                      .read_request = read_request,
                                      .read_result = read_result,
                                      .read_needs = read_needs,
                                      .counts = read_counts};

static struct ledger_walk walk_until(int64_t until_boot_ms)
{
    struct ledger ledger = {.ops = &ops};
    struct ledger_walk walk = {0};

    ledger_walk_all(&ledger, until_boot_ms, &walk);
    return walk;
}

static struct ledger_walk walk_all(void)
{
    return walk_until(INT64_MAX);
}

static void a_sound_ledger_is_read_to_its_end(void **context)
{
    struct ledger_walk walk = walk_all();

    (void)context;
    assert_true(walk.ended);
    assert_int_equal(walk.err.code, ERR_OK);
    assert_int_equal(walk.item_count, ITEMS);
    assert_int_equal(walk.damaged_count, 0);
    assert_memory_equal(&walk.counted, &walk.kept, sizeof walk.kept);
}

static void an_item_need_not_have_all_records(void **context)
{
    (void)context;
    world.codes[REQUEST] = world.codes[RESULT] = world.codes[NEEDS] = ERR_NOT_FOUND;
    world.attempts = ATTEMPTS_KEPT_MAX + 1;
    assert_true(walk_all().ended);
    assert_int_equal(walk_all().damaged_count, 0);
}

static void a_damaged_record_is_counted_and_the_rest_is_read(void **context)
{
    (void)context;
    for (int record = 0; record < RECORD_COUNT; record++) {
        struct ledger_walk walk;

        setup(NULL);
        world.codes[record] = ERR_DAMAGED;
        walk = walk_all();
        assert_true(walk.ended);
        assert_int_equal(walk.err.code, ERR_OK);
        assert_int_equal(walk.item_count, ITEMS);
        assert_int_equal(walk.damaged_count, 1);
        assert_int_equal(walk.first_damaged, 2);
    }
    setup(NULL);
    world.is_damaged = true;
    assert_int_equal(walk_all().damaged_count, 1);
}

static void the_first_of_several_is_named(void **context)
{
    struct ledger_walk walk;

    (void)context;
    world.is_damaged = true;
    world.last_is_damaged = true;
    walk = walk_all();
    assert_int_equal(walk.damaged_count, 2);
    assert_int_equal(walk.first_damaged, 2);
}

static void a_lack_of_memory_is_no_damage(void **context)
{
    (void)context;
    for (int record = 0; record < RECORD_COUNT; record++) {
        struct ledger_walk walk;

        setup(NULL);
        world.codes[record] = ERR_NO_MEMORY;
        walk = walk_all();
        assert_false(walk.ended);
        assert_int_equal(walk.err.code, ERR_NO_MEMORY);
        assert_int_equal(walk.damaged_count, 0);
    }
}

static void what_cannot_be_read_on_is_told(void **context)
{
    struct ledger_walk walk;

    (void)context;
    world.item_code = ERR_STORAGE;
    walk = walk_all();
    assert_false(walk.ended);
    assert_int_equal(walk.err.code, ERR_STORAGE);
    assert_int_equal(walk.item_count, 2);
    setup(NULL);
    world.counts_code = ERR_STORAGE;
    walk = walk_all();
    assert_int_equal(walk.err.code, ERR_STORAGE);
    assert_int_equal(walk.item_count, 0);
}

static void items_that_go_round_in_a_circle_are_an_error(void **context)
{
    struct ledger_walk walk;

    (void)context;
    world.is_stuck = true;
    walk = walk_all();
    assert_false(walk.ended);
    assert_int_equal(walk.err.code, ERR_STORAGE);
    assert_string_equal(walk.err.text, "its items are not in order");
}

static void it_stops_when_the_time_is_over(void **context)
{
    struct ledger_walk walk;

    (void)context;
    walk = walk_until(0);
    assert_false(walk.ended);
    assert_int_equal(walk.err.code, ERR_OK);
    assert_int_equal(walk.item_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sound_ledger_is_read_to_its_end, setup),
        cmocka_unit_test_setup(an_item_need_not_have_all_records, setup),
        cmocka_unit_test_setup(a_damaged_record_is_counted_and_the_rest_is_read, setup),
        cmocka_unit_test_setup(the_first_of_several_is_named, setup),
        cmocka_unit_test_setup(a_lack_of_memory_is_no_damage, setup),
        cmocka_unit_test_setup(what_cannot_be_read_on_is_told, setup),
        cmocka_unit_test_setup(items_that_go_round_in_a_circle_are_an_error, setup),
        cmocka_unit_test_setup(it_stops_when_the_time_is_over, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
