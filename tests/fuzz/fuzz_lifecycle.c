/* The life of one item as bytes tell it: what comes next, how long it takes, what the server
 * answers and what a person does. prove-model looks at all short histories with small numbers; this
 * looks at long ones with any numbers: times in milliseconds, many copies, attempts and
 * generations.
 *
 * Laws: at most one effect; a success has had one, a failure, what was cancelled and what is still
 * to be sent none; and the life cycle takes every event that can happen, without an assertion. The
 * world is as the guarantee assumes it (A1-A6, one copy a send, persons tell the truth). */
#include <string.h>

#include "answer_truth.h"
#include "fuzz.h"
#include "purser/core/key_age.h"
#include "purser/core/lifecycle.h"

enum { COPIES_MAX = 16, JOBS_MAX = 64, TRANSIT_MS = 15 * 60 * 1000, HOUR_MS = 3600000 };
#define START_MS INT64_C(1795000000000)
#define SKEW_MAX_MS (INT64_C(400) * 24 * HOUR_MS)

enum job_status { RUNNING, SUCCEEDED, PARTIAL, REFUSED, THROTTLED, FAILED };

struct copy {
    uint32_t generation, body;
    int64_t sent_ms;
    bool is_awaited;
};

struct job {
    uint32_t generation, body;
    enum job_status status;
    int64_t accepted_ms;
};

struct world {
    const uint8_t *bytes;
    size_t length;
    struct policy policy;
    struct item disk, memory, staged;
    bool up, is_loaded, is_dirty, on_wire, intent_open, is_server_stamp;
    int64_t now_ms, skew_ms, boot_zero_ms;
    uint32_t boot;
    bool clock_known;
    struct copy copies[COPIES_MAX];
    uint32_t copy_count;
    struct job jobs[JOBS_MAX];
    uint32_t job_count;
    uint32_t effects;
};

static uint8_t take(struct world *world)
{
    if (world->length == 0)
        return 0;
    world->length--;
    return *world->bytes++;
}

/* Mostly around what decides: nothing, moments, the window, days. */
static int64_t take_ms(struct world *world)
{
    static const int64_t units[] = {1, 1000, 60000, HOUR_MS};
    uint8_t byte = take(world);

    return units[byte & 3] * (byte >> 2);
}

static struct key_clock clock_of(const struct world *world)
{
    int64_t wall_ms = world->now_ms + world->skew_ms;

    return (struct key_clock){.wall_ms = wall_ms,
                              .boot_ms = world->now_ms - world->boot_zero_ms,
                              .boot = world->boot,
                              .server_ms = world->clock_known ? world->now_ms : wall_ms,
                              .server_known = world->clock_known};
}

static struct item_event event_of(struct world *world, enum item_event_kind kind)
{
    struct key_clock clock = clock_of(world);

    return (struct item_event){.kind = kind,
                               .now_ms = clock.wall_ms,
                               .server_now_ms = clock.server_ms,
                               .boot_now_ms = clock.boot_ms,
                               .boot = clock.boot,
                               .run = 1,
                               .delay_ms = -1,
                               .random = take(world) * 0x01010101u,
                               .request_hash = world->memory.request_hash,
                               .key_age_ms =
                                   key_age_ms(&world->memory, world->is_server_stamp, &clock)};
}

static enum effect apply(struct world *world, struct item_event event)
{
    struct item before = world->memory;
    struct step step = lifecycle_step(&before, &event, &world->policy);

    LAW(step.legal);
    world->memory = step.item;
    if (lifecycle_must_be_stored(&before, &step.item)) {
        world->staged = step.item;
        world->is_dirty = true;
    }
    if (step.item.state == ITEM_SENDING &&
        (before.state != ITEM_SENDING || before.generation != step.item.generation)) {
        world->intent_open = true;
        world->is_server_stamp = world->clock_known;
    }
    return step.effect;
}

