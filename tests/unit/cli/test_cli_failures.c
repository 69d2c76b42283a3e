/* The parts of commands, where one call of the ledger after the other fails, and where the memory
 * of the spec ends one step after the other: each ends with that error, and holds nothing. */
#include "purser/cli/claims.h"
#include "purser/cli/comparison.h"
#include "purser/cli/connection_view.h"
#include "purser/cli/decide.h"
#include "purser/cli/outdated.h"
#include "purser/cli/plan_view.h"
#include "purser/cli/reconcile.h"
#include "purser/cli/schedule.h"
#include "purser/cli/undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "failing_ledger.h"
#include "purser/base/mem.h"
#include "scratch.h"

enum { CALLS_MAX = 400, ARENA_STEP = 16, ARENA_STEPS_MAX = 4000, STARTED_MS = 1700000000 };

static const char spec_text[] =
    "purser: 1\nname: catalogue\n"
    "api: { environment: simulator }\n"
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

static void open_session(void)
{
    struct err err = {0};

    session_init(&session, &options);
    if (session_load_spec(&session, &err) != ERR_OK) {
        struct buf out;

        buf_init(&out, 1 << 16);
        diagnostics_print(&session.diagnostics, &out);
        fail_msg("%s", buf_text(&out));
    }
    must(session_open_ledger(&session, true, &err), &err);
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

    if (scratch_make(context) != 0)
        return -1;
    options = (struct options){.spec_file = strdup(below("spec.yaml")),
                               .state_root = strdup(below("state")),
                               .quiet = true,
                               .limit = UINT64_MAX};
    file = fopen(options.spec_file, "we");
    assert_non_null(file);
    assert_true(fputs(spec_text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    open_session();
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
static void fails_with_each_call(size_t which, part_fn *part)
{
    for (uint64_t number = 1;; number++) {
        int64_t live_before = mem_test_live_count();
        struct ledger *real;
        struct err err = {0};
        enum err_code code;

        assert_true(number < CALLS_MAX);
        open_session();
        real = session.ledger;
        session.ledger = fail_call(real, number, ERR_NO_MEMORY);
        code = part(&err);
        session.ledger = real;
        session_deinit(&session);
        assert_int_equal(mem_test_live_count(), live_before);
        if (failing.calls < number) {
            must(code, &err);
            assert_true(number > 1);
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
static void fails_without_memory(part_fn *part)
{
    for (size_t step = 0;; step++) {
        int64_t live_before = mem_test_live_count();
        struct err err = {0};
        enum err_code code;
        bool is_told;

        assert_true(step < ARENA_STEPS_MAX);
        open_session();
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

/* --- the parts --- */

static enum err_code compare_only(struct err *err)
{
    return compare(false, err);
}

static enum err_code compare_and_write(struct err *err)
{
    return compare(true, err);
}

static enum err_code load(struct err *err)
{
    struct comparison comparison;
    struct plan_load load;
    enum err_code code = comparison_open(
        &session, &(struct comparison_options){.started_ms = STARTED_MS}, &comparison, err);

    if (code == ERR_OK)
        code = comparison_walk(&comparison, false, NULL, NULL, err);
    if (code == ERR_OK)
        code = plan_load_find(&comparison, &load, err);
    comparison_close(&comparison);
    return code;
}

static enum err_code count_view(void *context, const struct undo_view *view, struct err *err)
{
    unsigned *counts = context;

    (void)err;
    counts[view->bucket]++;
    return ERR_OK;
}

static enum err_code undo(struct err *err)
{
    unsigned counts[UNDO_BUCKET_COUNT] = {0};
    struct undo_plan plan;
    enum err_code code = undo_plan_open(&session, 1, &plan, err);

    for (size_t i = session.spec.job_count; code == ERR_OK && i-- > 0;)
        code = undo_plan_job(&plan, session.spec.job_order[i], count_view, counts, err);
    if (code == ERR_OK)
        assert_int_equal(counts[UNDO_TO_REVERSE], 3);
    undo_plan_close(&plan);
    return code;
}

/* The variants are left alone, so what they were made from stays, too. */
static enum err_code undo_products(struct err *err)
{
    unsigned counts[UNDO_BUCKET_COUNT] = {0};
    struct undo_plan plan;
    enum err_code code = undo_plan_open(&session, 1, &plan, err);

    if (code == ERR_OK)
        code = undo_plan_job(&plan, 0, count_view, counts, err);
    if (code == ERR_OK) {
        assert_int_equal(counts[UNDO_TO_REVERSE], 1);
        assert_int_equal(counts[UNDO_KEPT_NEEDED], 1);
    }
    undo_plan_close(&plan);
    return code;
}

static enum err_code view_connections(struct err *err)
{
    struct connection_view *views;
    enum err_code code = connection_views_read(&session, &views, err);

    if (code == ERR_OK)
        assert_string_equal(views[0].state, "parked");
    return code;
}

static enum err_code list_all(struct err *err)
{
    struct listing listing;
    struct item_view view;
    enum err_code code = ERR_OK;

    listing_init(&listing, session.ledger, NULL);
    while (code == ERR_OK)
        code = listing_next(&listing, &view, err);
    listing_deinit(&listing);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code find_one(struct err *err)
{
    struct result_record result;
    struct item_view view;
    struct buf storage;
    enum err_code code;

    buf_init(&storage, 1 << 20);
    code = listing_find(session.ledger, "products/A", "shop", &storage, &view, err);
    if (code == ERR_OK)
        code = view_result(session.ledger, &view, &storage, &result, err);
    buf_deinit(&storage);
    return code;
}

static enum err_code claim(struct err *err)
{
    struct claims claims = {0};
    bool is_free;
    enum err_code code = claims_take(&claims, &session, 0, SLICE("p-C"), &is_free, err);

    claims_deinit(&claims);
    return code;
}

/* P, which a person says is done. It comes into doubt in the same batch. */
static enum err_code put_word(struct err *err)
{
    const struct result_record result = {.http_status = 200, .body = SLICE("{}")};
    struct item known, doubtful;
    enum err_code code;

    must(failing.real->ops->read_item(failing.real, 4, &known, err), err);
    doubtful = known;
    doubtful.state = ITEM_IN_DOUBT;
    doubtful.waits_on = WAIT_NONE;
    must(failing.real->ops->put_item(failing.real, 4, &known, &doubtful, err), err);
    code = decide_put(session.ledger, 4, &doubtful,
                      &(struct decision){.kind = EVENT_RESOLVED_DONE, .result = &result}, err);
    return code == ERR_OK ? decide_commit(session.ledger, true, err) : code;
}

static enum err_code settle(struct err *err)
{
    struct settled settled;
    enum err_code code = schedule_settle(&session, 1700000000, NULL, &settled, err);

    if (code == ERR_OK)
        code = schedule_settle(&session, 1700003600, NULL, &settled, err);
    return code == ERR_OK ? schedule_close(&session, settled.slot_s, 0, err) : code;
}

static enum err_code take_slot(struct err *err)
{
    struct options with_slot = options;
    struct run run = {.session = &session, .number = 2};
    struct settled settled;
    bool is_over;
    enum err_code code = schedule_settle(&session, 1700000000, NULL, &settled, err);

    if (code == ERR_OK)
        code = schedule_settle(&session, 1700003600, NULL, &settled, err);
    with_slot.schedule.has_slot = true;
    with_slot.schedule.slot_s = settled.slot_s;
    session.options = &with_slot;
    if (code == ERR_OK)
        code = run_slot_begin(&run, &is_over, err);
    if (code == ERR_OK)
        code = run_slot_put(&run, 0, err);
    session.options = &options;
    return code;
}

static enum err_code set_slot(struct err *err)
{
    struct options with_slot = options;
    enum err_code code;

    with_slot.schedule.has_slot = true;
    with_slot.schedule.slot_s = 1700002800;
    session.options = &with_slot;
    code = run_slot_set(&session, err);
    session.options = &options;
    return code;
}

static enum err_code inherit_slot(struct err *err)
{
    struct run run = {.session = &session};

    return run_slot_inherit(&run, err);
}

static enum err_code note_run(struct err *err)
{
    struct run run = {.session = &session, .number = 2, .started_wall_ms = STARTED_MS};

    return run_put_record(&run, 0, err);
}

static enum err_code select_one(struct err *err)
{
    struct options only = options;
    struct selection selection;
    enum err_code code;

    only.only[only.only_count++] = "publish";
    session.options = &only;
    code = selection_make(&session, &selection, err);
    if (code == ERR_OK)
        code = selection_tell_needs(&selection, &session, err);
    session.options = &options;
    return code;
}

static void ignore(void *context, const struct item *item)
{
    (void)context;
    (void)item;
}

static enum err_code find_outdated(struct err *err)
{
    struct ledger *ledger = session.ledger;
    struct comparison comparison;
    enum err_code code;

    session.ledger = failing.real != NULL && ledger == &failing.port ? failing.real : ledger;
    code = comparison_open(&session, &(struct comparison_options){.started_ms = STARTED_MS},
                           &comparison, err);
    session.ledger = ledger;
    if (code == ERR_OK)
        code = outdated_find(ledger, comparison.intake, true, ignore, NULL, err);
    comparison_close(&comparison);
    return code;
}

/* --- the tests --- */

static void each_part_tells_of_the_call_that_failed(void **context)
{
    static part_fn *const parts[] = {
        compare_only, undo,       undo_products, view_connections, list_all,
        find_one,     claim,      settle,        take_slot,        inherit_slot,
        note_run,     select_one, find_outdated, put_word,         compare_and_write};

    (void)context;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fails_with_each_call(i, parts[i]);
}

static void each_part_tells_that_its_memory_has_ended(void **context)
{
    static part_fn *const parts[] = {
        compare_only, load, undo, view_connections, set_slot, select_one, compare_and_write};

    (void)context;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fails_without_memory(parts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_part_tells_of_the_call_that_failed, make_world,
                                        remove_world),
        cmocka_unit_test_setup_teardown(each_part_tells_that_its_memory_has_ended, make_world,
                                        remove_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
