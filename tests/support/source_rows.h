/* All rows of a source of files or of a command, read twice as a run reads them. */
#ifndef PURSER_TESTS_SOURCE_ROWS_H
#define PURSER_TESTS_SOURCE_ROWS_H

#include "source_files_fixture.h"

static const char expected[] = "sku=A sku=B ";

/* What all the rows are; ERR_NOT_FOUND at their end. */
static inline enum err_code read_rows(const struct source_store *with, struct buf *rows)
{
    struct unit unit;
    enum err_code code = source_open(&spec, &job, with, &diagnostics, &source, &err);

    if (code != ERR_OK)
        return code;
    for (int pass = 0; pass < 2 && (pass == 0 || code == ERR_NOT_FOUND); pass++) {
        buf_clear(rows);
        code = source_rewind(source, false, &err);
        while (code == ERR_OK && (code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK)
            buf_append_format(rows, "sku=%.*s ", (int)unit.row.map.values[0].text.length,
                              unit.row.map.values[0].text.bytes);
    }
    if (code == ERR_NOT_FOUND && with != NULL && source_keep(source, &err) != ERR_OK)
        return err.code;
    return code;
}

static inline void start_again(void)
{
    source_close(source);
    source = NULL;
    diagnostics_deinit(&diagnostics);
    diagnostics_init(&diagnostics);
    err = (struct err){0};
}

static inline void two_files(void)
{
    write_text("1.csv", "sku,name\nA,x\n");
    write_text("2.csv", "sku,name\nB,y\n");
}

static inline void use_command(const char *const *command)
{
    job.source.origin = ORIGIN_COMMAND;
    job.source.is_pattern = false;
    job.source.path = NULL;
    job.source.command = command;
}

#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