static void check(const struct world *world)
{
    const struct item *item = world->is_loaded ? &world->memory : &world->disk;

    LAW(world->effects <= 1);
    switch (item->state) {
    case ITEM_BLOCKED:
    case ITEM_READY:
    case ITEM_FAILED:
    case ITEM_SKIPPED:
        LAW(world->effects == 0);
        break;
    case ITEM_SUCCEEDED:
        LAW(world->effects == 1);
        break;
    case ITEM_CANCELLED:
        LAW(world->effects == 0 || item->reason == REASON_ABANDONED);
        break;
    case ITEM_SENDING:
    case ITEM_WAITING:
    case ITEM_IN_DOUBT:
    case ITEM_STATE_COUNT:
        break;
    }
}

/* --- the process --- */

static void commit(struct world *world)
{
    if (world->is_dirty)
        world->disk = world->staged;
    world->is_dirty = world->intent_open = false;
    world->disk.missing_count = 0; /* is not stored */
    if (world->is_loaded && !item_state_is_active(world->memory.state))
        world->is_loaded = false;
}

static void stop_waiting(struct world *world)
{
    for (uint32_t i = 0; i < world->copy_count; i++)
        world->copies[i].is_awaited = false;
    world->on_wire = false;
}

static void learn_clock(struct world *world)
{
    struct key_clock clock;

    world->clock_known = true;
    if (!world->is_loaded || world->is_server_stamp || world->memory.state != ITEM_SENDING ||
        world->memory.intent_boot != world->boot)
        return;
    clock = clock_of(world);
    world->is_server_stamp = true;
    if (!key_age_correct_intent(&world->memory, &clock))
        return;
    world->staged = world->memory;
    world->is_dirty = world->intent_open = true;
}

static void begin_run(struct world *world)
{
    world->up = true;
    if (!item_state_is_active(world->disk.state))
        return;
    world->memory = world->disk;
    world->is_loaded = true;
    apply(world, event_of(world, EVENT_RESTARTED));
}

static void crash(struct world *world)
{
    stop_waiting(world);
    world->up = world->is_loaded = world->is_dirty = world->intent_open = false;
    world->is_server_stamp = world->clock_known = false;
    if ((take(world) & 1) != 0) {
        world->boot++;
        world->boot_zero_ms = world->now_ms - take_ms(world);
    }
}

static void start(struct world *world)
{
    if (world->is_loaded || world->disk.state != ITEM_READY)
        return;
    world->memory = world->disk;
    world->is_loaded = true;
    apply(world, event_of(world, EVENT_START));
}

static void drop_copy(struct world *world, uint32_t index)
{
    world->copies[index] = world->copies[--world->copy_count];
}

static void send(struct world *world)
{
    if (!world->is_loaded || world->on_wire || world->memory.state != ITEM_SENDING ||
        world->intent_open || !world->clock_known || world->copy_count == COPIES_MAX)
        return;
    if (apply(world, event_of(world, EVENT_DUE)) != EFFECT_SEND)
        return;
    if (take(world) < 32) {
        apply(world, event_of(world, EVENT_NOT_SENT));
        return;
    }
    LAW(world->disk.state == ITEM_SENDING && world->disk.generation == world->memory.generation);
    world->on_wire = true;
    world->copies[world->copy_count++] =
        (struct copy){.generation = world->memory.generation,
                      .body = (uint32_t)world->memory.request_hash.low,
                      .sent_ms = world->now_ms,
                      .is_awaited = true};
}

/* --- the server --- */

static int64_t retention_ms(const struct world *world)
{
    return world->policy.key_window_ms + TRANSIT_MS;
}

static struct job *job_of(struct world *world, const struct copy *copy)
{
    for (uint32_t i = world->job_count; i-- > 0;)
        if (world->policy.repeatable && world->jobs[i].generation == copy->generation &&
            world->now_ms - world->jobs[i].accepted_ms < retention_ms(world))
            return &world->jobs[i];
    return NULL;
}

