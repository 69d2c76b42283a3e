#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/buf.h"
#include "purser/base/mem.h"
#include "purser/base/rng.h"
#include "purser/codec/csv.h"
#include "purser/core/limits.h"

static struct err err;
static int64_t live_before; /* a test that failed leaves its blocks behind */

static int set_up(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    live_before = mem_test_live_count();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    assert_int_equal(mem_test_live_count(), live_before);
    return 0;
}

static void print_rows(struct csv_reader *reader, struct buf *out)
{
    struct csv_row row;
    size_t i;

    memset(&row, 0xff, sizeof row);
    while (csv_reader_take(reader, &row)) {
        buf_append_format(out, "%u@%llu+%llu", row.line, (unsigned long long)row.byte_offset,
                          (unsigned long long)row.byte_length);
        for (i = 0; i < row.count; i++) {
            buf_append_text(out, " <");
            buf_append(out, row.cells[i].bytes, row.cells[i].length);
            buf_append_byte(out, '>');
        }
        buf_append_byte(out, ';');
        memset(&row, 0xff, sizeof row);
    }
}

/* All rows of `text`, given in pieces of `step` bytes, each in a block of its own size. */
static enum err_code read_in_steps(const char *text, size_t length, size_t step, char delimiter,
                                   struct buf *out)
{
    struct csv_reader *reader = NULL;
    enum err_code code = csv_reader_open(delimiter, &reader, &err);
    size_t at;

    if (code != ERR_OK)
        return code;
    for (at = 0; at < length && code == ERR_OK; at += step) {
        size_t size = length - at < step ? length - at : step;
        char *piece = mem_copy_text(text + at, size);

        assert_non_null(piece);
        code = csv_reader_feed(reader, piece, size, &err);
        if (code == ERR_OK)
            print_rows(reader, out);
        mem_free(piece);
    }
    if (code == ERR_OK)
        code = csv_reader_finish(reader, &err);
    if (code == ERR_OK)
        print_rows(reader, out);
    csv_reader_close(reader);
    return code;
}

static void assert_rows(const char *text, const char *expected)
{
    size_t step;

    for (step = 1; step <= strlen(text) + 1; step++) {
        struct buf out;

        buf_init(&out, 1024 * 1024);
        if (read_in_steps(text, strlen(text), step, ',', &out) != ERR_OK)
            fail_msg("step %zu: %s", step, err.text);
        assert_string_equal(buf_text(&out), expected);
        buf_deinit(&out);
    }
}

static void assert_refused(const char *text, const char *message)
{
    size_t step;

    for (step = 1; step <= strlen(text); step++) {
        struct buf out;

        buf_init(&out, 1024 * 1024);
        memset(&err, 0, sizeof err);
        assert_int_equal(read_in_steps(text, strlen(text), step, ',', &out), ERR_INPUT);
        if (strncmp(err.text, message, strlen(message)) != 0)
            fail_msg("step %zu: \"%s\" does not begin with \"%s\"", step, err.text, message);
        buf_deinit(&out);
    }
}

static void rows_come_with_their_places(void **state)
{
    (void)state;
    assert_rows("sku,name\nA,b\nC,d\n", "1@0+9 <sku> <name>;2@9+4 <A> <b>;3@13+4 <C> <d>;");
}

static void the_last_row_needs_no_line_end(void **state)
{
    (void)state;
    assert_rows("a,b\nc,d", "1@0+4 <a> <b>;2@4+3 <c> <d>;");
    assert_rows("a,b\nc,", "1@0+4 <a> <b>;2@4+2 <c> <>;");
    assert_rows("a\n\"c\"", "1@0+2 <a>;2@2+3 <c>;");
    assert_rows("a", "1@0+1 <a>;");
    assert_rows("", "");
}

static void every_kind_of_line_end_is_understood(void **state)
{
    (void)state;
    assert_rows("a,b\r\nc,d\r\n", "1@0+5 <a> <b>;2@5+5 <c> <d>;");
    assert_rows("a,b\rc,d\r", "1@0+4 <a> <b>;2@4+4 <c> <d>;");
    assert_rows("a\r\rb\n\rc", "1@0+2 <a>;3@3+2 <b>;5@6+1 <c>;");
}

static void blank_lines_are_passed_over_and_counted(void **state)
{
    (void)state;
    assert_rows("\n\na\n\n\r\nb\n\n", "3@2+2 <a>;6@7+2 <b>;");
    assert_rows("a\n\"\"\n,\n", "1@0+2 <a>;2@2+3 <>;3@5+2 <> <>;");
}

