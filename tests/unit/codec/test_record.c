#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/base/rng.h"
#include "purser/codec/record.h"
#include "purser/core/lifecycle.h"

static const char key_bytes[8] = {0, 0, 0, 0, 0, 0, 0, 42};
static const struct slice key = {key_bytes, sizeof key_bytes};
static const struct slice other_key = {"\0\0\0\0\0\0\0\53", 8};

static struct item sample_item(void)
{
    struct item item = item_new(7, 300, (struct hash128){.high = UINT64_MAX, .low = 1}, 1796000000);

    item.state = ITEM_WAITING;
    item.reason = REASON_CONDITION_FALSE;
    item.generation = UINT32_MAX;
    item.attempt_count = 2;
    item.poll_count = 128;
    item.trouble_count = 65536;
    item.attempt_total = 9;
    item.seen_run = 3;
    item.unknown_send = true;
    item.accepted = true;
    item.http_status = 65535;
    item.job_path = JOB_PATH_V2;
    item.intent_ms = INT64_MAX;
    item.intent_boot_ms = INT64_MIN;
    item.intent_boot = UINT32_MAX;
    item.due_ms = -1;
    item.accepted_ms = INT64_MIN;
    item.finished_ms = -129;
    item.waits_on = WAIT_UNKNOWN_ITEM;
    item.waits_for = UINT64_MAX;
    item.has_needs = true;
    item.release_due = true;
    item.sent_run = 8;
    item.corrected = true;
    item.source_hash = (struct hash128){.high = 2, .low = UINT64_MAX};
    memset(item.remote_job, 'j', REMOTE_JOB_BYTES_MAX);
    memset(item.error_type, 't', ERROR_CODE_BYTES_MAX);
    memcpy(item.error_code, "product_not_ready", sizeof "product_not_ready");
    return item;
}

static void assert_items_equal(const struct item *a, const struct item *b)
{
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->job, b->job);
    assert_int_equal(a->connection, b->connection);
    assert_int_equal(a->generation, b->generation);
    assert_int_equal(a->attempt_count, b->attempt_count);
    assert_int_equal(a->poll_count, b->poll_count);
    assert_int_equal(a->trouble_count, b->trouble_count);
    assert_int_equal(a->attempt_total, b->attempt_total);
    assert_int_equal(a->seen_run, b->seen_run);
    assert_int_equal(a->sent_run, b->sent_run);
    assert_int_equal(a->corrected, b->corrected);
    assert_int_equal(a->source_hash.high, b->source_hash.high);
    assert_int_equal(a->source_hash.low, b->source_hash.low);
    assert_int_equal(a->unknown_send, b->unknown_send);
    assert_int_equal(a->accepted, b->accepted);
    assert_int_equal(a->http_status, b->http_status);
    assert_int_equal(a->job_path, b->job_path);
    assert_int_equal(a->waits_on, b->waits_on);
    assert_int_equal(a->waits_for, b->waits_for);
    assert_int_equal(a->has_needs, b->has_needs);
    assert_int_equal(a->has_dependents, b->has_dependents);
    assert_int_equal(a->release_due, b->release_due);
    assert_int_equal(a->intent_ms, b->intent_ms);
    assert_int_equal(a->intent_boot_ms, b->intent_boot_ms);
    assert_int_equal(a->intent_boot, b->intent_boot);
    assert_int_equal(a->due_ms, b->due_ms);
    assert_int_equal(a->accepted_ms, b->accepted_ms);
    assert_int_equal(a->finished_ms, b->finished_ms);
    assert_int_equal(a->changed_ms, b->changed_ms);
    assert_int_equal(a->request_hash.high, b->request_hash.high);
    assert_int_equal(a->request_hash.low, b->request_hash.low);
    assert_string_equal(a->remote_job, b->remote_job);
    assert_string_equal(a->error_type, b->error_type);
    assert_string_equal(a->error_code, b->error_code);
}

static void assert_slices_equal(struct slice a, struct slice b)
{
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.bytes, b.bytes, a.length);
}

static struct slice bytes_of(const struct buf *buf)
{
    assert_int_equal(buf->failed, ERR_OK);
    return (struct slice){buf->bytes, buf->length};
}

