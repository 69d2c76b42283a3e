#include "purser/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"
static int no_block_is_left(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    return mem_test_live_count() == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_teardown(name, no_block_is_left)

static void appended_pieces_make_one_text(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    assert_string_equal(buf_text(&buf), "");
    buf_append(&buf, NULL, 0);
    buf_append_text(&buf, "a");
    buf_append(&buf, "b\0c", 3);
    buf_append_byte(&buf, 'd');
    buf_append_format(&buf, "%03d", 7);
    assert_int_equal(buf.length, 8);
    assert_memory_equal(buf.bytes, "ab\0cd007", 9);
    assert_int_equal(buf.failed, ERR_OK);
    buf_deinit(&buf);
    assert_int_equal(buf.max_bytes, 1000);
}

static void maximum_can_be_reached_but_not_passed(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    for (int i = 0; i < 100; i++)
        buf_append_byte(&buf, 'x');
    assert_int_equal(buf.failed, ERR_OK);
    assert_int_equal(buf.length, 100);
    buf_append_byte(&buf, 'y');
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    assert_int_equal(buf.length, 100);
    buf_deinit(&buf);
}

static void room_is_given_up_to_the_maximum(void **state)
{
    struct buf buf;
    char *place;

    (void)state;
    buf_init(&buf, 70);
    buf_append_text(&buf, "ab");
    place = buf_extend(&buf, 68);
    assert_ptr_equal(place, buf.bytes + 2);
    memset(place, 'x', 68);
    assert_int_equal(strlen(buf_text(&buf)), 70);
    assert_ptr_equal(buf_extend(&buf, 0), buf.bytes + 70);
    assert_null(buf_extend(&buf, 1));
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    assert_int_equal(buf.length, 70);
    buf_deinit(&buf);
}

static void failed_buffer_keeps_what_it_had_and_takes_no_more(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 4);
    buf_append_text(&buf, "abc");
    buf_append_text(&buf, "de");
    buf_append_text(&buf, "f");
    buf_append_format(&buf, "%d", 1);
    assert_string_equal(buf_text(&buf), "abc");
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    buf_clear(&buf);
    assert_int_equal(buf.failed, ERR_OK);
    assert_string_equal(buf_text(&buf), "");
    buf_append_format(&buf, "%s", "abcde");
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    buf_deinit(&buf);
}

static void lack_of_memory_is_told_once_at_the_end(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100000);
    buf_append_text(&buf, "abc");
    mem_test_fail(0, 0);
    for (int i = 0; i < 1000; i++)
        buf_append_text(&buf, "0123456789");
    assert_int_equal(buf.failed, ERR_NO_MEMORY);
    assert_memory_equal(buf_text(&buf), "abc0123456789", 13);
    assert_true(buf.length < 100);
    buf_deinit(&buf);
}

static void cutting_back_keeps_the_front(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    buf_truncate(&buf, 0);
    buf_append_text(&buf, "abcdef");
    buf_truncate(&buf, 3);
    assert_string_equal(buf_text(&buf), "abc");
    buf_append_text(&buf, "x");
    assert_string_equal(buf_text(&buf), "abcx");
    buf_deinit(&buf);
}

static void cleared_buffer_reuses_its_memory(void **state)
{
    struct buf buf;
    const char *bytes;

    (void)state;
    buf_init(&buf, 1000);
    buf_append_text(&buf, "abc");
    bytes = buf.bytes;
    buf_clear(&buf);
    buf_append_text(&buf, "def");
    assert_ptr_equal(buf.bytes, bytes);
    buf_deinit(&buf);
}

static void what_has_failed_becomes_an_error(void **state)
{
    struct err err = {0};
    struct buf buf;

    (void)state;
    buf_init(&buf, 3);
    assert_int_equal(buf_error(&buf, "too long", &err), ERR_OK);
    buf_append_text(&buf, "abcd");
    assert_int_equal(buf_error(&buf, "too long", &err), ERR_TOO_BIG);
    assert_string_equal(err.text, "too long");
    buf_deinit(&buf);
    mem_test_fail(0, 0);
    buf_append_text(&buf, "abc");
    assert_int_equal(buf_error(&buf, "too long", &err), ERR_NO_MEMORY);
    assert_non_null(strstr(err.text, "memory"));
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(appended_pieces_make_one_text),
        TEST(room_is_given_up_to_the_maximum),
        TEST(maximum_can_be_reached_but_not_passed),
        TEST(failed_buffer_keeps_what_it_had_and_takes_no_more),
        TEST(lack_of_memory_is_told_once_at_the_end),
        TEST(cutting_back_keeps_the_front),
        TEST(cleared_buffer_reuses_its_memory),
        TEST(what_has_failed_becomes_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
