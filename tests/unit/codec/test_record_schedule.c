#include "purser/codec/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct slice key = {"key", 3};

static struct slice bytes_of(const struct buf *buf)
{
    assert_int_equal(buf->failed, ERR_OK);
    return (struct slice){buf->bytes, buf->length};
}

static void schedule_comes_back(void **state)
{
    struct schedule_record schedule = {.since_s = -1, .until_s = 1798000000, .claimed_s = 3}, read;
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    record_put_schedule(&buf, key, &schedule);
    assert_true(record_get_schedule(key, bytes_of(&buf), &read));
    assert_int_equal(read.since_s, -1);
    assert_int_equal(read.until_s, 1798000000);
    assert_int_equal(read.claimed_s, 3);
    assert_false(record_get_schedule(SLICE("yek"), bytes_of(&buf), &read));
    buf_deinit(&buf);
}

static void slots_come_back(void **state)
{
    struct slot_record slot = {.last_s = 1798000000,
                               .count = UINT64_MAX,
                               .fate = SLOT_TOO_LATE,
                               .run = UINT32_MAX,
                               .exit_status = -2,
                               .noted_ms = 5};
    struct slot_record read;
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    record_put_slot(&buf, key, &slot);
    assert_true(record_get_slot(key, bytes_of(&buf), &read));
    assert_int_equal(read.last_s, 1798000000);
    assert_true(read.count == UINT64_MAX);
    assert_int_equal(read.fate, SLOT_TOO_LATE);
    assert_int_equal(read.run, UINT32_MAX);
    assert_int_equal(read.exit_status, -2);
    assert_int_equal(read.noted_ms, 5);
    buf.bytes[buf.length - 1] ^= 1;
    assert_false(record_get_slot(key, bytes_of(&buf), &read));
    buf_deinit(&buf);
}

static void what_could_not_have_been_written_is_refused(void **state)
{
    struct slot_record slot = {.fate = SLOT_FATE_COUNT}, read = {.count = 7};
    struct buf buf;

    (void)state;
    buf_init(&buf, 4096);
    record_put_slot(&buf, key, &slot);
    assert_false(record_get_slot(key, bytes_of(&buf), &read));
    assert_int_equal(read.count, 7);
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule_comes_back),
        cmocka_unit_test(slots_come_back),
        cmocka_unit_test(what_could_not_have_been_written_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
