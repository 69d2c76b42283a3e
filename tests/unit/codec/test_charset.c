#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/buf.h"
#include "purser/base/mem.h"
#include "purser/codec/charset.h"

static struct charset_reader *reader;
static struct buf out;
static struct err err;
static int64_t live_before;

static enum err_code take(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    (void)sink_err;
    buf_append(context, bytes, length);
    return ERR_OK;
}

static int set_up(void **state)
{
    (void)state;
    live_before = mem_test_live_count();
    memset(&err, 0, sizeof err);
    buf_init(&out, 1024 * 1024);
    reader = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    charset_reader_close(reader);
    buf_deinit(&out);
    assert_int_equal(mem_test_live_count(), live_before);
    return 0;
}

static enum err_code decode(enum source_encoding encoding, const char *bytes, size_t length,
                            size_t step)
{
    const struct byte_sink sink = {take, &out};
    enum err_code code;

    buf_clear(&out);
    charset_reader_close(reader);
    reader = NULL;
    code = charset_reader_open(encoding, &sink, &reader, &err);
    for (size_t at = 0; code == ERR_OK && at < length; at += step)
        code =
            charset_reader_feed(reader, bytes + at, length - at < step ? length - at : step, &err);
    return code == ERR_OK ? charset_reader_finish(reader, &err) : code;
}

#define DECODES(encoding, bytes, text)                                                  \
    do {                                                                                \
        for (size_t step = 1; step <= sizeof(bytes); step++) {                          \
            assert_int_equal(decode(encoding, bytes, sizeof(bytes) - 1, step), ERR_OK); \
            assert_string_equal(buf_text(&out), text);                                  \
        }                                                                               \
    } while (0)

#define REFUSES(encoding, bytes, message, at_line, at_column)                              \
    do {                                                                                   \
        uint32_t line, column;                                                             \
                                                                                           \
        for (size_t step = 1; step <= sizeof(bytes); step++) {                             \
            assert_int_equal(decode(encoding, bytes, sizeof(bytes) - 1, step), ERR_INPUT); \
            assert_string_equal(err.text, message);                                        \
            charset_reader_place(reader, &line, &column);                                  \
            assert_int_equal(line, at_line);                                               \
            assert_int_equal(column, at_column);                                           \
        }                                                                                  \
    } while (0)

static void latin_1_and_windows_1252_become_utf_8(void **state)
{
    (void)state;
    DECODES(ENCODING_LATIN_1,
            "Gr\xf6\xdf"
            "e\n",
            "Größe\n");
    DECODES(ENCODING_WINDOWS_1252, "9,99 \x80\n", "9,99 €\n");
    DECODES(ENCODING_LATIN_1, "", "");
    DECODES(ENCODING_LATIN_1, "a", "a");
    DECODES(ENCODING_LATIN_1, "\xef", "ï");
}

static void utf_16_is_read_in_the_order_that_its_mark_says(void **state)
{
    (void)state;
    DECODES(ENCODING_UTF_16,
            "\xff\xfe"
            "A\0\xac\x20",
            "A€");
    DECODES(ENCODING_UTF_16,
            "\xfe\xff"
            "\0A\x20\xac",
            "A€");
    DECODES(ENCODING_UTF_16, "A\0\x3d\xd8\x00\xde", "A\xf0\x9f\x98\x80");
    DECODES(ENCODING_UTF_16, "\xff\xfe", "");
    DECODES(ENCODING_UTF_16, "", "");
}

static void utf_8_passes_without_its_mark(void **state)
{
    (void)state;
    DECODES(ENCODING_UTF_8,
            "\xef\xbb\xbf"
            "ä\n",
            "ä\n");
}

static void what_is_no_character_is_told_with_its_place(void **state)
{
    (void)state;
    REFUSES(ENCODING_WINDOWS_1252, "a\nx\xe4\x81", "the byte 0x81 is no windows-1252", 2, 3);
    REFUSES(ENCODING_WINDOWS_1252, "a\r\nb\rc\x8d", "the byte 0x8d is no windows-1252", 3, 2);
    REFUSES(ENCODING_UTF_16,
            "a\0\n\0\x00\xdc"
            "b\0",
            "the bytes 0x00 0xdc are no utf-16", 2, 1);
    REFUSES(ENCODING_UTF_16, "a\0b", "the text ends in the middle of a character of utf-16", 1, 2);
    REFUSES(ENCODING_UTF_16,
            "\xff\xfe"
            "a\0\x3d\xd8",
            "the text ends in the middle of a character of utf-16", 1, 2);
}

static void a_mark_that_contradicts_is_refused(void **state)
{
    (void)state;
    REFUSES(ENCODING_LATIN_1, "\xef\xbb\xbfsku",
            "it begins with the byte order mark of utf-8, so it is not latin-1", 1, 1);
    REFUSES(ENCODING_WINDOWS_1252, "\xff\xfes\0",
            "it begins with the byte order mark of utf-16, so it is not windows-1252", 1, 1);
    REFUSES(ENCODING_UTF_16, "\xef\xbb\xbfsku",
            "it begins with the byte order mark of utf-8, so it is not utf-16", 1, 1);
    REFUSES(ENCODING_LATIN_1, "\xfe\xff",
            "it begins with the byte order mark of utf-16, so it is not latin-1", 1, 1);
}

static void long_text_comes_whole(void **state)
{
    static char text[300001];

    (void)state;
    memset(text, '\xe4', sizeof text);
    assert_int_equal(decode(ENCODING_LATIN_1, text, sizeof text, 65536), ERR_OK);
    assert_int_equal(out.length, 2 * sizeof text);
    assert_memory_equal(out.bytes + out.length - 4, "ää", 4);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(latin_1_and_windows_1252_become_utf_8),
        TEST(utf_16_is_read_in_the_order_that_its_mark_says),
        TEST(utf_8_passes_without_its_mark),
        TEST(what_is_no_character_is_told_with_its_place),
        TEST(a_mark_that_contradicts_is_refused),
        TEST(long_text_comes_whole),
    };

    return cmocka_run_group_tests_name("codec/charset", tests, NULL, NULL);
}
