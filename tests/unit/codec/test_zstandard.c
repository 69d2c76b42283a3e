#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/buf.h"
#include "purser/base/mem.h"
#include "purser/codec/zstandard.h"

#define TEXT "sku,name\nA,Anna\n"
#define MORE "B,Bob\n"

static const char first[] =
    "\x28\xb5\x2f\xfd\x04\x58\x81\x00\x00\x73\x6b\x75\x2c\x6e\x61\x6d\x65\x0a\x41\x2c"
    "\x41\x6e\x6e\x61\x0a\xe5\x3c\x35\x0d";
static const char second[] =
    "\x28\xb5\x2f\xfd\x04\x58\x31\x00\x00\x42\x2c\x42\x6f\x62\x0a\xc1\xde\xc7\x48";
/* "0123456789abcdef" 40,000 times */
static const char large[] =
    "\x28\xb5\x2f\xfd\x04\x58\xc4\x00\x00\x80\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39"
    "\x61\x62\x63\x64\x65\x66\x01\x00\xda\xff\x27\x9f\x4b\x4c\x00\x00\x08\x30\x01\x00"
    "\xfc\xff\x39\x10\x02\x4c\x00\x00\x08\x30\x01\x00\xfc\xff\x39\x10\x02\x4c\x00\x00"
    "\x08\x30\x01\x00\xfc\xff\x39\x10\x02\x4d\x00\x00\x08\x30\x01\x00\xfc\xc3\x39\x10"
    "\x02\x17\x6a\x23\x33";

static struct zstandard_reader *reader;
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
    zstandard_reader_close(reader);
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
    zstandard_reader_close(reader);
    reader = NULL;
    code = zstandard_reader_open(&sink, &reader, &err);
    for (size_t at = 0; code == ERR_OK && at < packed.length; at += step)
        code = zstandard_reader_feed(reader, packed.bytes + at,
                                     packed.length - at < step ? packed.length - at : step, &err);
    return code == ERR_OK ? zstandard_reader_finish(reader, &err) : code;
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

static void frames_one_after_the_other_are_one_text(void **state)
{
    (void)state;
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
    ADD(large);
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
        if (at == 5)
            continue; /* the size of the window: only a limit */
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
    assert_int_equal(zstandard_reader_open(&sink, &reader, &err), ERR_OK);
    assert_int_equal(zstandard_reader_feed(reader, first, sizeof first - 1, &err), ERR_SYSTEM);
    assert_string_equal(err.text, "the disk is full");
}

static void lack_of_memory_is_told(void **state)
{
    (void)state;
    ADD(first);
    mem_test_fail(0, 1);
    assert_int_equal(unpack(5), ERR_NO_MEMORY);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_is_unpacked_whatever_the_pieces_are),
        TEST(frames_one_after_the_other_are_one_text),
        TEST(what_does_not_fit_a_buffer_comes_in_pieces),
        TEST(what_is_cut_short_is_refused_wherever_it_is_cut),
        TEST(a_changed_byte_is_seen),
        TEST(other_text_is_refused),
        TEST(an_error_of_the_sink_ends_it),
        TEST(lack_of_memory_is_told),
    };

    return cmocka_run_group_tests_name("codec/zstandard", tests, NULL, NULL);
}
