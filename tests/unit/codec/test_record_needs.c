/* What an item needs, as it is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/base/rng.h"
#include "purser/codec/record.h"

static const struct slice key = {"\0\0\0\0\0\0\0\52", 8};

static struct needs_record sample(void)
{
    return (struct needs_record){
        .draft_hash = {.high = UINT64_MAX, .low = 7},
        .needs = {{.kind = WAIT_JOB, .target = 3},
                  {.kind = WAIT_ITEM, .target = UINT64_MAX, .name = SLICE("parent")},
                  {.kind = WAIT_ITEM, .ordering = true, .target = 12},
                  {.kind = WAIT_UNKNOWN_ITEM, .name = SLICE("nobody")}},
        .need_count = 4,
        .draft = SLICE("{\"row\":{\"price\":1.10}}"),
        .remake = SLICE("{\"row\":{\"price\":1.11}}")};
}

static void assert_slices_equal(struct slice a, struct slice b)
{
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.bytes, b.bytes, a.length);
}

static void assert_needs_equal(const struct needs_record *a, const struct needs_record *b)
{
    assert_int_equal(a->draft_hash.high, b->draft_hash.high);
    assert_int_equal(a->draft_hash.low, b->draft_hash.low);
    assert_slices_equal(a->draft, b->draft);
    assert_slices_equal(a->remake, b->remake);
    assert_int_equal(a->need_count, b->need_count);
    for (size_t i = 0; i < a->need_count; i++) {
        assert_int_equal(a->needs[i].kind, b->needs[i].kind);
        assert_int_equal(a->needs[i].ordering, b->needs[i].ordering);
        assert_int_equal(a->needs[i].target, b->needs[i].target);
        assert_slices_equal(a->needs[i].name, b->needs[i].name);
    }
}

static struct slice encode(struct buf *buf, const struct needs_record *needs)
{
    buf_clear(buf);
    record_put_needs(buf, key, needs);
    assert_int_equal(buf->failed, ERR_OK);
    return (struct slice){buf->bytes, buf->length};
}

static void needs_come_back_as_they_went_in(void **context)
{
    struct needs_record needs[] = {sample(), {.draft_hash = {.low = 1}}}, read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    for (size_t i = 0; i < 2; i++) {
        memset(&read, 0xff, sizeof read);
        assert_true(record_get_needs(key, encode(&buf, &needs[i]), &read));
        assert_needs_equal(&needs[i], &read);
    }
    buf_deinit(&buf);
}

static void the_most_needs_with_the_longest_names_are_kept(void **context)
{
    char name[SPEC_NAME_BYTES_MAX + 1];
    struct needs_record needs = {.need_count = NEEDS_MAX}, read;
    struct buf buf;
    (void)context;

    memset(name, 'n', sizeof name);
    for (size_t i = 0; i < NEEDS_MAX; i++)
        needs.needs[i] = (struct need){.kind = (enum wait_kind)(1 + i % (WAIT_KIND_COUNT - 1)),
                                       .ordering = i % 2 == 0,
                                       .target = UINT64_MAX - i,
                                       .name = {name, SPEC_NAME_BYTES_MAX}};
    buf_init(&buf, 8192);
    assert_true(record_get_needs(key, encode(&buf, &needs), &read));
    assert_needs_equal(&needs, &read);
    needs.needs[NEEDS_MAX - 1].name.length++;
    buf_clear(&buf);
    record_put_needs(&buf, key, &needs);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    buf_deinit(&buf);
}

static void the_longest_draft_is_kept_and_a_longer_one_is_refused(void **context)
{
    char *draft = mem_new(BODY_BYTES_MAX + 1, 1);
    struct needs_record needs = sample(), read;
    struct buf buf;
    (void)context;

    assert_non_null(draft);
    needs.draft = (struct slice){draft, BODY_BYTES_MAX};
    buf_init(&buf, BODY_BYTES_MAX + 4096);
    assert_true(record_get_needs(key, encode(&buf, &needs), &read));
    assert_int_equal(read.draft.length, BODY_BYTES_MAX);
    needs.draft.length++;
    buf_clear(&buf);
    record_put_needs(&buf, key, &needs);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    buf_deinit(&buf);
    mem_free(draft);
}

static void a_need_of_nothing_or_of_no_known_kind_is_refused(void **context)
{
    struct needs_record needs = sample(), read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    needs.needs[0].kind = WAIT_NONE;
    assert_false(record_get_needs(key, encode(&buf, &needs), &read));
    needs.needs[0].kind = WAIT_KIND_COUNT;
    assert_false(record_get_needs(key, encode(&buf, &needs), &read));
    buf_deinit(&buf);
}

static void damage_and_other_records_are_noticed(void **context)
{
    struct needs_record needs = sample(), read;
    struct frozen_request request = {.key = SLICE("k")};
    struct buf buf;
    struct slice bytes;
    (void)context;

    buf_init(&buf, 4096);
    bytes = encode(&buf, &needs);
    for (size_t bit = 0; bit < bytes.length * 8; bit++) {
        buf.bytes[bit / 8] = (char)(buf.bytes[bit / 8] ^ (1 << bit % 8));
        assert_false(record_get_needs(key, bytes, &read));
        buf.bytes[bit / 8] = (char)(buf.bytes[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t length = 0; length < bytes.length; length++)
        assert_false(record_get_needs(key, (struct slice){bytes.bytes, length}, &read));
    assert_false(record_get_needs(SLICE("another"), bytes, &read));
    assert_false(record_get_request(key, bytes, &request));
    buf_clear(&buf);
    record_put_request(&buf, key, &request);
    assert_false(record_get_needs(key, (struct slice){buf.bytes, buf.length}, &read));
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_come_back_as_they_went_in),
        cmocka_unit_test(the_most_needs_with_the_longest_names_are_kept),
        cmocka_unit_test(the_longest_draft_is_kept_and_a_longer_one_is_refused),
        cmocka_unit_test(a_need_of_nothing_or_of_no_known_kind_is_refused),
        cmocka_unit_test(damage_and_other_records_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
