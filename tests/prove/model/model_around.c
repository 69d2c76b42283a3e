/* What happens around purser: the network, the server, the clocks. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static bool has_keys(const struct local *local)
{
    return local->kind != KIND_UNKEYED && local->kind != KIND_NATURAL;
}

static void do_effect(struct local *local)
{
    if (local->kind == KIND_NATURAL)
        local->effects = 1;
    else if (local->effects < 2)
        local->effects++;
}

/* --- the network --- */

static struct copy take_copy(struct world *world, uint32_t item, uint32_t index, bool is_doubled)
{
    struct copy *copy = &world->items[item].copies[index];
    struct copy taken = *copy;

    if (is_doubled)
        copy->is_awaited = 0;
    else
        *copy = (struct copy){0};
    return taken;
}

/* Emits the world as it is after the request was looked at, once for each answer. */
static void answer(struct model *model, const struct world *after, uint32_t item,
                   const struct copy *copy, enum situation situation, const char *text,
                   bool is_fault)
{
    for (uint8_t i = model->readings.first[situation]; i < model->readings.first[situation + 1];
         i++) {
        struct world next = *after;
        struct local *local = &next.items[item];

        if (local->place != PLACE_ON_WIRE || local->reply != 0 ||
            !(copy->is_awaited || model->rules->takes_late_answers))
            return;
        local->reply = (uint8_t)(i + 1);
        local->reply_key = copy->key;
        model_emit(model, &next, text, model->readings.list[i].rule, item, is_fault);
    }
}

static void receive_known(struct model *model, struct world *after, uint32_t item,
                          const struct copy *copy)
{
    const struct remote *remote = &after->items[item].remotes[copy->key];

    if (remote->body != copy->body) {
        answer(model, after, item, copy, SAYS_CONFLICT, "key is known, body is not: %s", false);
        return;
    }
    answer(model, after, item, copy, SAYS_ACCEPTED, "key is known, job is named again: %s", false);
    if (remote->status == JOB_SUCCEEDED)
        answer(model, after, item, copy, SAYS_DONE, "key is known, result is given again: %s",
               false);
}

static void receive_new(struct model *model, struct world *after, uint32_t item,
                        const struct copy *copy)
{
    struct local *local = &after->items[item];

    local->remotes[copy->key] = (struct remote){.status = JOB_RUNNING, .body = copy->body};
    model_emit(model, after, "write is accepted, no answer gets through", NULL, item, true);
    answer(model, after, item, copy, SAYS_ACCEPTED, "write is accepted: %s", false);
    answer(model, after, item, copy, SAYS_NOTHING, "write is accepted, but the answer is: %s",
           true);
    do_effect(local);
    local->remotes[copy->key].status = JOB_SUCCEEDED;
    answer(model, after, item, copy, SAYS_DONE, "write is done at once: %s", false);
}

static void deliver(struct model *model, uint32_t item, uint32_t index, bool is_doubled)
{
    const struct remote *remote;
    struct world after = *model->from;
    struct local *local = &after.items[item];
    struct copy copy = take_copy(&after, item, index, is_doubled);

    remote = &local->remotes[copy.key];
    model_emit(model, &after, "request or its answer is lost", NULL, item, true);
    answer(model, &after, item, &copy, SAYS_NOTHING, "write is not looked at: %s", true);
    if (local->kind != KIND_DOUBLED)
        answer(model, &after, item, &copy, SAYS_NOT_ACCEPTED, "write is refused: %s", true);
    if (has_keys(local) && remote->status != JOB_NONE && !remote->is_forgotten)
        receive_known(model, &after, item, &copy);
    else
        receive_new(model, &after, item, &copy);
}

static void network_moves(struct model *model, uint32_t item)
{
    const struct local *local = &model->from->items[item];

    for (uint32_t i = 0; i < COPIES_MAX; i++) {
        if (local->copies[i].key == 0)
            continue;
        deliver(model, item, i, false);
        if (local->kind == KIND_DOUBLED || model->rules->network_doubles)
            deliver(model, item, i, true);
    }
}

/* --- the server --- */

