/* A spec's scalar, a row given as JSON, and everything between them, for tests of the codec. */
#ifndef TESTS_SUPPORT_EXPR_FIXTURE_H
#define TESTS_SUPPORT_EXPR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/codec/expr.h"
#include "purser/codec/json.h"
#include "purser/core/limits.h"

struct fixture {
    struct arena spec_arena, unit_arena;
    struct diagnostics diagnostics;
    struct buf out;
    struct scope scope;
    struct value row, rows, vars, item, run, response;
    struct environment environment;
    struct eval_error error;
};

static struct fixture fixture;

static struct value fixture_json(struct arena *arena, const char *text)
{
    struct value value;
    struct err err = {0};

    if (json_parse(arena, text, strlen(text), &value, &err) != ERR_OK)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static int fixture_setup(void **state)
{
    struct fixture *f = &fixture;

    (void)state;
    memset(f, 0, sizeof *f);
    arena_init(&f->spec_arena, SPEC_ARENA_BYTES_MAX);
    arena_init(&f->unit_arena, UNIT_ARENA_BYTES_MAX);
    diagnostics_init(&f->diagnostics);
    buf_init(&f->out, BODY_BYTES_MAX);
    f->scope.parts = SCOPE_ROW | SCOPE_VARS | SCOPE_ITEM | SCOPE_RUN;
    f->vars = fixture_json(&f->spec_arena, "{\"brand\":\"Rutter\",\"rate\":1.19}");
    f->item = fixture_json(&f->spec_arena, "{\"key\":\"K1\",\"index\":0,\"line\":12}");
    f->run = fixture_json(&f->spec_arena, "{\"id\":3,\"started_at\":\"2026-11-26T21:45:00Z\"}");
    f->scope.vars = &f->vars;
    f->environment = (struct environment){
        .row = &f->row,
        .rows = &f->rows,
        .vars = &f->vars,
        .item = &f->item,
        .run = &f->run,
        .arena = &f->unit_arena,
    };
    return 0;
}

static int fixture_teardown(void **state)
{
    struct fixture *f = &fixture;

    (void)state;
    mem_test_fail(-1, 0);
    arena_deinit(&f->spec_arena);
    arena_deinit(&f->unit_arena);
    diagnostics_deinit(&f->diagnostics);
    buf_deinit(&f->out);
    return mem_test_live_count() == 0 ? 0 : -1;
}

static inline void fixture_row(const char *json)
{
    fixture.row = fixture_json(&fixture.spec_arena, json);
}

/* The names of the columns, as a CSV source gives them. */
static inline void fixture_columns(const struct slice *columns, size_t count)
{
    fixture.scope.columns = columns;
    fixture.scope.column_count = count;
    fixture.scope.source_name = "data/products.csv";
}

/* The value of `v:` in a YAML text, which must outlive the test's step. */
static inline const struct yaml_node *fixture_yaml(const char *yaml)
{
    const struct yaml_node *root = NULL;

    if (yaml_parse(&fixture.spec_arena, "spec.yaml", yaml, strlen(yaml), &root,
                   &fixture.diagnostics) != ERR_OK) {
        diagnostics_print(&fixture.diagnostics, &fixture.out);
        fail_msg("%s", buf_text(&fixture.out));
    }
    assert_non_null(yaml_get(root, "v"));
    return yaml_get(root, "v");
}

/* All messages so far, as printed, and forgets them. */
static inline const char *fixture_messages(void)
{
    buf_clear(&fixture.out);
    diagnostics_print(&fixture.diagnostics, &fixture.out);
    diagnostics_deinit(&fixture.diagnostics);
    return buf_text(&fixture.out);
}

#define assert_contains(text, part)                        \
    do {                                                   \
        const char *text_ = (text), *part_ = (part);       \
        if (strstr(text_, part_) == NULL)                  \
            fail_msg("'%s' is not in:\n%s", part_, text_); \
    } while (0)

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