static void an_item_comes_back_as_it_went_in(void **context)
{
    struct item item = sample_item(), empty = {0}, read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_item(&buf, key, &item);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_item(key, bytes_of(&buf), &read));
    assert_items_equal(&item, &read);

    buf_clear(&buf);
    record_put_item(&buf, key, &empty);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_item(key, bytes_of(&buf), &read));
    assert_items_equal(&empty, &read);
    buf_deinit(&buf);
}

static uint64_t draw(struct rng *rng)
{
    /* Numbers of every length, since msgpack writes each length in another way. */
    return rng_next(rng) >> rng_below(rng, 64);
}

static void random_items_come_back_as_they_went_in(void **context)
{
    struct rng rng;
    struct buf buf;
    (void)context;

    rng_init(&rng, 20261126);
    buf_init(&buf, 4096);
    for (int round = 0; round < 5000; round++) {
        struct item item = {
            .state = (enum item_state)rng_below(&rng, ITEM_STATE_COUNT),
            .reason = (enum reason)rng_below(&rng, REASON_COUNT),
            .job = (uint32_t)draw(&rng),
            .connection = (uint32_t)draw(&rng),
            .generation = (uint32_t)draw(&rng),
            .attempt_count = (uint32_t)draw(&rng),
            .waits_on = (enum wait_kind)rng_below(&rng, WAIT_KIND_COUNT),
            .waits_for = draw(&rng),
            .has_needs = rng_below(&rng, 2) == 1,
            .has_dependents = rng_below(&rng, 2) == 1,
            .release_due = rng_below(&rng, 2) == 1,
            .unknown_send = rng_below(&rng, 2) == 1,
            .accepted = rng_below(&rng, 2) == 1,
            .http_status = (uint16_t)draw(&rng),
            .intent_ms = (int64_t)draw(&rng),
            .intent_boot_ms = (int64_t)draw(&rng),
            .intent_boot = (uint32_t)draw(&rng),
            .due_ms = -(int64_t)(draw(&rng) >> 1),
            .finished_ms = (int64_t)draw(&rng),
            .request_hash = {.high = draw(&rng), .low = draw(&rng)},
        };
        struct item read;

        memset(item.remote_job, 'j', rng_below(&rng, REMOTE_JOB_BYTES_MAX + 1));
        buf_clear(&buf);
        record_put_item(&buf, key, &item);
        memset(&read, 0xff, sizeof read);
        assert_true(record_get_item(key, bytes_of(&buf), &read));
        assert_items_equal(&item, &read);
    }
    buf_deinit(&buf);
}

static void every_state_and_reason_comes_back(void **context)
{
    struct item item = sample_item(), read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
            item.state = (enum item_state)state;
            item.reason = (enum reason)reason;
            buf_clear(&buf);
            record_put_item(&buf, key, &item);
            assert_true(record_get_item(key, bytes_of(&buf), &read));
            assert_items_equal(&item, &read);
        }
    }
    buf_deinit(&buf);
}

/* The checksum is right here: only the range check stands between the value and the caller. */
static void a_number_outside_its_enum_is_refused(void **context)
{
    struct item item, read;
    struct frozen_request request = {.method = METHOD_COUNT}, request_read;
    struct attempt_record attempt = {.event = ITEM_EVENT_COUNT}, attempt_read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    for (int field = 0; field < 3; field++) {
        item = sample_item();
        if (field == 0)
            item.state = ITEM_STATE_COUNT;
        else if (field == 1)
            item.reason = REASON_COUNT;
        else
            item.job_path = JOB_PATH_COUNT;
        buf_clear(&buf);
        record_put_item(&buf, key, &item);
        assert_false(record_get_item(key, bytes_of(&buf), &read));
    }
    buf_clear(&buf);
    record_put_request(&buf, key, &request);
    assert_false(record_get_request(key, bytes_of(&buf), &request_read));
    buf_clear(&buf);
    record_put_attempt(&buf, key, &attempt);
    assert_false(record_get_attempt(key, bytes_of(&buf), &attempt_read));
    attempt = (struct attempt_record){.state = ITEM_STATE_COUNT};
    buf_clear(&buf);
    record_put_attempt(&buf, key, &attempt);
    assert_false(record_get_attempt(key, bytes_of(&buf), &attempt_read));
    attempt = (struct attempt_record){.reason = REASON_COUNT};
    buf_clear(&buf);
    record_put_attempt(&buf, key, &attempt);
    assert_false(record_get_attempt(key, bytes_of(&buf), &attempt_read));
    buf_deinit(&buf);
}

