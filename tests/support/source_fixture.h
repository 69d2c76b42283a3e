/* A source over one file of a folder of its own, and what it gives printed as text. */
#ifndef PURSER_TESTS_SOURCE_FIXTURE_H
#define PURSER_TESTS_SOURCE_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/core/limits.h"
#include "purser/io/source.h"

static const struct value no_vars = {.kind = VALUE_MAP};

static const struct text_template *by_handle; /* ${row.h} */
static struct arena template_arena;

static struct err err;
static struct diagnostics diagnostics;
static struct spec spec;
static struct spec_job job;
static struct source *source;
static struct buf out;
static char folder[64], path[128];
static int64_t live_before;
static int lowest_free_before;

static inline int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    assert_int_not_equal(fd, -1);
    close(fd);
    return fd;
}

static inline const struct text_template *compile(const char *text)
{
    const struct scope scope = {.parts = SCOPE_ROW | SCOPE_VARS, .vars = &no_vars};
    const struct yaml_node *node = NULL;
    const struct text_template *compiled;

    assert_int_equal(
        yaml_parse(&template_arena, "spec.yaml", text, strlen(text), &node, &diagnostics), ERR_OK);
    compiled = text_template_compile(&template_arena, node, &scope, &diagnostics);
    assert_non_null(compiled);
    return compiled;
}

static inline int set_up(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    memset(&job, 0, sizeof job);
    live_before = mem_test_live_count();
    lowest_free_before = lowest_free_descriptor();
    source = NULL;
    diagnostics_init(&diagnostics);
    arena_init(&template_arena, 1024 * 1024);
    by_handle = compile("${row.h}");
    buf_init(&out, 64 * 1024 * 1024);
    snprintf(folder, sizeof folder, "/tmp/purser-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/rows", folder);
    spec = (struct spec){.file = "spec.yaml", .folder = "."};
    job.source = (struct spec_source){.kind = SOURCE_CSV,
                                      .path = path,
                                      .place = {.file = "spec.yaml", .line = 12, .column = 10},
                                      .delimiter = ',',
                                      .quote = '"'};
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    source_close(source);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&template_arena);
    buf_deinit(&out);
    unlink(path);
    rmdir(path);
    rmdir(folder);
    assert_int_equal(mem_test_live_count(), live_before);
    assert_int_equal(lowest_free_descriptor(), lowest_free_before);
    return 0;
}

static inline void write_file(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void open_source(void)
{
    if (source_open(&spec, &job, NULL, &diagnostics, &source, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static inline void open_text(const char *text)
{
    write_file(text, strlen(text));
    open_source();
}

static inline void print_messages(void)
{
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
}

static inline void assert_printed(const char *text)
{
    if (strstr(buf_text(&out), text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, buf_text(&out));
}

static inline void refuse_to_open(const char *text)
{
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_INPUT);
    assert_null(source);
    assert_true(diagnostics_has_errors(&diagnostics));
    print_messages();
    assert_printed(text);
}

/* All units as "index@line [rows]" lines. */
static inline enum err_code print_units(void)
{
    struct unit unit;
    enum err_code code;

    buf_clear(&out);
    memset(&unit, 0xff, sizeof unit);
    while ((code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK) {
        assert_int_equal(unit.rows.kind, VALUE_LIST);
        assert_int_equal(unit.rows.list.count, unit.span_count);
        assert_int_equal(unit.line, unit.spans[0].line);
        assert_memory_equal(&unit.row, &unit.rows.list.items[0], sizeof unit.row);
        buf_append_format(&out, "%llu@%u ", (unsigned long long)unit.index, unit.line);
        value_append_json(&out, &unit.rows);
        buf_append_byte(&out, '\n');
        memset(&unit, 0xff, sizeof unit);
    }
    return code;
}

static inline void assert_units(const char *expected)
{
    if (print_units() != ERR_NOT_FOUND)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&out), expected);
}

static const struct spec_column columns_of_all_types[] = {
    {.name = SLICE("i"), .type = COLUMN_INTEGER},
    {.name = SLICE("d"), .type = COLUMN_DECIMAL},
    {.name = SLICE("b"), .type = COLUMN_BOOLEAN},
    {.name = SLICE("t"), .type = COLUMN_DATE},
    {.name = SLICE("l"), .type = COLUMN_LIST, .separator = SLICE("|")},
    {.name = SLICE("s"), .type = COLUMN_STRING},
};

static inline void type_columns(void)
{
    job.source.columns = columns_of_all_types;
    job.source.column_count = 6;
}

#endif
