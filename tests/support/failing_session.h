/* A session with a ledger of one run, and parts of commands in it, where one call of the ledger
 * after the other fails, or the memory of the spec ends one step after the other. */
#ifndef PURSER_TESTS_FAILING_SESSION_H
#define PURSER_TESTS_FAILING_SESSION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "failing_ledger.h"
#include "purser/base/mem.h"
#include "purser/cli/comparison.h"
#include "purser/cli/decide.h"
#include "purser/cli/session.h"
#include "scratch.h"

enum { CALLS_MAX = 400, ARENA_STEP = 16, ARENA_STEPS_MAX = 4000, STARTED_MS = 1700000000 };

static const char spec_text[] =
    "purser: 1\nname: catalogue\n"
    "api: { environment: \"http://127.0.0.1:9/versioned\" }\n"
    "connections:\n"
    "  shop: { access_token: { env: T } }\n"
    "  books: { access_token: { env: T } }\n"
    "defaults: { connection: shop }\n"
    "schedule: { cron: \"0 * * * *\" }\n"
    "jobs:\n"
    "  products:\n"
    "    source: { inline: [ { id: A }, { id: B } ], key: \"${row.id}\" }\n"
    "    when_changed: resend\n"
    "    request: POST /products\n"
    "    body: { product: { name: \"${row.id}\", description: x, variants: [] } }\n"
    "    outputs: { id: \"${response.product.id}\" }\n"
    "    undo: DELETE /products/${outputs.id}\n"
    "    reconcile: { request: GET /products, filter: 'id = \"${item.key}\"' }\n"
    "  variants:\n"
    "    needs: { product: { job: products, key: \"${row.of}\" } }\n"
    "    source: { inline: [ { id: V, of: A } ], key: \"${row.id}\" }\n"
    "    order_by: ${row.of}\n"
    "    request: PATCH /products/${needs.product.outputs.id}\n"
    "    body: { product: { name: \"${row.id}\" } }\n"
    "    undo:\n"
    "      request: PATCH /products/${needs.product.outputs.id}\n"
    "      body: { product: { name: \"as before\" } }\n"
    "  publish:\n"
    "    needs: [products, variants]\n"
    "    source: { inline: [ { id: P } ], key: \"${row.id}\" }\n"
    "    request: PATCH /products/${row.id}\n"
    "    body: { product: { status: active } }\n";

static struct options options;
static struct session session;

static void must(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        fail_msg("%d: %s", (int)code, err->text);
}

static void open_session(bool write)
{
    struct err err = {0};

    session_init(&session, &options);
    if (session_load_spec(&session, &err) != ERR_OK) {
        struct buf out;

        buf_init(&out, 1 << 16);
        diagnostics_print(&session.diagnostics, &out);
        fail_msg("%s", buf_text(&out));
    }
    must(session_open_ledger(&session, write, &err), &err);
}

static enum err_code compare(bool write, struct err *err)
{
    struct comparison comparison;
    enum err_code code = comparison_open(
        &session, &(struct comparison_options){.started_ms = STARTED_MS}, &comparison, err);

    if (code == ERR_OK)
        code = comparison_walk(&comparison, write, NULL, NULL, err);
    comparison_close(&comparison);
    return code;
}

static void commit(void)
{
    struct err err = {0};

    must(decide_commit(session.ledger, true, &err), &err);
}

/* The item of this number has succeeded in run 1. */
static void succeed(uint64_t number, const char *answer)
{
    const struct ledger_ops *ops = session.ledger->ops;
    struct item before, item;
    struct err err = {0};

    must(ops->read_item(session.ledger, number, &before, &err), &err);
    item = before;
    item.state = ITEM_SUCCEEDED;
    item.waits_on = WAIT_NONE;
    item.waits_for = 0;
    item.attempt_total = item.sent_run = 1;
    must(ops->put_item(session.ledger, number, &before, &item, &err), &err);
    must(ops->put_result(session.ledger, number,
                         &(struct result_record){.http_status = 200, .body = slice_of(answer)},
                         &err),
         &err);
    must(ops->put_attempt(
             session.ledger, number,
             &(struct attempt_record){
                 .generation = 1, .state = ITEM_SUCCEEDED, .http_status = 200, .run = 1},
             &err),
         &err);
}

