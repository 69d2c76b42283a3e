/* Specs with rows of their own, read as a run reads them; INTAKE_TEST(name) in the list of tests.
 */
#ifndef PURSER_TESTS_INTAKE_FIXTURE_H
#define PURSER_TESTS_INTAKE_FIXTURE_H

#include "spec_fixture.h"

#include <stdio.h>

#include "purser/codec/openapi.h"
#include "purser/io/intake.h"

#define STARTED_MS 1764000000000

#define SHOPS                                \
    HEAD "api: { environment: simulator }\n" \
         "connections:\n"                    \
         "  blue: { platform: SHOPIFY }\n"   \
         "  red: { platform: SHOPIFY }\n"

static struct intake *intake;
static struct err why;
static struct buf rows; /* what intake_each() has handed on, a line for each */
static struct arena document_arena;

static inline int set_up_intake(void **state)
{
    intake = NULL;
    memset(&why, 0, sizeof why);
    buf_init(&rows, 1 << 20);
    arena_init(&document_arena, OPENAPI_ARENA_BYTES_MAX);
    return setup(state);
}

static inline int tear_down_intake(void **state)
{
    mem_test_fail(-1, 0);
    intake_close(intake);
    buf_deinit(&rows);
    arena_deinit(&document_arena);
    return teardown(state);
}

/* Lets go of it, to load another one. */
static inline void forget_spec(void)
{
    mem_test_fail(-1, 0);
    intake_close(intake);
    intake = NULL;
    arena_deinit(&document_arena);
    arena_deinit(&arena);
    diagnostics_deinit(&diagnostics);
    memset(&why, 0, sizeof why);
}

static inline void load_spec(const char *yaml)
{
    forget_spec();
    (void)loaded(yaml);
    spec.validation = VALIDATE_OFF;
}

static inline void load_document(const char *document, enum validation validation)
{
    spec.validation = validation;
    spec.api.openapi = "api.yaml";
    if (openapi_load(&document_arena, "api.yaml", document, strlen(document), &spec.document,
                     &diagnostics, &why) != ERR_OK)
        fail_msg("%s", why.text);
}

static inline enum err_code printed(enum err_code code)
{
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    return code;
}

static inline enum err_code open_intake(void)
{
    return printed(intake_open(&spec, 7, STARTED_MS, &diagnostics, &intake, &why));
}

static inline enum err_code check(void)
{
    return printed(intake_check(intake, &why));
}

static inline void must_be(enum err_code code, enum err_code expected)
{
    if (code != expected)
        fail_msg("%d instead of %d: %s\n%s", (int)code, (int)expected, why.text, buf_text(&out));
}

static inline void assert_told(const char *message)
{
    if (strstr(buf_text(&out), message) == NULL)
        fail_msg("\"%s\" is not in:\n%s", message, buf_text(&out));
}

/* Loads it, and it is right. */
static inline void check_right(const char *yaml)
{
    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
    must_be(check(), ERR_OK);
}

/* Loads it, and its rows are refused with this. */
static inline void assert_rows_refused(const char *yaml, const char *message)
{
    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
    if (check() == ERR_OK)
        fail_msg("not refused with \"%s\":\n%.1000s", message, yaml);
    must_be(why.code, ERR_INPUT);
    assert_told(message);
}

static inline enum err_code print_row(void *context, const struct rendered_row *row,
                                      struct err *err)
{
    (void)context, (void)err;
    buf_append_format(&rows, "%s %.*s %s", spec.jobs[row->job_index].name, (int)row->key.length,
                      row->key.bytes, spec.connections[row->connection_index].alias);
    if (!row->condition)
        buf_append_text(&rows, " skipped");
    else if (row->is_draft)
        buf_append_text(&rows, " waits");
    else
        buf_append_format(&rows, " %.*s %.*s", (int)row->path.length, row->path.bytes,
                          (int)row->body.length, row->body.bytes);
    buf_append_byte(&rows, '\n');
    return ERR_OK;
}

static inline enum err_code print_rows(void)
{
    buf_clear(&rows);
    return intake_each(intake, print_row, NULL, &why);
}

static inline void assert_rows(const char *expected)
{
    must_be(print_rows(), ERR_OK);
    assert_string_equal(buf_text(&rows), expected);
}

static inline enum err_code pass_over_row(void *context, const struct rendered_row *row,
                                          struct err *err)
{
    (void)context, (void)row, (void)err;
    return ERR_OK;
}

/* Checks the rows of `format`, in which a text of changing length pads the arena of a row, so that
 * each of what is asked for is the first of a block once; and each call for memory fails once.
 * `set` prepares the intake. A lack of memory is told as such, of whatever it was. */
static inline void lack_memory(const char *format, void (*set)(void))
{
    enum { BLOCK = 16 * 1024, LAST = 1500 };
    static char yaml[BLOCK + 4096], pad[BLOCK];
    unsigned failed = 0;

    memset(pad, 'p', sizeof pad);
    for (int length = BLOCK - 17; length > BLOCK - LAST; length -= 16) {
        snprintf(yaml, sizeof yaml, format, length, pad);
        load_spec(yaml);
        for (int64_t nth = 0; nth < 100; nth++) {
            uint64_t failures = mem_failure_count();
            enum err_code code;

            intake_close(intake);
            intake = NULL;
            diagnostics_deinit(&diagnostics);
            must_be(open_intake(), ERR_OK);
            set();
            mem_test_fail(nth, 0);
            code = intake_check(intake, &why);
            if (code == ERR_OK)
                code = intake_each(intake, pass_over_row, NULL, &why);
            mem_test_fail(-1, 0);
            if (mem_failure_count() == failures) {
                must_be(code, ERR_OK);
                break;
            }
            failed++;
            must_be(code, ERR_NO_MEMORY);
        }
    }
    assert_true(failed > 100);
}

#define INTAKE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_intake, tear_down_intake)

#endif