static bool may_say(enum situation situation, const struct job *job, bool is_new)
{
    if (situation == SAYS_NOTHING)
        return true;
    if (situation == SAYS_NOT_ACCEPTED)
        return !is_new;
    if (situation == SAYS_DONE)
        return job != NULL && job->status == SUCCEEDED;
    return situation == SAYS_ACCEPTED && job != NULL;
}

static void take_answer(struct world *world, const struct reply_rule *rule, const struct job *job)
{
    struct item_event event;
    char name[8] = {'j'};

    stop_waiting(world);
    learn_clock(world);
    event = event_of(world, rule->event);
    event.reason = rule->reason;
    if (rule->event == EVENT_ACCEPTED) {
        name[1] = (char)('0' + (job - world->jobs));
        event.remote_job = name;
    }
    apply(world, event);
}

static void end_job(struct world *world, struct job *job, uint8_t byte)
{
    if (job->status != RUNNING)
        return;
    job->status = (enum job_status)(1 + byte % 5);
    if (job->status == SUCCEEDED || job->status == PARTIAL ||
        (job->status == FAILED && byte >= 128))
        world->effects++;
}

static void deliver(struct world *world)
{
    struct copy copy;
    struct job *job;
    uint32_t index;
    uint8_t what = take(world);
    enum status_kind status = (enum status_kind)(take(world) % STATUS_KIND_COUNT);
    enum proof_kind proof = (enum proof_kind)(take(world) % PROOF_KIND_COUNT);
    enum body_kind body = (enum body_kind)(take(world) % BODY_JOB_PENDING);
    enum situation situation;
    bool is_new = false;

    if (world->copy_count == 0)
        return;
    index = what % world->copy_count;
    copy = world->copies[index];
    drop_copy(world, index);
    if (world->now_ms - copy.sent_ms > TRANSIT_MS)
        return;
    situation = situation_of_send(status, proof, body);
    job = job_of(world, &copy);
    if (job == NULL && situation != SAYS_NOT_ACCEPTED && what >= 64 &&
        world->job_count < JOBS_MAX) {
        job = &world->jobs[world->job_count++];
        *job = (struct job){
            .generation = copy.generation, .body = copy.body, .accepted_ms = world->now_ms};
        is_new = true;
        if (what >= 192)
            end_job(world, job, 0);
    }
    if (job != NULL && job->body != copy.body)
        situation = SAYS_NOTHING; /* a conflict, of which no answer gets through */
    else if (copy.is_awaited && world->on_wire && may_say(situation, job, is_new))
        take_answer(world, reply_rule_of(PHASE_SEND, status, proof, body), job);
}

static enum situation truth_of(const struct job *job)
{
    static const enum situation truths[] = {
        [RUNNING] = POLL_PENDING, [SUCCEEDED] = POLL_SUCCEEDED, [PARTIAL] = POLL_PARTIAL,
        [REFUSED] = POLL_REFUSED, [THROTTLED] = POLL_THROTTLED, [FAILED] = POLL_ERROR};

    return truths[job->status];
}

static void poll(struct world *world)
{
    enum status_kind status = (enum status_kind)(take(world) % STATUS_KIND_COUNT);
    enum proof_kind proof = (enum proof_kind)(take(world) % PROOF_KIND_COUNT);
    enum body_kind body = (enum body_kind)(take(world) % BODY_KIND_COUNT);
    enum situation situation;
    const struct reply_rule *rule;

    if (!world->is_loaded || world->on_wire || world->memory.state != ITEM_WAITING ||
        !reply_body_is_of_phase(body, PHASE_POLL))
        return;
    situation = situation_of_poll(status, body);
    if (situation < POLL_MISSING &&
        situation != truth_of(&world->jobs[world->memory.remote_job[1] - '0']))
        return;
    LAW(apply(world, event_of(world, EVENT_DUE)) == EFFECT_POLL);
    learn_clock(world);
    rule = reply_rule_of(PHASE_POLL, status, proof, body);
    {
        struct item_event event = event_of(world, rule->event);

        event.reason = rule->reason;
        apply(world, event);
    }
}