static void every_single_flipped_bit_is_noticed(void **context)
{
    struct item item = sample_item(), read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_item(&buf, key, &item);
    for (size_t bit = 0; bit < buf.length * 8; bit++) {
        buf.bytes[bit / 8] = (char)(buf.bytes[bit / 8] ^ (1 << bit % 8));
        assert_false(record_get_item(key, bytes_of(&buf), &read));
        buf.bytes[bit / 8] = (char)(buf.bytes[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(record_get_item(key, bytes_of(&buf), &read));
    buf_deinit(&buf);
}

/* Each prefix stands in memory of exactly its size, so that a read past it is seen by ASan. */
static void every_truncation_and_a_longer_record_are_noticed(void **context)
{
    struct item item = sample_item(), read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_item(&buf, key, &item);
    for (size_t length = 0; length < buf.length; length++) {
        char *exact = mem_new(length, 1);

        memcpy(exact, buf.bytes, length);
        assert_false(record_get_item(key, (struct slice){exact, length}, &read));
        mem_free(exact);
    }
    buf_append_byte(&buf, '\0');
    assert_false(record_get_item(key, bytes_of(&buf), &read));
    buf_deinit(&buf);
}

static void a_record_does_not_stand_in_for_one_of_another_key(void **context)
{
    struct item item = sample_item(), read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_item(&buf, key, &item);
    assert_false(record_get_item(other_key, bytes_of(&buf), &read));
    assert_false(record_get_item(SLICE(""), bytes_of(&buf), &read));
    buf_deinit(&buf);
}

static void a_record_does_not_stand_in_for_one_of_another_kind(void **context)
{
    struct connection_record connection = {.parked_reason = SLICE("re-auth")};
    struct result_record result = {.body = SLICE("{}")};
    struct attempt_record attempt;
    struct frozen_request request;
    struct run_record run;
    struct item item;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_connection(&buf, key, &connection);
    assert_false(record_get_item(key, bytes_of(&buf), &item));
    assert_false(record_get_request(key, bytes_of(&buf), &request));
    assert_false(record_get_attempt(key, bytes_of(&buf), &attempt));
    assert_false(record_get_result(key, bytes_of(&buf), &result));
    assert_false(record_get_run(key, bytes_of(&buf), &run));
    buf_clear(&buf);
    record_put_result(&buf, key, &result);
    assert_false(record_get_connection(key, bytes_of(&buf), &connection));
    buf_deinit(&buf);
}

static void a_refused_record_leaves_the_output_alone(void **context)
{
    struct item read, untouched;
    (void)context;

    memset(&read, 0xff, sizeof read);
    memset(&untouched, 0xff, sizeof untouched);
    assert_false(record_get_item(key, SLICE("\1 not a record at all"), &read));
    assert_memory_equal(&read, &untouched, sizeof read);
}

static void a_request_comes_back_with_any_bytes_in_it(void **context)
{
    struct frozen_request request = {
        .job = 1,
        .connection = UINT32_MAX,
        .key = SLICE("sku \0\xff 7"),
        .method = METHOD_PATCH,
        .path = SLICE("/products/1?x=1"),
        .body = SLICE("{\"price\":12.340,\"name\":\"\xc3\xbc\"}"),
        .source_file = SLICE("rows.csv"),
        .source_line = 4000000000,
        .generation = 2,
    };
    struct frozen_request read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_request(&buf, key, &request);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_request(key, bytes_of(&buf), &read));
    assert_int_equal(read.job, 1);
    assert_int_equal(read.connection, UINT32_MAX);
    assert_slices_equal(read.key, request.key);
    assert_int_equal(read.method, METHOD_PATCH);
    assert_slices_equal(read.path, request.path);
    assert_slices_equal(read.body, request.body);
    assert_slices_equal(read.source_file, request.source_file);
    assert_int_equal(read.source_line, 4000000000);
    assert_int_equal(read.generation, 2);
    buf_deinit(&buf);
}

static void the_longest_request_is_kept_and_a_longer_one_is_refused(void **context)
{
    char *body = mem_new(BODY_BYTES_MAX + 1, 1);
    char item_key[ITEM_KEY_BYTES_MAX + 1];
    struct frozen_request request = {.body = {body, BODY_BYTES_MAX},
                                     .key = {item_key, ITEM_KEY_BYTES_MAX}};
    struct frozen_request read;
    struct buf buf;
    (void)context;

    memset(body, 'b', BODY_BYTES_MAX + 1);
    memset(item_key, 'k', sizeof item_key);
    buf_init(&buf, 2 * BODY_BYTES_MAX);
    record_put_request(&buf, key, &request);
    assert_true(record_get_request(key, bytes_of(&buf), &read));
    assert_int_equal(read.body.length, BODY_BYTES_MAX);
    assert_int_equal(read.key.length, ITEM_KEY_BYTES_MAX);

    request.body.length++;
    buf_clear(&buf);
    record_put_request(&buf, key, &request);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    request.body.length = 0;
    request.key.length++;
    buf_clear(&buf);
    record_put_request(&buf, key, &request);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    buf_deinit(&buf);
    mem_free(body);
}

static void an_attempt_comes_back_and_its_long_message_is_cut_between_characters(void **context)
{
    char message[ERROR_MESSAGE_BYTES_MAX + 2];
    struct attempt_record attempt = {
        .generation = 3,
        .poll = true,
        .started_ms = 1796000000123,
        .duration_ms = 456,
        .event = EVENT_CANCELLED,
        .state = ITEM_SKIPPED,
        .http_status = 452,
        .reason = REASON_JOB_FAILED,
        .next_due_ms = 1796000001000,
        .request_id = SLICE("req-1"),
        .remote_job = SLICE("job-1"),
        .error_code = SLICE("rate_limit"),
        .message = {message, sizeof message},
        .rule = SLICE("platform_throttled"),
        .run = 12,
    };
    struct attempt_record read;
    struct buf buf;
    (void)context;

    memset(message, 'm', sizeof message);
    memcpy(message + ERROR_MESSAGE_BYTES_MAX - 1, "\xc3\xbc", 2);
    buf_init(&buf, 4096);
    record_put_attempt(&buf, key, &attempt);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_attempt(key, bytes_of(&buf), &read));
    assert_int_equal(read.generation, 3);
    assert_true(read.poll);
    assert_int_equal(read.started_ms, 1796000000123);
    assert_int_equal(read.duration_ms, 456);
    assert_int_equal(read.event, EVENT_CANCELLED);
    assert_int_equal(read.state, ITEM_SKIPPED);
    assert_int_equal(read.http_status, 452);
    assert_int_equal(read.reason, REASON_JOB_FAILED);
    assert_int_equal(read.next_due_ms, 1796000001000);
    assert_slices_equal(read.request_id, attempt.request_id);
    assert_slices_equal(read.remote_job, attempt.remote_job);
    assert_slices_equal(read.error_code, attempt.error_code);
    assert_int_equal(read.message.length, ERROR_MESSAGE_BYTES_MAX - 1);
    assert_slices_equal(read.rule, attempt.rule);
    assert_int_equal(read.run, 12);
    buf_deinit(&buf);
}

static void a_result_comes_back(void **context)
{
    struct result_record result = {
        .http_status = 200,
        .body = SLICE("{\"product\":{\"id\":\"1\"}}"),
        .message = SLICE("fine"),
        .request_id = SLICE("req-2"),
    };
    struct result_record read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_result(&buf, key, &result);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_result(key, bytes_of(&buf), &read));
    assert_int_equal(read.http_status, 200);
    assert_slices_equal(read.body, result.body);
    assert_slices_equal(read.message, result.message);
    assert_slices_equal(read.request_id, result.request_id);

    result.body.length = ANSWER_BYTES_MAX + 1;
    buf_clear(&buf);
    result.body.bytes = mem_new(ANSWER_BYTES_MAX + 1, 1);
    record_put_result(&buf, key, &result);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    mem_free((void *)(uintptr_t)result.body.bytes);
    buf_deinit(&buf);
}