static void quoted_cells_may_hold_anything(void **state)
{
    (void)state;
    assert_rows("\"a,b\",\"say \"\"hi\"\"\"\n\"two\r\nlines\n\n\",x\r\ny,z\n",
                "1@0+19 <a,b> <say \"hi\">;2@19+18 <two\r\nlines\n\n> <x>;6@37+4 <y> <z>;");
    assert_rows("\"\r\",b\n", "1@0+6 <\r> <b>;");
}

static void spaces_belong_to_the_cell(void **state)
{
    (void)state;
    assert_rows(" a ,\tb\n  \n", "1@0+7 < a > <\tb>;2@7+3 <  >;");
}

static void a_byte_order_mark_is_skipped_once(void **state)
{
    (void)state;
    assert_rows("\xef\xbb\xbfsku\nA\n", "1@3+4 <sku>;2@7+2 <A>;");
    assert_rows("\xef\xbb\xbf\"sku\"\n", "1@3+6 <sku>;");
    assert_rows("\xef\xbb\xbf\xef\xbb\xbfx\n", "1@3+5 <\xef\xbb\xbfx>;");
    assert_rows("\xef\xbbx\n", "1@0+4 <\xef\xbbx>;");
    assert_rows("\xef\n", "1@0+2 <\xef>;");
    assert_rows("\xef\xbb", "1@0+2 <\xef\xbb>;");
    assert_rows("a\n\xef\xbb\xbf\n", "1@0+2 <a>;2@2+4 <\xef\xbb\xbf>;");
    assert_rows("\xef\xbb\xbf", "");
}

static void another_delimiter_can_be_set(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(read_in_steps("a;b,c\n", 6, 100, ';', &out), ERR_OK);
    assert_int_equal(read_in_steps("\ta\t\t\n", 5, 100, '\t', &out), ERR_OK);
    assert_string_equal(buf_text(&out), "1@0+6 <a> <b,c>;1@0+5 <> <a> <> <>;");
    buf_deinit(&out);
}

static void misplaced_quotes_are_refused_with_their_line(void **state)
{
    (void)state;
    assert_refused("a\n5\" disk,b\n", "2: a quote in the middle");
    assert_refused("a\n\"x\ny\"z,b\n", "3: a quote in the middle");
    assert_refused("a\n\r\nb, \"c\"\n", "3: a quote in the middle");
    assert_refused("a\nb\n\"c\nd,e\n", "3: the file ends inside a quoted cell");
    assert_refused("a\n\"", "2: the file ends inside a quoted cell");
}

static void an_error_stays(void **state)
{
    struct csv_reader *reader;
    struct csv_row row;

    (void)state;
    assert_int_equal(csv_reader_open(',', &reader, &err), ERR_OK);
    assert_int_equal(csv_reader_feed(reader, "x\n1\"\ny\n", 7, &err), ERR_OK);
    assert_true(csv_reader_take(reader, &row));
    assert_false(csv_reader_take(reader, &row));
    assert_false(csv_reader_take(reader, &row));
    assert_int_equal(csv_reader_feed(reader, "z\n", 2, &err), ERR_INPUT);
    assert_int_equal(csv_reader_finish(reader, &err), ERR_INPUT);
    assert_false(csv_reader_take(reader, &row));
    csv_reader_close(reader);
}

static enum err_code read_buf(const struct buf *text)
{
    struct buf out;
    enum err_code code;

    buf_init(&out, 64 * 1024 * 1024);
    code = read_in_steps(text->bytes, text->length, 64 * 1024, ',', &out);
    buf_deinit(&out);
    return code;
}

static void rows_are_limited_in_bytes(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 2 * ROW_BYTES_MAX);
    buf_append_text(&text, "a\n\"");
    while (text.length < ROW_BYTES_MAX)
        buf_append_text(&text, "0123456789abcde\n");
    buf_truncate(&text, ROW_BYTES_MAX);
    buf_append_text(&text, "\"\n"); /* the row: ROW_BYTES_MAX */
    assert_int_equal(read_buf(&text), ERR_OK);
    buf_truncate(&text, text.length - 1);
    buf_append_text(&text, ",\n");
    assert_int_equal(read_buf(&text), ERR_TOO_BIG);
    assert_true(strncmp(err.text, "2: a row of more than", 21) == 0);
    buf_deinit(&text);
}

