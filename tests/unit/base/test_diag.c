#include "purser/base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"

static struct diagnostics diagnostics;
static struct buf out;
static char file[] = "/tmp/test_diag_XXXXXX";

static int setup(void **state)
{
    (void)state;
    memcpy(file, "/tmp/test_diag_XXXXXX", sizeof file);
    close(mkstemp(file));
    diagnostics_init(&diagnostics);
    buf_init(&out, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    unlink(file);
    diagnostics_deinit(&diagnostics);
    buf_deinit(&out);
    return mem_test_live_count() == 0 ? 0 : -1;
}

static void write_file(const char *text)
{
    FILE *stream = fopen(file, "w");

    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

static struct place at(uint32_t line, uint32_t column, uint32_t width)
{
    return (struct place){.file = file, .line = line, .column = column, .width = width};
}

/* What is printed, without the name of the file in front. */
static const char *printed(void)
{
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    assert_memory_equal(buf_text(&out), file, strlen(file));
    return buf_text(&out) + strlen(file);
}

static void message_shows_its_line_a_caret_and_help(void **state)
{
    (void)state;
    write_file("a: 1\njobs:\n    conection: shop\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(3, 5, 9), "spec.unknown_key",
                    "did you mean 'connection'?", "unknown key '%s'", "conection");
    assert_string_equal(printed(), ":3:5: error: unknown key 'conection'   [spec.unknown_key]\n"
                                   "    3 |     conection: shop\n"
                                   "      |     ^~~~~~~~~\n"
                                   "      help: did you mean 'connection'?\n");
    assert_true(diagnostics_has_errors(&diagnostics));
}

static void line_with_a_secret_is_not_printed_by_any_message(void **state)
{
    (void)state;
    write_file("{ platfom: X, access_token: sk_live_123 }\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 3, 7), "spec.unknown_key", NULL, "unknown");
    diagnostics_add(&diagnostics, DIAG_ERROR | DIAG_HIDE_LINE, at(1, 29, 1), "spec.secret_literal",
                    NULL, "a token");
    assert_null(strstr(printed(), "sk_live_123"));
    assert_int_equal(diagnostics.error_count, 2);
    assert_int_equal(diagnostics.warning_count, 0);
}

static void line_that_names_a_secret_is_not_printed(void **state)
{
    static const char *const hidden[] = {"access_token: abc123\n", "Client_Secret : \"abc123\n",
                                         "a: {b: 1, acess_tokn: abc123}\n", "password:abc123\n"};

    (void)state;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        write_file(hidden[i]);
        diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 1, 1), "c", NULL, "t");
        assert_null(strstr(printed(), "abc123"));
        diagnostics_deinit(&diagnostics);
    }
    write_file("access_token: { env: RUTTER_ACCESS_TOKEN }\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 1, 1), "c", NULL, "t");
    assert_non_null(strstr(printed(), "RUTTER_ACCESS_TOKEN"));
}

static void columns_are_characters_and_tabs_one_space(void **state)
{
    (void)state;
    write_file("gr\xc3\xb6\xc3\x9f"
               "e:\t\"\xc3\xa4 ${row.prize} \xc3\xa9\"\r\n");
    diagnostics_add(&diagnostics, DIAG_WARNING, at(1, 17, 5), "expr.column", NULL, "no column");
    assert_string_equal(printed(), ":1:17: warning: no column   [expr.column]\n"
                                   "    1 | gr\xc3\xb6\xc3\x9f"
                                   "e: \"\xc3\xa4 ${row.prize} \xc3\xa9\"\n"
                                   "      |                 ^~~~~\n");
}

static void caret_stands_under_wide_and_combining_characters(void **state)
{
    (void)state;
    write_file("\xe4\xb8\xad"
               "e\xcc\x81\xff x\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 6, 0), "c", NULL, "t");
    assert_string_equal(printed(), ":1:6: error: t   [c]\n"
                                   "    1 | \xe4\xb8\xad"
                                   "e\xcc\x81? x\n"
                                   "      |      ^\n");
}

static void byte_order_mark_is_no_column(void **state)
{
    (void)state;
    write_file("\xef\xbb\xbf"
               "abc\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 2, 1), "c", NULL, "t");
    assert_string_equal(printed(), ":1:2: error: t   [c]\n    1 | abc\n      |  ^\n");
}

static void long_line_is_cut_around_its_place(void **state)
{
    char text[402];
    const char *caret_line;

    (void)state;
    memset(text, 'x', 400);
    memcpy(text + 200, "HERE", 4);
    memcpy(text + 400, "\n", 2);
    write_file(text);
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 201, 300), "c", NULL, "t");
    printed();
    assert_non_null(strstr(buf_text(&out), "    1 | \xe2\x80\xa6xxx"));
    assert_non_null(strstr(buf_text(&out), "xxx\xe2\x80\xa6\n      | "));
    caret_line = strstr(buf_text(&out), "\n      | ") + 9;
    assert_int_equal(strspn(caret_line, " "), 61);
    assert_int_equal(strcspn(caret_line, "\n"), 101); /* not wider than what is shown */
}

static void place_past_the_end_of_its_line_points_behind_it(void **state)
{
    (void)state;
    write_file("abc\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 99, 5), "c", NULL, "t");
    assert_string_equal(printed(), ":1:99: error: t   [c]\n    1 | abc\n      |    ^\n");
}

static void place_that_cannot_be_shown_shows_no_line(void **state)
{
    const size_t length = 70000;
    char *text = mem_new(length + 2, 1);

    (void)state;
    write_file("abc\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(2, 1, 1), "c", NULL, "behind the end");
    assert_string_equal(printed(), ":2:1: error: behind the end   [c]\n");
    diagnostics_deinit(&diagnostics);
    memset(text, 'x', length);
    text[length] = '\n';
    write_file(text);
    mem_free(text);
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 66000, 1), "c", NULL, "far right");
    assert_string_equal(printed(), ":1:66000: error: far right   [c]\n");
    diagnostics_deinit(&diagnostics);
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 65000, 1), "c", NULL, "t");
    assert_non_null(strstr(printed(), "\n    1 | \xe2\x80\xa6xxx"));
}

