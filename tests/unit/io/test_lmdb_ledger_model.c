/* Random changes of many items beside a model of what must be in the ledger. */
#include "ledger_fixture.h"

#define ITEMS 1000
#define JOBS 2
#define CONNECTIONS 3
#define TARGETS 5

struct model {
    bool there;
    struct item item;
};

static uint32_t draw(uint64_t *random, uint32_t below_this)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33) % below_this;
}

static void check_indexes(struct ledger *port, const struct model *model)
{
    struct err err = {0};
    uint64_t number = 0, after;
    struct item item;

    for (uint32_t connection = 0; connection < CONNECTIONS; connection++) {
        after = 0;
        for (uint64_t i = 1; i <= ITEMS; i++) {
            if (!model[i].there || model[i].item.state != ITEM_READY ||
                model[i].item.connection != connection)
                continue;
            must(port->ops->next_ready(port, connection, after, &number, &item, &err), &err);
            assert_int_equal(number, i);
            assert_int_equal(item.state, ITEM_READY);
            after = number;
        }
        assert_int_equal(port->ops->next_ready(port, connection, after, &number, &item, &err),
                         ERR_NOT_FOUND);
    }
    after = 0;
    for (uint64_t i = 1; i <= ITEMS; i++) {
        if (!model[i].there || !item_state_is_active(model[i].item.state))
            continue;
        must(port->ops->next_active(port, after, &number, &item, &err), &err);
        assert_int_equal(number, i);
        after = number;
    }
    assert_int_equal(port->ops->next_active(port, after, &number, &item, &err), ERR_NOT_FOUND);
}

static void check_waits(struct ledger *port, const struct model *model)
{
    uint64_t number = 0, after;
    struct err err = {0};
    struct item item;

    for (unsigned wait = 0; wait < WAIT_KIND_COUNT * TARGETS; wait++) {
        enum wait_kind kind = (enum wait_kind)(wait / TARGETS);
        uint64_t target = wait % TARGETS;

        after = 0;
        for (uint64_t i = 1; i <= ITEMS; i++) {
            if (!model[i].there || model[i].item.state != ITEM_BLOCKED ||
                model[i].item.waits_on != kind || model[i].item.waits_for != target)
                continue;
            must(port->ops->next_blocked(port, kind, target, after, &number, &item, &err), &err);
            assert_int_equal(number, i);
            after = number;
        }
        assert_int_equal(port->ops->next_blocked(port, kind, target, after, &number, &item, &err),
                         ERR_NOT_FOUND);
    }
    after = 0;
    for (uint64_t i = 1; i <= ITEMS; i++) {
        if (!model[i].there || !model[i].item.release_due)
            continue;
        must(port->ops->next_release(port, after, &number, &item, &err), &err);
        assert_int_equal(number, i);
        after = number;
    }
    assert_int_equal(port->ops->next_release(port, after, &number, &item, &err), ERR_NOT_FOUND);
}

/* Any state, and what belongs to it. */
static void change_at_random(struct item *item, uint64_t *random)
{
    item->state = (enum item_state)draw(random, ITEM_STATE_COUNT);
    item->generation++;
    item->waits_on = WAIT_NONE;
    item->waits_for = 0;
    if (item->state == ITEM_BLOCKED) {
        item->waits_on = (enum wait_kind)draw(random, WAIT_KIND_COUNT);
        item->waits_for = draw(random, TARGETS);
    }
    item->release_due = item_state_is_over(item->state) && draw(random, 2) == 0;
}

static void check_against(struct ledger *port, const struct model *model)
{
    uint64_t recount[JOBS][CONNECTIONS][ITEM_STATE_COUNT] = {0}, number = 0, after = 0;
    struct err err = {0};
    struct item item;

    for (uint64_t i = 1; i <= ITEMS; i++) {
        if (!model[i].there) {
            assert_int_equal(port->ops->read_item(port, i, &item, &err), ERR_NOT_FOUND);
            continue;
        }
        must(port->ops->next_item(port, after, &number, &item, &err), &err);
        assert_int_equal(number, i);
        assert_int_equal(item.state, model[i].item.state);
        assert_int_equal(item.generation, model[i].item.generation);
        item = read_item(port, i);
        assert_int_equal(item.state, model[i].item.state);
        recount[item.job][item.connection][item.state]++;
        after = i;
    }
    assert_int_equal(port->ops->next_item(port, after, &number, &item, &err), ERR_NOT_FOUND);
    for (uint32_t job = 0; job < JOBS; job++)
        for (uint32_t connection = 0; connection < CONNECTIONS; connection++)
            for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
                assert_int_equal(count_of(port, job, connection, (enum item_state)state),
                                 recount[job][connection][state]);
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        assert_int_equal(count_of(port, UINT32_MAX, 1, (enum item_state)state),
                         recount[0][1][state] + recount[1][1][state]);
        assert_int_equal(count_of(port, 1, UINT32_MAX, (enum item_state)state),
                         recount[1][0][state] + recount[1][1][state] + recount[1][2][state]);
    }
    check_indexes(port, model);
    check_waits(port, model);
}

static void a_thousand_items_live_and_every_view_of_them_agrees(void **context)
{
    struct model *model = mem_new(ITEMS + 1, sizeof *model);
    struct opened opened = open_ledger();
    uint64_t random = 20261126, total = 0;
    char key[32];
    (void)context;

    for (uint64_t i = 1; i <= ITEMS; i++) {
        uint32_t job = draw(&random, JOBS), connection = draw(&random, CONNECTIONS);

        (void)snprintf(key, sizeof key, "sku-%d", (int)i);
        assert_int_equal(add(opened.port, job, connection, key, ITEM_READY, SLICE("{}")), i);
        model[i] = (struct model){true, item_new(job, connection, (struct hash128){0}, 1)};
    }
    commit(opened.port);
    check_against(opened.port, model);
    for (int step = 0; step < 20 * ITEMS; step++) {
        uint64_t i = 1 + draw(&random, ITEMS);
        struct err err = {0};

        if (!model[i].there)
            continue;
        if (draw(&random, 100) == 0 && !item_state_is_active(model[i].item.state)) {
            must(opened.port->ops->drop_item(opened.port, i, &model[i].item, &err), &err);
            model[i].there = false;
        } else {
            struct item before = model[i].item;

            change_at_random(&model[i].item, &random);
            must(opened.port->ops->put_item(opened.port, i, &before, &model[i].item, &err), &err);
        }
        if (draw(&random, 50) == 0)
            commit(opened.port);
    }
    commit(opened.port);
    check_against(opened.port, model);
    close_ledger(&opened);

    opened = open_ledger();
    check_against(opened.port, model);
    for (uint64_t i = 1; i <= ITEMS; i++)
        total += model[i].there;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        total -= count_of(opened.port, UINT32_MAX, UINT32_MAX, (enum item_state)state);
    assert_int_equal(total, 0);
    assert_int_equal(add(opened.port, 0, 0, "new", ITEM_READY, SLICE("{}")), ITEMS + 1);
    close_ledger(&opened);
    mem_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_thousand_items_live_and_every_view_of_them_agrees),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger_model", tests, NULL, NULL);
}