static void a_run_comes_back(void **context)
{
    struct run_record run = {
        .started_ms = 1,
        .ended_ms = 2,
        .exit_status = -1,
        .spec_digest = {.high = 3, .low = 4},
        .added = 5,
        .changed = 6,
        .unchanged = 7,
        .kept = 8,
        .dropped = UINT64_MAX,
        .sent = 9,
        .polls = 10,
        .throttled = 11,
        .retried = 12,
        .slot_s = 13,
        .read_run = 14,
        .read_ms = 15,
    };
    struct run_record read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_run(&buf, key, &run);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_run(key, bytes_of(&buf), &read));
    assert_int_equal(read.slot_s, 13);
    assert_int_equal(read.read_run, 14);
    assert_int_equal(read.read_ms, 15);
    assert_int_equal(read.started_ms, 1);
    assert_int_equal(read.ended_ms, 2);
    assert_int_equal(read.exit_status, -1);
    assert_int_equal(read.spec_digest.high, 3);
    assert_int_equal(read.spec_digest.low, 4);
    assert_int_equal(read.added, 5);
    assert_int_equal(read.changed, 6);
    assert_int_equal(read.unchanged, 7);
    assert_int_equal(read.kept, 8);
    assert_int_equal(read.dropped, UINT64_MAX);
    assert_int_equal(read.sent, 9);
    assert_int_equal(read.polls, 10);
    assert_int_equal(read.throttled, 11);
    assert_int_equal(read.retried, 12);
    buf_deinit(&buf);
}

