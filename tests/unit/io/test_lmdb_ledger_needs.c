/* Needs, groups, and what a damaged record of either side does to those that wait. */
#include "ledger_fixture.h"

static void put_need_of(struct ledger *port, uint64_t number, uint64_t target)
{
    struct needs_record needs = {
        .draft_hash = {.high = number},
        .needs = {{.kind = WAIT_ITEM, .target = target, .name = SLICE("parent")}},
        .need_count = 1,
        .draft = SLICE("{\"row\":{}}")};
    struct err err = {0};

    must(port->ops->put_needs(port, number, &needs, &err), &err);
}

static uint64_t add_durable(struct ledger *port, const char *key, enum item_state state)
{
    uint64_t number = add(port, 0, 0, key, state, SLICE(""));

    commit(port);
    return number;
}

static void needs_are_read_back_until_their_item_is_dropped(void **context)
{
    struct opened opened = open_ledger();
    struct ledger *port = opened.port;
    uint64_t number = add(port, 0, 0, "child", ITEM_BLOCKED, SLICE(""));
    struct needs_record needs;
    struct buf storage;
    struct err err = {0};
    struct item item;
    (void)context;

    buf_init(&storage, 4096);
    put_need_of(port, number, 7);
    assert_int_equal(port->ops->read_needs(port, number, &storage, &needs, &err), ERR_NOT_FOUND);
    commit(port);
    must(port->ops->read_needs(port, number, &storage, &needs, &err), &err);
    assert_int_equal(needs.need_count, 1);
    assert_int_equal(needs.needs[0].target, 7);
    assert_true(slice_is(needs.needs[0].name, "parent"));
    assert_true(slice_is(needs.draft, "{\"row\":{}}"));
    item = read_item(port, number);
    must(port->ops->drop_item(port, number, &item, &err), &err);
    commit(port);
    assert_int_equal(port->ops->read_needs(port, number, &storage, &needs, &err), ERR_NOT_FOUND);
    buf_deinit(&storage);
    close_ledger(&opened);
}

/* Whoever comes behind it in an order then waits for the one before it. */
static void the_needs_of_a_dropped_item_with_dependents_stay(void **context)
{
    struct opened opened = open_ledger();
    struct ledger *port = opened.port;
    uint64_t number = add_durable(port, "middle", ITEM_READY);
    struct item before = read_item(port, number), item = before;
    struct needs_record needs;
    struct buf storage;
    struct err err = {0};
    (void)context;

    buf_init(&storage, 4096);
    put_need_of(port, number, 7);
    item.has_dependents = true;
    must(port->ops->put_item(port, number, &before, &item, &err), &err);
    must(port->ops->drop_item(port, number, &item, &err), &err);
    commit(port);
    assert_int_equal(port->ops->read_item(port, number, &item, &err), ERR_NOT_FOUND);
    must(port->ops->read_needs(port, number, &storage, &needs, &err), &err);
    assert_int_equal(needs.needs[0].target, 7);
    buf_deinit(&storage);
    close_ledger(&opened);
}

static void a_group_knows_its_last_item_before_it_is_durable(void **context)
{
    struct opened opened = open_ledger();
    struct ledger *port = opened.port;
    struct hash128 group = {.high = 1, .low = 2}, other = {.high = 1, .low = 3};
    struct err err = {0};
    uint64_t number = 0;
    (void)context;

    assert_int_equal(port->ops->find_group(port, 1, 2, group, &number, &err), ERR_NOT_FOUND);
    must(port->ops->put_group(port, 1, 2, group, 40, &err), &err);
    must(port->ops->find_group(port, 1, 2, group, &number, &err), &err);
    assert_int_equal(number, 40);
    must(port->ops->put_group(port, 1, 2, group, 41, &err), &err);
    commit(port);
    close_ledger(&opened);
    opened = open_with(false, 0);
    port = opened.port;
    must(port->ops->find_group(port, 1, 2, group, &number, &err), &err);
    assert_int_equal(number, 41);
    assert_int_equal(port->ops->find_group(port, 1, 2, other, &number, &err), ERR_NOT_FOUND);
    assert_int_equal(port->ops->find_group(port, 2, 2, group, &number, &err), ERR_NOT_FOUND);
    assert_int_equal(port->ops->find_group(port, 1, 1, group, &number, &err), ERR_NOT_FOUND);
    close_ledger(&opened);
}

static void who_waits_for_another_thing_changes_its_place_in_the_index(void **context)
{
    struct opened opened = open_ledger();
    struct ledger *port = opened.port;
    uint64_t number = add_durable(port, "child", ITEM_BLOCKED), found = 0;
    struct item before = read_item(port, number), item = before;
    struct err err = {0};
    (void)context;

    must(port->ops->next_blocked(port, WAIT_NONE, 0, 0, &found, &item, &err), &err);
    assert_int_equal(found, number);
    item.waits_on = WAIT_JOB;
    item.waits_for = 3;
    must(port->ops->put_item(port, number, &before, &item, &err), &err);
    commit(port);
    assert_int_equal(port->ops->next_blocked(port, WAIT_NONE, 0, 0, &found, &before, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(port->ops->next_blocked(port, WAIT_ITEM, 3, 0, &found, &before, &err),
                     ERR_NOT_FOUND);
    must(port->ops->next_blocked(port, WAIT_JOB, 3, 0, &found, &before, &err), &err);
    assert_int_equal(port->ops->next_blocked(port, WAIT_JOB, 3, number, &found, &before, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(port->ops->next_blocked(port, WAIT_JOB, 3, UINT64_MAX, &found, &before, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(count_of(port, 0, 0, ITEM_BLOCKED), 1);
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(needs_are_read_back_until_their_item_is_dropped),
        SCRATCH_TEST(the_needs_of_a_dropped_item_with_dependents_stay),
        SCRATCH_TEST(a_group_knows_its_last_item_before_it_is_durable),
        SCRATCH_TEST(who_waits_for_another_thing_changes_its_place_in_the_index),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger_needs", tests, NULL, NULL);
}
