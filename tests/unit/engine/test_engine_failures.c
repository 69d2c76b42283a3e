/* A ledger whose n-th call fails, for each n: the run ends with that error and sends nothing more,
 * and the next one brings every item to its end, none of them done twice. */
#include "waiting_bench.h"

enum { EFFECTS_MAX = 32, TURNS_MAX = 5000 };

static unsigned call_count, failing_call; /* 0 = none fails */
static const char *failed_call;           /* NULL = none yet */

static bool fails(const char *name, enum err_code code, struct err *err)
{
    if (++call_count != failing_call)
        return false;
    failed_call = name;
    err_set(err, code, "the ledger is out of order");
    return true;
}

/* --- the bench's ledger, one call of which fails --- */

#define FAILING(name, code, parameters, arguments)              \
    static enum err_code failing_##name parameters              \
    {                                                           \
        return fails(#name, code, err) ? code : name arguments; \
    }

FAILING(read_item, ERR_STORAGE,
        (struct ledger * self, uint64_t number, struct item *item_out, struct err *err),
        (self, number, item_out, err))
/* ERR_DAMAGED would be a damaged record, which concerns its item alone. */
FAILING(read_needs, ERR_STORAGE,
        (struct ledger * self, uint64_t number, struct buf *storage, struct needs_record *needs_out,
         struct err *err),
        (self, number, storage, needs_out, err))
FAILING(read_request, ERR_STORAGE,
        (struct ledger * self, uint64_t number, struct buf *storage,
         struct frozen_request *request_out, struct err *err),
        (self, number, storage, request_out, err))
FAILING(next_ready, ERR_STORAGE,
        (struct ledger * self, uint32_t connection, uint64_t after, uint64_t *number_out,
         struct item *item_out, struct err *err),
        (self, connection, after, number_out, item_out, err))
FAILING(next_active, ERR_STORAGE,
        (struct ledger * self, uint64_t after, uint64_t *number_out, struct item *item_out,
         struct err *err),
        (self, after, number_out, item_out, err))
FAILING(next_blocked, ERR_STORAGE,
        (struct ledger * self, enum wait_kind kind, uint64_t target, uint64_t after,
         uint64_t *number_out, struct item *item_out, struct err *err),
        (self, kind, target, after, number_out, item_out, err))
FAILING(next_release, ERR_STORAGE,
        (struct ledger * self, uint64_t after, uint64_t *number_out, struct item *item_out,
         struct err *err),
        (self, after, number_out, item_out, err))
FAILING(counts, ERR_STORAGE,
        (struct ledger * self, uint32_t job, uint32_t connection, struct item_counts *counts_out,
         struct err *err),
        (self, job, connection, counts_out, err))
FAILING(put_item, ERR_STORAGE,
        (struct ledger * self, uint64_t number, const struct item *before, const struct item *item,
         struct err *err),
        (self, number, before, item, err))
FAILING(put_needs, ERR_STORAGE,
        (struct ledger * self, uint64_t number, const struct needs_record *needs, struct err *err),
        (self, number, needs, err))
FAILING(put_request, ERR_STORAGE,
        (struct ledger * self, uint64_t number, const struct frozen_request *request,
         struct err *err),
        (self, number, request, err))
FAILING(put_result, ERR_STORAGE,
        (struct ledger * self, uint64_t number, const struct result_record *result,
         struct err *err),
        (self, number, result, err))
FAILING(put_attempt, ERR_STORAGE,
        (struct ledger * self, uint64_t number, const struct attempt_record *attempt,
         struct err *err),
        (self, number, attempt, err))
FAILING(put_proven_operation, ERR_STORAGE,
        (struct ledger * self, const char *operation, struct err *err), (self, operation, err))
FAILING(commit_begin, ERR_STORAGE, (struct ledger * self, uint64_t *sequence_out, struct err *err),
        (self, sequence_out, err))
FAILING(commit_poll, ERR_STORAGE,
        (struct ledger * self, bool wait, uint64_t *durable_out, struct err *err),
        (self, wait, durable_out, err))

static const struct ledger_ops failing_ops = {.read_item = failing_read_item,
                                              .read_needs = failing_read_needs,
                                              .next_blocked = failing_next_blocked,
                                              .next_release = failing_next_release,
                                              .counts = failing_counts,
                                              .job_name = job_name,
                                              .put_needs = failing_put_needs,
                                              .put_request = failing_put_request,
                                              .read_request = failing_read_request,
                                              .next_ready = failing_next_ready,
                                              .next_active = failing_next_active,
                                              .proven_operation = proven_operation,
                                              .put_proven_operation = failing_put_proven_operation,
                                              .put_item = failing_put_item,
                                              .put_result = failing_put_result,
                                              .put_attempt = failing_put_attempt,
                                              .batch_bytes = batch_bytes,
                                              .commit_begin = failing_commit_begin,
                                              .commit_poll = failing_commit_poll};

/* --- a server that remembers keys --- */

static char effects[EFFECTS_MAX][KEY_TEXT_BYTES], bodies[STARTS_MAX][80];
static size_t effect_count;

/* Every second write is a remote job; under the same key it is the same one. */
static void answer_write(size_t index)
{
    const char *key = bench.transport.starts[index].key;
    size_t effect = 0;

    while (effect < effect_count && (key[0] == '\0' || strcmp(effects[effect], key) != 0))
        effect++;
    if (effect == effect_count) {
        assert_true(effect_count < EFFECTS_MAX);
        (void)snprintf(effects[effect_count++], KEY_TEXT_BYTES, "%s", key);
    }
    (void)snprintf(bodies[index], sizeof bodies[index],
                   "{\"async_response\":{\"id\":\"job-%zu\",\"status\":\"pending\"}}", effect);
    if (key[0] == '\0' || effect % 2 == 0)
        answer(index, 201, "{\"product\":{}}");
    else
        answer(index, 200, bodies[index]);
}

static void answer_all(void)
{
    for (size_t i = 0; i < bench.transport.count; i++) {
        const struct started *started = &bench.transport.starts[i];

        if (started->answered)
            continue;
        if (started->method != METHOD_GET) {
            answer_write(i);
        } else if (started->remote_job[0] != '\0') {
            (void)snprintf(bodies[i], sizeof bodies[i],
                           "{\"id\":\"%s\",\"status\":\"success\",\"request\":{}}",
                           started->remote_job);
            answer(i, 200, bodies[i]);
        } else {
            answer(i, 404, "{}"); /* it tells no time: the host's counts */
        }
    }
}

/* --- runs --- */

static uint64_t at_most_once;

static void set_up_world(void)
{
    uint64_t parent, draft;

    set_up_bench();
    bench.ledger.base.ops = &failing_ops;
    bench.options.outstanding = 4; /* some must wait for a place */
    effect_count = 0;
    add(0, 0, ITEM_SENDING);
    add(0, 1, ITEM_WAITING);
    add(0, 0, ITEM_READY);
    at_most_once = add(1, 1, ITEM_READY);
    parent = add(0, 1, ITEM_READY);
    make_durable(&bench.ledger);
    draft = add_draft(parent);
    (void)add_child(draft);
    (void)add_waiting(0, WAIT_ITEM, parent, true);
    (void)add_waiting(0, WAIT_JOB, 1, false);
    bench.jobs[0].repeat = REPEAT_IF_PROVEN;
    (void)snprintf(bench.ledger.proven, sizeof bench.ledger.proven, "POST /products");
    (void)snprintf(bench.ledger.newest_proven, sizeof bench.ledger.proven, "POST /products");
}

/* Until the run ends, or the ledger fails. */
static enum err_code run(void)
{
    enum err_code code = engine_new(&bench.options, &bench.ledger.base, &bench.transport.base,
                                    now_of_bench(), &bench.engine, &bench.err);

    for (int turns = 0; code == ERR_OK && turns < TURNS_MAX; turns++) {
        code = engine_turn(bench.engine, now_of_bench(), &bench.wake_ms, &bench.err);
        if (code != ERR_OK || progress()->phase == ENGINE_ENDED)
            break;
        answer_all();
        bench.boot_ms += bench.wake_ms > bench.boot_ms + 50 ? 50 : 1;
    }
    if (code == ERR_OK)
        assert_int_equal(progress()->phase, ENGINE_ENDED);
    close_bench();
    return code;
}

/* The process ends: what was not committed is gone, and so is what was on the wire. */
static void restart(void)
{
    memcpy(bench.ledger.newest, bench.ledger.durable, sizeof bench.ledger.newest);
    memcpy(bench.ledger.newest_needs, bench.ledger.durable_needs, sizeof bench.ledger.newest_needs);
    memcpy(bench.ledger.newest_proven, bench.ledger.proven, sizeof bench.ledger.proven);
    bench.ledger.sequence = bench.ledger.durable_sequence;
    bench.ledger.open_count = 0;
    bench.transport = (struct fake_transport){.base = bench.transport.base};
    bench.err = (struct err){0};
    bench.boot_ms += 1000;
    rendering = ERR_OK;
}

/* All are done, but for the one that is sent at most once: it may be in doubt when it was sent. */
static void assert_all_is_done(void)
{
    size_t without_key = 0;

    for (size_t i = 0; i < effect_count; i++)
        without_key += effects[i][0] == '\0';
    assert_in_range(without_key, 0, 1);
    for (uint64_t number = 1; number <= bench.ledger.count; number++) {
        enum item_state state = state_of(number);
        bool is_doubt = number == at_most_once && state == ITEM_IN_DOUBT;
        /* It waits for all of the job of the one in doubt. */
        bool waits = number == bench.ledger.count && state_of(at_most_once) == ITEM_IN_DOUBT &&
                     state == ITEM_BLOCKED;

        if (state != ITEM_SUCCEEDED && !is_doubt && !waits)
            fail_msg("call %u: item %u is %s", failing_call, (unsigned)number,
                     item_state_name(state));
        assert_int_equal(bench.ledger.durable[number].generation, 1);
    }
}

static void whatever_call_of_the_ledger_fails_nothing_is_lost_or_done_twice(void **context)
{
    unsigned last_call;
    (void)context;

    set_up_world();
    failing_call = 0;
    call_count = 0;
    assert_int_equal(run(), ERR_OK);
    last_call = call_count;
    assert_all_is_done();
    assert_int_equal(state_of(at_most_once), ITEM_SUCCEEDED);
    for (unsigned n = 1; n <= last_call; n++) {
        size_t sent;

        set_up_world();
        call_count = 0;
        failing_call = n;
        failed_call = NULL;
        if (run() == ERR_OK)
            fail_msg("%s failed and the run went on", failed_call);
        assert_string_equal(bench.err.text, "the ledger is out of order");
        assert_int_equal(call_count, n); /* nothing more was asked or written */
        sent = effect_count;
        restart();
        failing_call = 0;
        assert_int_equal(run(), ERR_OK);
        assert_true(effect_count >= sent);
        assert_all_is_done();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_call_of_the_ledger_fails_nothing_is_lost_or_done_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