static void a_connection_comes_back(void **context)
{
    struct connection_record connection = {
        .parked_since_ms = 1796000000000,
        .learned_rate_millis = 12500,
        .learned_in_flight = 4,
        .parked_reason = SLICE("the merchant must connect again"),
        .link_url = SLICE("https://link.example/1"),
        .detail = SLICE("HTTP 451"),
        .checked_ms = 1796000000001,
        .last_sync_ms = 1796000000002,
    };
    struct connection_record read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_connection(&buf, key, &connection);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_connection(key, bytes_of(&buf), &read));
    assert_int_equal(read.parked_since_ms, 1796000000000);
    assert_int_equal(read.learned_rate_millis, 12500);
    assert_int_equal(read.learned_in_flight, 4);
    assert_slices_equal(read.parked_reason, connection.parked_reason);
    assert_slices_equal(read.link_url, connection.link_url);
    assert_slices_equal(read.detail, connection.detail);
    assert_int_equal(read.checked_ms, 1796000000001);
    assert_int_equal(read.last_sync_ms, 1796000000002);
    buf_deinit(&buf);
}

/* The fields of a connection after its numbers. */
#define REST "\xc4\0\xc4\0\xc4\0\0\0"

/* The header is made as the module makes it, so only the bound on what the payload claims holds. */
static void a_payload_that_claims_more_than_it_has_is_refused_without_allocating(void **context)
{
    static const struct slice payloads[] = {
        SLICE("\xdd\xff\xff\xff\xff"),              /* array of 4 G elements */
        SLICE("\x98\xc6\xff\xff\xff\xff"),          /* 4 GB of bytes */
        SLICE("\x98\x98\x00\x00\x00\x00"),          /* an array within the array */
        SLICE("\xdf\xff\xff\xff\xff"),              /* map */
        SLICE("\x98\xcb\0\0\0\0\0\0\0\0\0\0" REST), /* a float */
        SLICE("\x98\xd4\0\0\0\0" REST),             /* an extension */
        SLICE("\x98\xc0\0\0" REST),                 /* nil */
        SLICE("\x98\0\0\0\xa0\xc4\0\xc4\0\0\0"),    /* str, not bin */
        SLICE("\x97\0\0\0\xc4\0\xc4\0\xc4\0\0"),    /* a field too few */
        SLICE("\x99\0\0\0" REST "\0"),              /* one too many */
        SLICE("\x98\0\0\0" REST "\0"),              /* something behind */
        SLICE("\x98\0\xff\0" REST),                 /* negative where it cannot be */
        SLICE("\x98\0\xcf\0\0\0\1\0\0\0\0\0" REST), /* 2^32 as 32 bits */
        SLICE("\x91\x98\0\0\0" REST),               /* the right fields, one level too deep */
        SLICE("\xdc\x00\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
              "\0\0\0\0\0\0\0\0\0\0\0\0\0"), /* 45 fields, all there */
        SLICE("\x00"),
        SLICE("\xc1"),
    };
    static const struct slice good = SLICE("\x98\0\0\0" REST);
    struct connection_record read;
    struct buf buf;
    int64_t live;
    (void)context;

    buf_init(&buf, 4096);
    for (size_t i = 0; i <= sizeof payloads / sizeof payloads[0]; i++) {
        bool is_good = i == sizeof payloads / sizeof payloads[0];
        struct slice payload = is_good ? good : payloads[i];
        unsigned char parts[18] = {RECORD_VERSION, 6};
        uint64_t sums[3] = {checksum64(key.bytes, key.length),
                            checksum64(payload.bytes, payload.length)};

        for (int byte = 0; byte < 16; byte++)
            parts[2 + byte] = (unsigned char)(sums[byte / 8] >> (56 - 8 * (byte % 8)));
        sums[2] = checksum64(parts, sizeof parts);
        buf_clear(&buf);
        buf_append_byte(&buf, RECORD_VERSION);
        for (int byte = 0; byte < 8; byte++)
            buf_append_byte(&buf, (char)(sums[2] >> (56 - 8 * byte)));
        buf_append(&buf, payload.bytes, payload.length);
        live = mem_test_live_count();
        assert_int_equal(record_get_connection(key, bytes_of(&buf), &read), is_good);
        assert_int_equal(mem_test_live_count(), live);
    }
    buf_deinit(&buf);
}

