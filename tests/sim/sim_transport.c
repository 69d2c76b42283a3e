/* The network: requests arrive, are lost, come late or twice. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

static struct sim_transport *of(struct transport *self)
{
    return (struct sim_transport *)self;
}

/* --- what is under way --- */

static struct sim_delivery *new_delivery(struct sim_transport *transport)
{
    if (transport->delivery_count == SIM_DELIVERIES_MAX)
        sim_fail(transport->sim, "more requests are under way than SIM_DELIVERIES_MAX");
    return &transport->deliveries[transport->delivery_count++];
}

static struct sim_transfer *new_transfer(struct sim_transport *transport)
{
    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++)
        if (!transport->transfers[i].live)
            return &transport->transfers[i];
    return NULL;
}

/* The item is known by its name in the path or in the body. */
static uint32_t item_of(struct sim *sim, const struct transfer_request *request)
{
    const char *at = memmem(request->path.bytes, request->path.length, "/products/", 10);
    size_t left = at == NULL ? request->body.length : request->path.length - 10;

    if (at == NULL)
        at = memmem(request->body.bytes, request->body.length, "\"name\":\"", 8);
    if (at == NULL)
        sim_fail(sim, "a write without the name of an item was sent");
    at += at[0] == '/' ? 10 : 8;
    for (uint32_t item = 1; item <= sim->item_count; item++) {
        size_t length = strlen(sim->items[item].key);

        if (length <= left && memcmp(at, sim->items[item].key, length) == 0 &&
            (at[length] == '"' || at[length] == '{'))
            return item;
    }
    sim_fail(sim, "a write of an unknown item was sent");
}

static uint32_t epoch_of(const struct transfer_request *request)
{
    const char *at = memmem(request->body.bytes, request->body.length, "\"epoch\":", 8);

    assert(at != NULL && at[8] >= '0' && at[8] < '0' + SIM_EPOCHS_MAX);
    return (uint32_t)(at[8] - '0');
}

static void deliver(struct sim_transport *transport, const struct transfer_request *request,
                    uint32_t item, uint32_t transfer, int64_t at_ms)
{
    struct sim *sim = transport->sim;
    struct sim_delivery *delivery = new_delivery(transport);

    *delivery = (struct sim_delivery){.at_ms = at_ms,
                                      .order = ++transport->order,
                                      .transfer = transfer,
                                      .item = item,
                                      .job = UINT32_MAX};
    if (item == SIM_NO_ITEM)
        return;
    if (request->remote_job != NULL) {
        delivery->job = sim_job_of_id(sim, request->remote_job);
        delivery->job_path = request->job_path;
        return;
    }
    delivery->epoch = epoch_of(request);
    delivery->body_hash = checksum64(request->body.bytes, request->body.length);
    if (request->idempotency_key != NULL)
        (void)snprintf(delivery->key, sizeof delivery->key, "%s", request->idempotency_key);
}

static void plan_transfer(struct sim_transport *transport, const struct transfer_request *request,
                          struct sim_transfer *transfer, enum sim_plan plan)
{
    struct sim *sim = transport->sim;
    uint32_t index = (uint32_t)(transfer - transport->transfers);
    int64_t there_ms = sim->now_ms + sim_draw_ms(sim, 1, sim->limits.latency_ms);
    int64_t lost_ms = there_ms + sim_draw_ms(sim, 1, request->timeout_ms);

    transfer->finish_ms = there_ms + sim_draw_ms(sim, 1, sim->limits.latency_ms);
    transfer->outcome = TRANSFER_ANSWERED;
    switch (plan) {
    case PLAN_DOUBLED:
        deliver(transport, request, transfer->item, UINT32_MAX,
                sim->now_ms + sim_draw_ms(sim, 1, SIM_TRANSIT_MAX_MS));
        deliver(transport, request, transfer->item, index, there_ms);
        break;
    case PLAN_DELIVERED:
        deliver(transport, request, transfer->item, index, there_ms);
        break;
    case PLAN_NOT_SENT:
        transfer->outcome = TRANSFER_NOT_SENT;
        break;
    case PLAN_UNTRUSTED:
        transfer->outcome = TRANSFER_UNTRUSTED;
        break;
    case PLAN_LOST_BEFORE:
        transfer->outcome = TRANSFER_LOST;
        transfer->finish_ms = lost_ms;
        break;
    case PLAN_LOST_AFTER:
        transfer->outcome = TRANSFER_LOST;
        transfer->finish_ms = lost_ms;
        deliver(transport, request, transfer->item, index, there_ms);
        break;
    case PLAN_LATE:
        transfer->outcome = TRANSFER_LOST;
        transfer->finish_ms = lost_ms;
        deliver(transport, request, transfer->item, UINT32_MAX,
                lost_ms + sim_draw_ms(sim, 1, SIM_TRANSIT_MAX_MS / 2));
        break;
    case PLAN_COUNT:
        break;
    }
}

