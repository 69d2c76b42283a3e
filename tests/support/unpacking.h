/* What holds for every reader of packed bytes. Who includes it has defined
 *
 *   READER              the type of the reader
 *   READER_DOES(verb)   the name of its function
 *   first, second       packed, TEXT and MORE
 *   add_large           adds to `packed` what becomes 40,000 times "0123456789abcdef"
 *   nothing_depends_on  true for bytes of `first` that may have any value */
#ifndef PURSER_TESTS_UNPACKING_H
#define PURSER_TESTS_UNPACKING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/buf.h"
#include "purser/base/mem.h"

#define TEXT "sku,name\nA,Anna\n"
#define MORE "B,Bob\n"

static void add_large(void);
static bool nothing_depends_on(size_t at);

static READER *reader;
static struct buf packed, out;
static struct err err;
static int64_t live_before;

static enum err_code take(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    (void)sink_err;
    assert_int_not_equal(length, 0);
    buf_append(context, bytes, length);
    return ERR_OK;
}

static enum err_code refuse(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    (void)context;
    (void)bytes;
    (void)length;
    return err_set(sink_err, ERR_SYSTEM, "the disk is full");
}

static int set_up(void **state)
{
    (void)state;
    live_before = mem_test_live_count();
    memset(&err, 0, sizeof err);
    buf_init(&packed, 1024 * 1024);
    buf_init(&out, 1024 * 1024);
    reader = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    READER_DOES(close)(reader);
    buf_deinit(&packed);
    buf_deinit(&out);
    assert_int_equal(mem_test_live_count(), live_before);
    return 0;
}

#define ADD(bytes) buf_append(&packed, bytes, sizeof(bytes) - 1)

/* Feeds all that is packed, `step` bytes at a time. */
static enum err_code unpack(size_t step)
{
    const struct byte_sink sink = {take, &out};
    enum err_code code;

    buf_clear(&out);
    READER_DOES(close)(reader);
    reader = NULL;
    code = READER_DOES(open)(&sink, &reader, &err);
    for (size_t at = 0; code == ERR_OK && at < packed.length; at += step)
        code = READER_DOES(feed)(reader, packed.bytes + at,
                                 packed.length - at < step ? packed.length - at : step, &err);
    return code == ERR_OK ? READER_DOES(finish)(reader, &err) : code;
}

static void it_is_unpacked_whatever_the_pieces_are(void **state)
{
    (void)state;
    ADD(first);
    for (size_t step = 1; step <= packed.length; step++) {
        assert_int_equal(unpack(step), ERR_OK);
        assert_string_equal(buf_text(&out), TEXT);
    }
}

/* Of members, frames or whatever the format calls them. */
static void assert_one_text_of_several(void)
{
    ADD(first);
    ADD(second);
    ADD(first);
    for (size_t step = 1; step <= packed.length; step++) {
        assert_int_equal(unpack(step), ERR_OK);
        assert_string_equal(buf_text(&out), TEXT MORE TEXT);
    }
}

static void what_does_not_fit_a_buffer_comes_in_pieces(void **state)
{
    (void)state;
    add_large();
    ADD(second);
    assert_int_equal(unpack(packed.length), ERR_OK);
    assert_int_equal(out.length, 640000 + sizeof MORE - 1);
    assert_memory_equal(out.bytes + 639984, "0123456789abcdef" MORE, 16 + sizeof MORE - 1);
}

static void what_is_cut_short_is_refused_wherever_it_is_cut(void **state)
{
    size_t whole = sizeof first - 1, length;

    (void)state;
    for (length = 0; length < whole + sizeof second - 1; length++) {
        if (length == whole)
            continue;
        buf_clear(&packed);
        ADD(first);
        ADD(second);
        buf_truncate(&packed, length);
        assert_int_equal(unpack(7), ERR_INPUT);
        assert_non_null(strstr(err.text, length == 0 ? "empty" : "cut short"));
    }
}

static void a_changed_byte_is_seen(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof first - 1; at++) {
        if (nothing_depends_on(at))
            continue;
        buf_clear(&packed);
        ADD(first);
        packed.bytes[at] ^= 0x55;
        if (unpack(packed.length) == ERR_OK)
            fail_msg("byte %zu", at);
        assert_int_equal(err.code, ERR_INPUT);
    }
}

static void other_text_is_refused(void **state)
{
    (void)state;
    ADD("sku,name\n");
    assert_int_equal(unpack(3), ERR_INPUT);
    assert_non_null(strstr(err.text, "damaged, or no "));
    buf_clear(&packed);
    ADD(first);
    ADD("sku");
    assert_int_equal(unpack(packed.length), ERR_INPUT);
}

static void an_error_of_the_sink_ends_it(void **state)
{
    const struct byte_sink sink = {refuse, NULL};

    (void)state;
    assert_int_equal(READER_DOES(open)(&sink, &reader, &err), ERR_OK);
    assert_int_equal(READER_DOES(feed)(reader, first, sizeof first - 1, &err), ERR_SYSTEM);
    assert_string_equal(err.text, "the disk is full");
}

static void lack_of_memory_is_told(void **state)
{
    (void)state;
    ADD(first);
    mem_test_fail(0, 1);
    assert_int_equal(unpack(5), ERR_NO_MEMORY);
}

#define UNPACKING_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