static void line_is_cut_only_when_it_is_long(void **state)
{
    char text[200];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + 100, "\n", 2);
    write_file(text);
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 99, 1), "c", NULL, "t");
    assert_null(strstr(printed(), "\xe2\x80\xa6"));
    memcpy(text + 100, "x\n", 3);
    write_file(text);
    assert_non_null(strstr(printed(), "1 | \xe2\x80\xa6x"));
    assert_null(strstr(buf_text(&out), "x\xe2\x80\xa6\n")); /* up to the end of the line */
}

static void messages_come_by_place_and_files_as_they_came_up(void **state)
{
    struct place other = {.file = "/nonexistent/b.csv", .line = 1, .column = 1};
    struct place last = {.file = "/nonexistent/a.csv", .line = 1, .column = 1};

    (void)state;
    write_file("one\ntwo\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(2, 3, 1), "c", NULL, "third");
    diagnostics_add(&diagnostics, DIAG_ERROR, other, "c", NULL, "fourth");
    diagnostics_add(&diagnostics, DIAG_ERROR, last, "c", NULL, "sixth");
    other.line = 2;
    diagnostics_add(&diagnostics, DIAG_ERROR, other, "c", NULL, "fifth");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(2, 1, 1), "c", NULL, "second");
    diagnostics_add(&diagnostics, DIAG_WARNING, at(1, 1, 1), "c", NULL, "first");
    printed();
    assert_true(strstr(buf_text(&out), "first") < strstr(buf_text(&out), "second"));
    assert_true(strstr(buf_text(&out), "second") < strstr(buf_text(&out), "third"));
    assert_true(strstr(buf_text(&out), "third") < strstr(buf_text(&out), "fourth"));
    assert_true(strstr(buf_text(&out), "fourth") < strstr(buf_text(&out), "fifth"));
    assert_true(strstr(buf_text(&out), "fifth") < strstr(buf_text(&out), "sixth"));
    assert_non_null(strstr(buf_text(&out), "    2 | two\n      |   ^\n"));
    assert_non_null(strstr(buf_text(&out), "    2 | two\n      | ^\n"));
    assert_non_null(strstr(buf_text(&out), "/nonexistent/b.csv:1:1: error: fourth   [c]\n"));
}

static void place_without_column_or_file_shows_no_line(void **state)
{
    (void)state;
    write_file("secret\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 0, 0), "c", NULL, "t");
    assert_string_equal(printed(), ":1: error: t   [c]\n");
    diagnostics_deinit(&diagnostics);
    diagnostics_add(&diagnostics, DIAG_ERROR, (struct place){0}, "c", "h", "t");
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    assert_string_equal(buf_text(&out), "error: t   [c]\n      help: h\n");
}

static void pipe_is_not_opened_for_its_line(void **state)
{
    (void)state;
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 1, 1), "c", NULL, "t");
    assert_string_equal(printed(), ":1:1: error: t   [c]\n");
}