static const char *plan_name(enum sim_plan plan)
{
    static const char *const names[PLAN_COUNT] = {
        [PLAN_DELIVERED] = "",
        [PLAN_NOT_SENT] = ", will not leave",
        [PLAN_LOST_BEFORE] = ", will be lost",
        [PLAN_LOST_AFTER] = ", the answer will be lost",
        [PLAN_LATE] = ", will arrive late",
        [PLAN_DOUBLED] = ", will arrive twice",
        [PLAN_UNTRUSTED] = ", the peer is not trusted",
    };

    return names[plan];
}

static void count_send(struct sim *sim, struct sim_item *item, enum sim_plan plan)
{
    sim_totals.sends++;
    sim_mark_sent(sim, item);
    item->sent_generation = sim->ledger.durable[item->number].item.generation;
    if (plan == PLAN_LOST_BEFORE || plan == PLAN_LOST_AFTER || plan == PLAN_LATE) {
        item->faults |= FAULT_UNKNOWN_SEND;
        item->unknown_sends++;
    }
}

/* The item that a request is about; SIM_NO_ITEM when it only asks for the server's time. */
static uint32_t subject_of(struct sim *sim, const struct transfer_request *request)
{
    if (request->remote_job != NULL)
        return sim->server.jobs[sim_job_of_id(sim, request->remote_job)].item;
    if (request->method == METHOD_GET)
        return SIM_NO_ITEM;
    return item_of(sim, request);
}

static void trace_start(struct sim *sim, const struct transfer_request *request, uint32_t item,
                        enum sim_plan plan)
{
    if (item == SIM_NO_ITEM && request->connection != UINT32_MAX)
        sim_trace(sim, "the status of %s is asked for%s",
                  sim->connections[request->connection].alias, plan_name(plan));
    else if (item == SIM_NO_ITEM)
        sim_trace(sim, "the server's time is asked for%s", plan_name(plan));
    else if (request->remote_job != NULL)
        sim_trace(sim, "item %u polls %s%s", item, request->remote_job, plan_name(plan));
    else
        sim_trace(sim, "item %u is sent %s%s", item, sim->items[item].key, plan_name(plan));
}

static enum err_code start(struct transport *self, const struct transfer_request *request,
                           struct err *err)
{
    struct sim_transport *transport = of(self);
    struct sim *sim = transport->sim;
    struct sim_transfer *transfer = new_transfer(transport);
    uint32_t item = subject_of(sim, request);
    bool polling = request->method == METHOD_GET;
    bool asks_status =
        request->remote_job == NULL && polling && slice_is(request->path, "/connections/status");
    enum sim_plan plan;

    if (transfer == NULL || transport->live_count >= sim->options.in_flight)
        sim_fail(sim, "more transfers run than in_flight %u", sim->options.in_flight);
    if (!polling)
        sim_judge_send(sim, request, item);
    sim_judge_pace(sim, request);
    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++) {
        const struct sim_transfer *other = &transport->transfers[i];

        if (other->live && other->item == item &&
            (item != SIM_NO_ITEM || (other->asks_status == asks_status &&
                                     (!asks_status || other->connection == request->connection))))
            sim_fail(sim, "item %u has two requests outstanding", item);
    }
    if (sim_crash_point(sim, "before a request leaves"))
        return err_set(err, ERR_NO_MEMORY, "the process dies here");
    plan = sim_choose_plan(sim, &sim->items[item], polling);
    *transfer = (struct sim_transfer){.live = true,
                                      .tag = request->tag,
                                      .order = ++transport->order,
                                      .item = item,
                                      .polling = polling,
                                      .asks_job = request->remote_job != NULL,
                                      .asks_status = asks_status,
                                      .connection = asks_status ? request->connection : 0,
                                      .started_ms = sim->now_ms};
    transport->live_count++;
    if (!polling)
        count_send(sim, &sim->items[item], plan);
    sim->run_sends += !polling;
    sim->run_polls += request->remote_job != NULL;
    trace_start(sim, request, item, plan);
    plan_transfer(transport, request, transfer, plan);
    if (sim_crash_point(sim, "after a request left"))
        return err_set(err, ERR_NO_MEMORY, "the process dies here");
    return ERR_OK;
}

static struct sim_transfer *next_finished(struct sim_transport *transport)
{
    struct sim_transfer *first = NULL;

    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++) {
        struct sim_transfer *transfer = &transport->transfers[i];

        if (transfer->live && transfer->finish_ms <= transport->sim->now_ms &&
            (first == NULL || transfer->finish_ms < first->finish_ms ||
             (transfer->finish_ms == first->finish_ms && transfer->order < first->order)))
            first = transfer;
    }
    return first;
}