static void finish_job(struct model *model, uint32_t item, uint32_t key)
{
    static const struct {
        enum job_status status;
        bool has_effect;
        const char *text;
    } ends[] = {{JOB_SUCCEEDED, true, "remote job succeeds"},
                {JOB_PARTIAL, true, "remote job succeeds in part"},
                {JOB_REFUSED, false, "remote job is refused"},
                {JOB_THROTTLED, false, "remote job meets the platform's limit"},
                {JOB_ERROR, false, "remote job fails without a trace"},
                {JOB_ERROR, true, "remote job fails, but it has written"}};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct world next = *model->from;
        struct local *local = &next.items[item];

        local->remotes[key].status = (uint8_t)ends[i].status;
        if (ends[i].has_effect)
            do_effect(local);
        model_emit(model, &next, ends[i].text, NULL, item, false);
    }
}

static void server_moves(struct model *model, uint32_t item)
{
    for (uint32_t key = 1; key <= GENERATIONS_MAX; key++) {
        const struct remote *remote = &model->from->items[item].remotes[key];
        struct world next = *model->from;

        if (remote->status == JOB_NONE)
            continue;
        if (remote->status == JOB_RUNNING)
            finish_job(model, item, key);
        if (!remote->is_forgotten && has_keys(&model->from->items[item]) &&
            (remote->age >= RETENTION_TICKS || model->rules->forgets_early)) {
            next.items[item].remotes[key].is_forgotten = 1;
            model_emit(model, &next, "server forgets the key", NULL, item, true);
        }
        next = *model->from;
        if (!remote->is_lost) {
            next.items[item].remotes[key].is_lost = 1;
            model_emit(model, &next, "server loses the remote job", NULL, item, true);
        }
    }
}

/* --- time --- */

static void pass_time(struct model *model)
{
    struct world next = *model->from;

    for (uint32_t i = 0; i < model->items; i++) {
        struct local *local = &next.items[i];

        for (uint32_t k = 0; k < COPIES_MAX; k++) {
            struct copy *copy = &local->copies[k];

            if (copy->key == 0 || model->rules->delays_without_end)
                continue;
            if (copy->age == TRANSIT_TICKS)
                *copy = (struct copy){0};
            else
                copy->age++;
        }
        for (uint32_t key = 1; key <= GENERATIONS_MAX; key++) {
            struct remote *remote = &local->remotes[key];

            if (remote->status != JOB_NONE && remote->age < RETENTION_TICKS && has_keys(local))
                remote->age++;
        }
        model_age_value(&local->disk);
        model_age_value(&local->memory);
        model_age_value(&local->staged);
    }
    model_emit(model, &next, "a tick passes", NULL, SHARED_ACTION, false);
}

static void set_clock(struct model *model)
{
    for (uint8_t skew = 0; skew <= 2 * SKEW_TICKS; skew++) {
        struct world next = *model->from;
        int ticks = skew - next.shared.skew;

        if (ticks == 0)
            continue;
        next.shared.skew = skew;
        next.shared.was_set = 1;
        for (uint32_t i = 0; i < model->items; i++) {
            model_turn_clock(&next.items[i].disk, ticks);
            model_turn_clock(&next.items[i].memory, ticks);
            model_turn_clock(&next.items[i].staged, ticks);
        }
        model_emit(model, &next,
                   ticks < 0 ? "the host's clock is set back" : "the host's clock is set forward",
                   NULL, SHARED_ACTION, true);
    }
}

static void boot_anew(struct model *model)
{
    struct world next = *model->from;

    if (next.shared.up)
        return;
    for (uint32_t i = 0; i < model->items; i++)
        next.items[i].disk.this_boot = 0;
    model_emit(model, &next, "the machine boots anew", NULL, SHARED_ACTION, true);
}

void model_around_moves(struct model *model)
{
    bool is_timeless = false;

    for (uint32_t i = 0; i < model->items; i++) {
        network_moves(model, i);
        server_moves(model, i);
        is_timeless = is_timeless || model->from->items[i].kind == KIND_TIMELESS;
    }
    pass_time(model);
    boot_anew(model);
    if (model->with_clock && !is_timeless)
        set_clock(model);
}
