/* A source of several files in a folder, or of a command, and what it gives printed as text. */
#ifndef PURSER_TESTS_SOURCE_FILES_FIXTURE_H
#define PURSER_TESTS_SOURCE_FILES_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/io/source.h"

static const struct value no_vars = {.kind = VALUE_MAP};

static struct err err;
static struct diagnostics diagnostics;
static struct spec spec;
static struct spec_job job;
static struct source *source;
static struct state_directory ledger;
static struct source_store store;
static struct arena template_arena;
static struct buf out;
static char folder[64], path[128];
static int64_t live_before;
static int lowest_free_before;

static inline int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

static inline void file_name(char name_out[128], const char *name)
{
    snprintf(name_out, 128, "%s/%s", folder, name);
}

static inline void write_bytes(const char *name, const char *bytes, size_t length)
{
    char full[128];
    FILE *file;

    file_name(full, name);
    file = fopen(full, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static inline int set_up(void **state)
{
    (void)state;
    live_before = mem_test_live_count();
    lowest_free_before = lowest_free_descriptor();
    memset(&err, 0, sizeof err);
    source = NULL;
    diagnostics_init(&diagnostics);
    arena_init(&template_arena, 1024 * 1024);
    buf_init(&out, 64 * 1024 * 1024);
    snprintf(folder, sizeof folder, "/tmp/purser-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    file_name(path, "*.csv");
    spec = (struct spec){.file = "spec.yaml", .folder = folder, .jobs = &job, .job_count = 1};
    job = (struct spec_job){
        .name = "rows",
        .source = {.kind = SOURCE_CSV,
                   .path = path,
                   .is_pattern = true,
                   .place = {.file = "spec.yaml", .line = 12, .column = 10},
                   .encoding_place = {.file = "spec.yaml", .line = 13, .column = 17},
                   .delimiter = ',',
                   .quote = '"',
                   .timeout_ms = 60000}};
    ledger = (struct state_directory){.fd = open(folder, O_RDONLY | O_DIRECTORY), .lock_fd = -1};
    snprintf(ledger.path, sizeof ledger.path, "%s", folder);
    store = (struct source_store){.directory = &ledger};
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    source_close(source);
    close(ledger.fd);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&template_arena);
    buf_deinit(&out);
    assert_int_equal(mem_test_live_count(), live_before);
    assert_int_equal(lowest_free_descriptor(), lowest_free_before);
    for (const char *const *name = (const char *const[]){"1.csv", "2.csv", "3.csv", "a.csv.gz",
                                                         "rows.rows", "rows.old", NULL};
         *name != NULL; name++) {
        char full[128];

        file_name(full, *name);
        unlink(full);
    }
    assert_int_equal(rmdir(folder), 0); /* nothing else was left there */
    return 0;
}

static inline void open_source(const struct source_store *with)
{
    source_close(source);
    source = NULL;
    if (source_open(&spec, &job, with, &diagnostics, &source, &err) != ERR_OK) {
        diagnostics_print(&diagnostics, &out);
        fail_msg("%s\n%s", err.text, buf_text(&out));
    }
}

static inline void assert_printed(const char *text)
{
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    if (strstr(buf_text(&out), text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, buf_text(&out));
}

static inline void refuse_to_open(enum err_code code, const char *text)
{
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), code);
    assert_null(source);
    assert_printed(text);
}

static inline enum err_code print_units(void)
{
    struct unit unit;
    enum err_code code;

    buf_clear(&out);
    while ((code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK) {
        const char *name = strrchr(unit.file, '/');

        assert_string_equal(unit.file, source_file_name(source, unit.file_number));
        buf_append_format(&out, "%s:%u ", name == NULL ? unit.file : name + 1, unit.line);
        value_append_json(&out, &unit.rows);
        buf_append_byte(&out, '\n');
    }
    return code;
}

static inline void assert_units(const char *expected)
{
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    if (print_units() != ERR_NOT_FOUND)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&out), expected);
}

/* All rows as source_read_span() gives them, behind the header. */
static inline void assert_given_back(const char *expected)
{
    struct unit unit;
    struct buf bytes;

    buf_init(&bytes, 1024 * 1024);
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    assert_int_equal(source_header(source, &bytes, &err), ERR_OK);
    while (source_next(source, &unit, &diagnostics, &err) == ERR_OK)
        for (size_t i = 0; i < unit.span_count; i++)
            assert_int_equal(source_read_span(source, &unit.spans[i], &bytes, &err), ERR_OK);
    assert_string_equal(buf_text(&bytes), expected);
    buf_deinit(&bytes);
}

static inline void group_by_name(void)
{
    const struct scope scope = {.parts = SCOPE_ROW | SCOPE_VARS, .vars = &no_vars};
    const struct yaml_node *node = NULL;

    assert_int_equal(
        yaml_parse(&template_arena, "spec.yaml", "${row.name}", 11, &node, &diagnostics), ERR_OK);
    source_set_group_by(source, text_template_compile(&template_arena, node, &scope, &diagnostics),
                        &no_vars);
}

#endif