/* --- persons --- */

static bool is_under_way(const struct world *world)
{
    for (uint32_t i = 0; i < world->job_count; i++)
        if (world->jobs[i].status == RUNNING)
            return true;
    for (uint32_t i = 0; i < world->copy_count; i++)
        if (world->now_ms - world->copies[i].sent_ms <= TRANSIT_MS)
            return true;
    return false;
}

static void person(struct world *world)
{
    unsigned kind = EVENT_RETRY + take(world) % (ITEM_EVENT_COUNT - EVENT_RETRY);
    bool was_done = world->disk.state == ITEM_SUCCEEDED;
    struct item_event event;

    if (world->up || !lifecycle_is_legal(world->disk.state, (enum item_event_kind)kind) ||
        (kind == EVENT_RESOLVED_DONE && (world->effects != 1 || is_under_way(world))) ||
        (kind == EVENT_RESOLVED_NOT_DONE && (world->effects != 0 || is_under_way(world))) ||
        (kind == EVENT_ABANDONED && is_under_way(world)))
        return;
    world->memory = world->disk;
    event = event_of(world, (enum item_event_kind)kind);
    event.reason = kind == EVENT_UNDONE ? REASON_UNDONE : REASON_NONE;
    event.request_hash.low = world->disk.request_hash.low + 1;
    apply(world, event);
    if (kind == EVENT_UNDONE || (kind == EVENT_CHANGED && was_done))
        world->effects = 0;
    commit(world);
    world->is_loaded = false;
}

static void play_one(struct world *world)
{
    int64_t ms;

    switch (take(world) % 14) {
    case 0:
        if (!world->up)
            begin_run(world);
        break;
    case 1:
        crash(world);
        break;
    case 2:
    case 3:
        if (world->up)
            start(world);
        break;
    case 4:
    case 5:
        send(world);
        break;
    case 6:
        deliver(world);
        break;
    case 7:
        if (world->on_wire) {
            stop_waiting(world);
            apply(world, event_of(world, EVENT_LOST));
        }
        break;
    case 8:
        if (world->job_count > 0) {
            uint8_t which = take(world);

            end_job(world, &world->jobs[which % world->job_count], take(world));
        }
        break;
    case 9:
        poll(world);
        break;
    case 10:
        if (world->up)
            commit(world);
        break;
    case 11:
        world->now_ms += take_ms(world);
        break;
    case 12:
        ms = take_ms(world);
        world->skew_ms += (take(world) & 1) != 0 ? ms : -ms;
        if (world->skew_ms > SKEW_MAX_MS || world->skew_ms < -SKEW_MAX_MS)
            world->skew_ms = 0;
        break;
    case 13:
        if (!world->up)
            person(world);
        else if (world->is_loaded && !world->on_wire && (take(world) & 1) != 0 &&
                 item_is_unused_intent(&world->memory))
            apply(world, event_of(world, EVENT_WITHDRAWN));
        else
            learn_clock(world);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct world world = {.bytes = bytes,
                          .length = length,
                          .now_ms = START_MS,
                          .boot_zero_ms = START_MS - HOUR_MS,
                          .boot = 1};
    uint8_t form = take(&world);

    world.policy = (struct policy){.repeatable = (form & 3) != 0,
                                   .attempt_limit = 1 + (form >> 2 & 7),
                                   .rekey_limit = form >> 5 & 3,
                                   .first_delay_ms = 1000,
                                   .max_delay_ms = 60000,
                                   .key_window_ms = 12 * HOUR_MS,
                                   .give_up_ms = (form & 128) != 0 ? 2 * HOUR_MS : 0,
                                   .missing_limit = 3,
                                   .missing_for_ms = 300000,
                                   .stuck_ms = 24 * HOUR_MS};
    world.disk = item_new(0, 0, (struct hash128){.low = 1}, START_MS);
    while (world.length > 0) {
        play_one(&world);
        check(&world);
    }
    return 0;
}
