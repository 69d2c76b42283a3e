#include "record_fixture.h"

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
            .lost_since_ms = (int64_t)rng_next(&rng),
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

/* The fields of a connection after its numbers. */
#define REST "\xc4\0\xc4\0\xc4\0\0\0\0\0\0"

/* The header is made as the module makes it, so only the bound on what the payload claims holds. */
static void a_payload_that_claims_more_than_it_has_is_refused_without_allocating(void **context)
{
    static const struct slice payloads[] = {
        SLICE("\xdd\xff\xff\xff\xff"),                 /* array of 4 G elements */
        SLICE("\x9b\xc6\xff\xff\xff\xff"),             /* 4 GB of bytes */
        SLICE("\x9b\x98\x00\x00\x00\x00"),             /* an array within the array */
        SLICE("\xdf\xff\xff\xff\xff"),                 /* map */
        SLICE("\x9b\xcb\0\0\0\0\0\0\0\0\0\0" REST),    /* a float */
        SLICE("\x9b\xd4\0\0\0\0" REST),                /* an extension */
        SLICE("\x9b\xc0\0\0" REST),                    /* nil */
        SLICE("\x9b\0\0\0\xa0\xc4\0\xc4\0\0\0\0\0\0"), /* str, not bin */
        SLICE("\x9a\0\0\0\xc4\0\xc4\0\xc4\0\0\0\0\0"), /* a field too few */
        SLICE("\x9c\0\0\0" REST "\0"),                 /* one too many */
        SLICE("\x9b\0\0\0" REST "\0"),                 /* something behind */
        SLICE("\x9b\0\xff\0" REST),                    /* negative where it cannot be */
        SLICE("\x9b\0\xcf\0\0\0\1\0\0\0\0\0" REST),    /* 2^32 as 32 bits */
        SLICE("\x91\x9b\0\0\0" REST),                  /* the right fields, one level too deep */
        SLICE("\xdc\x00\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
              "\0\0\0\0\0\0\0\0\0\0\0\0\0"), /* 45 fields, all there */
        SLICE("\x00"),
        SLICE("\xc1"),
    };
    static const struct slice good = SLICE("\x9b\0\0\0" REST);
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
        cmocka_unit_test(a_payload_that_claims_more_than_it_has_is_refused_without_allocating),
        cmocka_unit_test(a_full_buffer_is_told_by_the_buffer),
        cmocka_unit_test(records_follow_each_other_in_one_buffer),
    };

    return cmocka_run_group_tests_name("codec/record", tests, NULL, NULL);
}