static void messages_and_lines_cannot_drive_a_terminal(void **state)
{
    (void)state;
    write_file("a\x1b[2Jb\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 1, 1), "c", "\x1b[1m", "cell '%s'", "\x1b[2J");
    printed();
    assert_null(strchr(buf_text(&out), '\x1b'));
}

static void twenty_are_shown_errors_first_and_the_rest_counted(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 15; i++)
        diagnostics_add(&diagnostics, DIAG_WARNING, at(i, 0, 0), "c", NULL, "w%u.", i);
    for (uint32_t i = 1; i <= 19; i++)
        diagnostics_add(&diagnostics, DIAG_ERROR, at(i, 0, 0), "c", NULL, "e%u.", i);
    printed();
    assert_non_null(strstr(buf_text(&out), "e19."));
    assert_non_null(strstr(buf_text(&out), "w1."));
    assert_null(strstr(buf_text(&out), "w2."));
    assert_true(strstr(buf_text(&out), "w1.") < strstr(buf_text(&out), "e1."));
    assert_non_null(strstr(buf_text(&out), "\n\xe2\x80\xa6 and 14 more warnings\n"));
    for (uint32_t i = 0; i < 300; i++)
        diagnostics_add(&diagnostics, DIAG_ERROR, at(50 + i, 0, 0), "c", NULL, "late");
    diagnostics_add(&diagnostics, DIAG_WARNING, at(50, 0, 0), "c", NULL, "late");
    assert_int_equal(diagnostics.count, DIAG_KEPT_MAX);
    printed();
    assert_null(strstr(buf_text(&out), "w1."));
    assert_non_null(
        strstr(buf_text(&out), "\n\xe2\x80\xa6 and 299 more errors and 16 more warnings\n"));
    buf_clear(&out);
    diagnostics_print_json(&diagnostics, &out);
    assert_null(strstr(buf_text(&out), "warning")); /* errors took their places */
}

static void long_message_is_cut_at_a_character(void **state)
{
    char text[2 * DIAG_TEXT_BYTES_MAX];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + DIAG_TEXT_BYTES_MAX - 1, "\xc3\xb6", 2);
    text[sizeof text - 1] = '\0';
    diagnostics_add(&diagnostics, DIAG_ERROR, at(0, 0, 0), "c", text, "%s", text);
    printed();
    assert_null(strchr(buf_text(&out), '?'));
    assert_non_null(strstr(buf_text(&out), "xxx   [c]\n"));
}

static void without_memory_errors_are_still_counted(void **state)
{
    (void)state;
    for (int64_t nth = 0; nth < 4; nth++) {
        mem_test_fail(nth, 1);
        diagnostics_add(&diagnostics, DIAG_ERROR, at(1, 1, 1), "c", "help", "text");
        mem_test_fail(-1, 0);
        assert_int_equal(diagnostics.error_count, nth + 1);
    }
    assert_int_equal(diagnostics.count, 1);
}

static void json_has_every_field_or_null(void **state)
{
    (void)state;
    diagnostics_add(&diagnostics, DIAG_WARNING, (struct place){"a\"b", 3, 4, 5}, "x.y", "do \"z\"",
                    "t\n");
    diagnostics_add(&diagnostics, DIAG_ERROR, (struct place){0}, "c", NULL, "u");
    buf_clear(&out);
    diagnostics_print_json(&diagnostics, &out);
    assert_string_equal(
        buf_text(&out),
        "[{\"severity\":\"warning\",\"code\":\"x.y\",\"message\":\"t\\n\",\"file\":\"a\\\"b\","
        "\"line\":3,\"column\":4,\"help\":\"do \\\"z\\\"\"},"
        "{\"severity\":\"error\",\"code\":\"c\",\"message\":\"u\",\"file\":null,"
        "\"line\":null,\"column\":null,\"help\":null}]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Two jobs that read one file find the same fault in it. */
static void the_same_message_is_told_once(void **state)
{
    (void)state;
    for (int job = 0; job < 2; job++) {
        diagnostics_add(&diagnostics, DIAG_ERROR, at(2, 3, 1), "data.type", NULL, "no number");
        diagnostics_add(&diagnostics, DIAG_ERROR, at(2, 4, 1), "data.type", NULL, "no number");
        diagnostics_add(&diagnostics, DIAG_ERROR, at(2, 3, 1), "data.type", NULL, "no date");
    }
    assert_int_equal(diagnostics.error_count, 3);
    assert_int_equal(diagnostics.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(message_shows_its_line_a_caret_and_help),
        TEST(line_with_a_secret_is_not_printed_by_any_message),
        TEST(line_that_names_a_secret_is_not_printed),
        TEST(columns_are_characters_and_tabs_one_space),
        TEST(caret_stands_under_wide_and_combining_characters),
        TEST(byte_order_mark_is_no_column),
        TEST(long_line_is_cut_around_its_place),
        TEST(place_past_the_end_of_its_line_points_behind_it),
        TEST(place_that_cannot_be_shown_shows_no_line),
        TEST(line_is_cut_only_when_it_is_long),
        TEST(messages_come_by_place_and_files_as_they_came_up),
        TEST(place_without_column_or_file_shows_no_line),
        TEST(pipe_is_not_opened_for_its_line),
        TEST(messages_and_lines_cannot_drive_a_terminal),
        TEST(twenty_are_shown_errors_first_and_the_rest_counted),
        TEST(long_message_is_cut_at_a_character),
        TEST(without_memory_errors_are_still_counted),
        TEST(json_has_every_field_or_null),
        TEST(the_same_message_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