/* A ledger of one run: A, B and V have succeeded, P waits. */
static int make_world(void **context)
{
    struct connection_record shop = {.learned_rate_millis = 2000,
                                     .parked_since_ms = STARTED_MS,
                                     .parked_reason = SLICE("needs_update"),
                                     .link_url = SLICE("https://link.example/1"),
                                     .detail = SLICE("signed out")};
    struct run_record run = {.started_ms = STARTED_MS, .ended_ms = STARTED_MS + 1, .sent = 3};
    struct err err = {0};
    FILE *file;

    if (scratch_make(context) != 0 || setenv("RUTTER_CLIENT_ID", "id", 1) != 0 ||
        setenv("RUTTER_CLIENT_SECRET", "secret-of-a-test", 1) != 0 ||
        setenv("T", "11111111-1111-4111-8111-111111111111", 1) != 0)
        return -1;
    options = (struct options){.spec_file = strdup(below("spec.yaml")),
                               .state_root = strdup(below("state")),
                               .quiet = true,
                               .limit = UINT64_MAX};
    file = fopen(options.spec_file, "we");
    assert_non_null(file);
    assert_true(fputs(spec_text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    open_session(true);
    must(compare(true, &err), &err);
    succeed(1, "{\"product\":{\"id\":\"p-A\"}}");
    succeed(2, "{\"product\":{\"id\":\"p-B\"}}");
    succeed(3, "{\"product\":{\"id\":\"p-A\"}}");
    must(session.ledger->ops->put_run(session.ledger, 1, &run, &err), &err);
    must(session.ledger->ops->put_connection(session.ledger, 0, &shop, &err), &err);
    commit();
    session_deinit(&session);
    return 0;
}

static int remove_world(void **context)
{
    free((char *)options.spec_file);
    free((char *)options.state_root);
    return scratch_remove(context);
}

/* What is done where something fails. */
typedef enum err_code part_fn(struct err *err);

/* For each call of the ledger: it fails, and so does the part, with that error. */
static void fails_with_each_call(size_t which, part_fn *part, bool writes)
{
    for (uint64_t number = 1;; number++) {
        int64_t live_before = mem_test_live_count();
        struct ledger *real;
        struct err err = {0};
        enum err_code code;

        assert_true(number < CALLS_MAX);
        open_session(writes);
        real = session.ledger;
        session.ledger = fail_call(real, number, ERR_NO_MEMORY);
        code = part(&err);
        session.ledger = real;
        session_deinit(&session);
        assert_int_equal(mem_test_live_count(), live_before);
        if (failing.calls < number) {
            must(code, &err);
            if (number == 1)
                fail_msg("part %zu makes no call", which);
            return;
        }
        if (code != ERR_NO_MEMORY || strcmp(err.text, "the ledger does not want") != 0)
            fail_msg("part %zu: call %u, %s, failed, and this came of it: %d, '%s'", which,
                     (unsigned)number, failing.name, (int)code, err.text);
    }
}

/* What reads expressions says it so, at the place of the expression. */
static bool has_message(const char *text)
{
    struct buf out;
    bool found;

    buf_init(&out, 1 << 16);
    diagnostics_print(&session.diagnostics, &out);
    found = strstr(buf_text(&out), text) != NULL;
    buf_deinit(&out);
    return found;
}

/* For each step of the spec's memory: it ends there, and so does the part. */
static void fails_without_memory(part_fn *part, bool writes)
{
    for (size_t step = 0;; step++) {
        int64_t live_before = mem_test_live_count();
        struct err err = {0};
        enum err_code code;
        bool is_told;

        assert_true(step < ARENA_STEPS_MAX);
        open_session(writes);
        session.arena.max_bytes = session.arena.used_bytes + step * ARENA_STEP;
        code = part(&err);
        is_told = err.text[0] != '\0' && (code == ERR_NO_MEMORY || has_message("out of memory"));
        session_deinit(&session);
        assert_int_equal(mem_test_live_count(), live_before);
        if (code == ERR_OK) {
            assert_true(step > 0);
            return;
        }
        if (!is_told)
            fail_msg("%zu bytes, and this came of it: %d, '%s'", step * ARENA_STEP, (int)code,
                     err.text);
    }
}

#endif