static void a_full_buffer_is_told_by_the_buffer(void **context)
{
    struct item item = sample_item();
    struct buf buf;
    (void)context;

    buf_init(&buf, 100);
    record_put_item(&buf, key, &item);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    buf_deinit(&buf);
    buf_init(&buf, 4096);
    mem_test_fail(0, 1);
    record_put_item(&buf, key, &item);
    mem_test_fail(-1, 0);
    assert_int_equal(buf.failed, ERR_NO_MEMORY);
    buf_deinit(&buf);
}

static void records_follow_each_other_in_one_buffer(void **context)
{
    struct item item = sample_item(), read;
    struct buf buf;
    size_t first;
    (void)context;

    buf_init(&buf, 4096);
    record_put_item(&buf, key, &item);
    first = buf.length;
    item.state = ITEM_FAILED;
    record_put_item(&buf, other_key, &item);
    assert_true(record_get_item(key, (struct slice){buf.bytes, first}, &read));
    assert_int_equal(read.state, ITEM_WAITING);
    assert_true(
        record_get_item(other_key, (struct slice){buf.bytes + first, buf.length - first}, &read));
    assert_int_equal(read.state, ITEM_FAILED);
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_comes_back_as_it_went_in),
        cmocka_unit_test(random_items_come_back_as_they_went_in),
        cmocka_unit_test(every_state_and_reason_comes_back),
        cmocka_unit_test(a_number_outside_its_enum_is_refused),
        cmocka_unit_test(every_single_flipped_bit_is_noticed),
        cmocka_unit_test(every_truncation_and_a_longer_record_are_noticed),
        cmocka_unit_test(a_record_does_not_stand_in_for_one_of_another_key),
        cmocka_unit_test(a_record_does_not_stand_in_for_one_of_another_kind),
        cmocka_unit_test(a_refused_record_leaves_the_output_alone),
        cmocka_unit_test(a_request_comes_back_with_any_bytes_in_it),
        cmocka_unit_test(the_longest_request_is_kept_and_a_longer_one_is_refused),
        cmocka_unit_test(an_attempt_comes_back_and_its_long_message_is_cut_between_characters),
        cmocka_unit_test(a_result_comes_back),
        cmocka_unit_test(a_run_comes_back),
        cmocka_unit_test(a_connection_comes_back),
        cmocka_unit_test(a_payload_that_claims_more_than_it_has_is_refused_without_allocating),
        cmocka_unit_test(a_full_buffer_is_told_by_the_buffer),
        cmocka_unit_test(records_follow_each_other_in_one_buffer),
    };

    return cmocka_run_group_tests_name("codec/record", tests, NULL, NULL);
}
