/* Items that wait for others, and a renderer that says what a test wants. */
#ifndef PURSER_TESTS_WAITING_BENCH_H
#define PURSER_TESTS_WAITING_BENCH_H

#include "engine_bench.h"

static inline uint64_t add_waiting(uint32_t job, enum wait_kind kind, uint64_t target,
                                   bool ordering)
{
    uint64_t number = add(job, 0, ITEM_BLOCKED);
    struct item *item = &bench.ledger.newest[number];

    item->has_needs = true;
    item->waits_on = kind;
    item->waits_for = target;
    bench.ledger.has_needs[number] = true;
    bench.ledger.newest_needs[number] = (struct needs_record){
        .needs = {{.kind = kind, .ordering = ordering, .target = target}}, .need_count = 1};
    if (kind == WAIT_ITEM && target <= bench.ledger.count)
        bench.ledger.newest[target].has_dependents = true;
    make_durable(&bench.ledger);
    return number;
}

static inline uint64_t add_child(uint64_t parent)
{
    return add_waiting(0, WAIT_ITEM, parent, false);
}

static inline void put_durable(uint64_t number, enum item_state state)
{
    bench.ledger.newest[number].state = state;
    make_durable(&bench.ledger);
}

/* Of a parent that has succeeded; what they need cannot be read. */
static inline void add_damaged_children(uint64_t *blocked_out, uint64_t *ready_out)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED);

    *blocked_out = add_child(parent);
    *ready_out = add_child(parent);
    bench.ledger.newest[parent].release_due = true;
    bench.ledger.needs_damaged[*blocked_out] = bench.ledger.needs_damaged[*ready_out] = true;
    bench.ledger.newest[*ready_out].waits_on = WAIT_NONE;
    bench.ledger.newest[*ready_out].waits_for = 0;
    put_durable(*ready_out, ITEM_READY);
}

static inline enum item_state state_of(uint64_t number)
{
    return bench.ledger.durable[number].state;
}

static inline void succeed(size_t index)
{
    answer(index, 201, "{\"product\":{}}");
    settle();
}

static enum err_code rendering;
static unsigned rendered;

static inline enum err_code render(struct renderer *self, uint64_t number, const struct item *item,
                                   const struct needs_record *needs,
                                   struct frozen_request *request_inout, char *problem,
                                   size_t problem_size, struct err *err)
{
    (void)self;
    (void)err;
    assert_true(item->state == ITEM_BLOCKED || (item->state == ITEM_READY && item->corrected));
    assert_true(slice_is(needs->draft, "draft"));
    assert_int_equal(needs->need_count, 1);
    assert_true(number > 0 && request_inout->key.length > 0);
    rendered++;
    (void)snprintf(problem, problem_size, "no id in it");
    request_inout->body = SLICE("{\"product\":{\"parent\":1}}");
    return rendering;
}

static const struct renderer_ops renderer_ops = {.render = render};
static struct renderer renderer = {.ops = &renderer_ops};

static inline uint64_t add_draft(uint64_t parent)
{
    uint64_t number = add_child(parent);

    bench.ledger.newest_needs[number].draft = SLICE("draft");
    make_durable(&bench.ledger);
    bench.options.renderer = &renderer;
    rendering = ERR_OK;
    rendered = 0;
    return number;
}

#endif