bool sim_transport_is_finished(const struct sim_transport *transport)
{
    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++)
        if (transport->transfers[i].live &&
            transport->transfers[i].finish_ms <= transport->sim->now_ms)
            return true;
    return false;
}

static bool take(struct transport *self, struct reply *reply_out)
{
    struct sim_transport *transport = of(self);
    struct sim_transfer *transfer = next_finished(transport);

    if (transfer == NULL)
        return false;
    transfer->live = false;
    transport->live_count--;
    if (transfer->outcome == TRANSFER_ANSWERED && !transfer->answered)
        sim_fail(transport->sim, "the simulation forgot to answer item %u", transfer->item);
    *reply_out = (struct reply){.tag = transfer->tag,
                                .outcome = transfer->outcome,
                                .content_type = "",
                                .request_id = "",
                                .job_id = "",
                                .retry_after = "",
                                .date = "",
                                .failure = "it was lost",
                                .duration_ms = transport->sim->now_ms - transfer->started_ms};
    if (transfer->outcome == TRANSFER_NOT_SENT || transfer->outcome == TRANSFER_UNTRUSTED) {
        transport->sim->run_sends -= !transfer->polling;
        transport->sim->run_polls -= transfer->asks_job;
    }
    sim_judge_taken(transport->sim, transfer);
    if (transfer->outcome != TRANSFER_ANSWERED)
        return true;
    sim_judge_pause(transport->sim, transfer);
    reply_out->http_status = transfer->http_status;
    reply_out->body = slice_of(transfer->body);
    reply_out->content_type = transfer->content_type;
    reply_out->job_id = transfer->job_id;
    reply_out->retry_after = transfer->retry_after;
    reply_out->date = transfer->date;
    reply_out->failure = NULL;
    return true;
}

/* What has left arrives with even chance, once nobody waits for it. */
void sim_transport_abandon(struct sim_transport *transport)
{
    struct sim *sim = transport->sim;

    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++)
        transport->transfers[i].live = false;
    transport->live_count = 0;
    for (uint32_t i = 0; i < transport->delivery_count;) {
        struct sim_delivery *delivery = &transport->deliveries[i];

        if (delivery->transfer != UINT32_MAX && sim->script == NULL &&
            rng_below(&sim->rng, 2) == 0) {
            *delivery = transport->deliveries[--transport->delivery_count];
            continue;
        }
        delivery->transfer = UINT32_MAX;
        i++;
    }
}

static void abandon(struct transport *self)
{
    struct sim_transport *transport = of(self);

    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++)
        if (transport->transfers[i].live && !transport->transfers[i].polling)
            sim_mark_crash(transport->sim, &transport->sim->items[transport->transfers[i].item]);
    sim_transport_abandon(transport);
}

static struct sim_delivery *next_delivery(struct sim_transport *transport)
{
    struct sim_delivery *first = NULL;

    for (uint32_t i = 0; i < transport->delivery_count; i++) {
        struct sim_delivery *delivery = &transport->deliveries[i];

        if (first == NULL || delivery->at_ms < first->at_ms ||
            (delivery->at_ms == first->at_ms && delivery->order < first->order))
            first = delivery;
    }
    return first;
}

void sim_transport_advance(struct sim_transport *transport)
{
    struct sim_delivery *delivery = next_delivery(transport);

    while (delivery != NULL && delivery->at_ms <= transport->sim->now_ms) {
        struct sim_delivery arrived = *delivery;
        struct sim_transfer *transfer =
            arrived.transfer == UINT32_MAX ? NULL : &transport->transfers[arrived.transfer];

        *delivery = transport->deliveries[--transport->delivery_count];
        if (transfer != NULL && transfer->outcome != TRANSFER_ANSWERED)
            transfer = NULL;
        sim_server_receive(transport->sim, &arrived, transfer);
        delivery = next_delivery(transport);
    }
}

int64_t sim_transport_next_ms(const struct sim_transport *transport)
{
    int64_t next_ms = SIM_NEVER;

    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++)
        if (transport->transfers[i].live && transport->transfers[i].finish_ms < next_ms)
            next_ms = transport->transfers[i].finish_ms;
    for (uint32_t i = 0; i < transport->delivery_count; i++)
        if (transport->deliveries[i].at_ms < next_ms)
            next_ms = transport->deliveries[i].at_ms;
    return next_ms;
}

bool sim_transport_has_delivery(const struct sim_transport *transport, uint32_t item)
{
    for (uint32_t i = 0; i < transport->delivery_count; i++)
        if (transport->deliveries[i].item == item)
            return true;
    return false;
}

static const struct transport_ops ops = {.start = start, .take = take, .abandon = abandon};

void sim_transport_init(struct sim_transport *transport, struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++)
        transport->transfers[i].live = false;
    transport->delivery_count = 0;
    transport->base.ops = &ops;
    transport->sim = sim;
    transport->order = 0;
    transport->live_count = 0;
}