static void rows_are_limited_in_cells(void **state)
{
    struct buf text;
    size_t i;

    (void)state;
    buf_init(&text, 1024 * 1024);
    for (i = 1; i < ROW_COLUMNS_MAX; i++)
        buf_append_byte(&text, ',');
    buf_append_byte(&text, '\n');
    assert_int_equal(read_buf(&text), ERR_OK);
    buf_truncate(&text, text.length - 1);
    buf_append_text(&text, ",\n");
    assert_int_equal(read_buf(&text), ERR_TOO_BIG);
    assert_string_equal(err.text, "1: more than 4096 cells in a row");
    buf_deinit(&text);
}

static void lack_of_memory_is_told_and_leaks_nothing(void **state)
{
    static const char text[] =
        "sku,name\nA,\"b\nc\"\n1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,"
        "4,5,6,7,8,9,0,1,2,3,4,5\n";
    int64_t nth;

    (void)state;
    for (nth = 0; nth < 50; nth++) {
        struct csv_reader *reader = NULL;
        struct csv_row row;
        enum err_code code;

        mem_test_fail(nth, 1);
        code = csv_reader_open(',', &reader, &err);
        if (code == ERR_OK)
            code = csv_reader_feed(reader, text, sizeof text - 1, &err);
        while (code == ERR_OK && csv_reader_take(reader, &row))
            assert_true(row.count == 2 || row.count == 35);
        if (code == ERR_OK)
            code = csv_reader_finish(reader, &err);
        mem_test_fail(-1, 0);
        csv_reader_close(reader);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
    assert_in_range(nth, 3, 49);
}

/* Whatever was written by the rules is read back, and the spans are the rows' own bytes. */
static void random_rows_are_read_back_from_their_spans(void **state)
{
    static const char alphabet[] = "ab,;\"\r\n \xc3\xa9";
    struct rng rng;
    struct buf text, expected, out;
    size_t round, row, cell, i;

    (void)state;
    rng_init(&rng, 20261126);
    buf_init(&text, 1024 * 1024);
    buf_init(&expected, 1024 * 1024);
    buf_init(&out, 1024 * 1024);
    for (round = 0; round < 500; round++) {
        uint32_t line = 1;

        buf_clear(&text);
        buf_clear(&expected);
        buf_clear(&out);
        for (row = 0; row < 5; row++) {
            size_t start = text.length, lines = 0;
            struct buf cells;

            buf_init(&cells, 10000);
            for (cell = 0; cell < 3; cell++) {
                char bytes[8];
                size_t length = rng_below(&rng, sizeof bytes);

                for (i = 0; i < length; i++)
                    bytes[i] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
                for (i = 0; i < length; i++)
                    lines += bytes[i] == '\n' ||
                             (bytes[i] == '\r' && (i + 1 == length || bytes[i + 1] != '\n'));
                text_append_csv(&text, (struct slice){bytes, length}, ',', false);
                buf_append_byte(&text, cell < 2 ? ',' : '\n');
                buf_append_text(&cells, " <");
                buf_append(&cells, bytes, length);
                buf_append_byte(&cells, '>');
            }
            buf_append_format(&expected, "%u@%zu+%zu", line, start, text.length - start);
            buf_append(&expected, cells.bytes, cells.length);
            buf_append_byte(&expected, ';');
            line += (uint32_t)lines + 1;
            buf_deinit(&cells);
        }
        assert_int_equal(read_in_steps(text.bytes, text.length, 1 + rng_below(&rng, 9), ',', &out),
                         ERR_OK);
        assert_string_equal(buf_text(&out), buf_text(&expected));
    }
    buf_deinit(&text);
    buf_deinit(&expected);
    buf_deinit(&out);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_come_with_their_places),
        TEST(the_last_row_needs_no_line_end),
        TEST(every_kind_of_line_end_is_understood),
        TEST(blank_lines_are_passed_over_and_counted),
        TEST(quoted_cells_may_hold_anything),
        TEST(spaces_belong_to_the_cell),
        TEST(a_byte_order_mark_is_skipped_once),
        TEST(another_delimiter_can_be_set),
        TEST(misplaced_quotes_are_refused_with_their_line),
        TEST(an_error_stays),
        TEST(rows_are_limited_in_bytes),
        TEST(rows_are_limited_in_cells),
        TEST(lack_of_memory_is_told_and_leaks_nothing),
        TEST(random_rows_are_read_back_from_their_spans),
    };

    return cmocka_run_group_tests_name("codec/csv", tests, NULL, NULL);
}
