/* The parts of commands, where one call of the ledger after the other fails, and where the memory
 * of the spec ends one step after the other: each ends with that error, and holds nothing. */
#include "purser/cli/claims.h"
#include "purser/cli/comparison.h"
#include "purser/cli/connection_view.h"
#include "purser/cli/decide.h"
#include "purser/cli/outdated.h"
#include "purser/cli/plan_file.h"
#include "purser/cli/plan_view.h"
#include "purser/cli/reconcile.h"
#include "purser/cli/schedule.h"
#include "purser/cli/undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "failing_session.h"
#include "purser/base/log.h"

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
    code = decide_put(&session, 4, &doubtful,
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

/* Nothing is in doubt: the look-ups are made, and the ledger is read to its end. */
static enum err_code reconcile(struct err *err)
{
    const struct where all = {.count = 0};
    struct credentials credentials = {0};
    struct reconciler *reconciler = NULL;
    struct finding finding;
    enum err_code code = credentials_load(&session.spec, &credentials, &session.diagnostics, err);

    if (code == ERR_OK)
        code = reconciler_open(&session, &credentials, &all, -1, &reconciler, err);
    if (code == ERR_OK)
        code = reconciler_next(reconciler, &finding, err);
    reconciler_close(reconciler);
    credentials_wipe(&credentials);
    log_forget();
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* A plan that was made before there was a ledger. */
static enum err_code check_plan(struct err *err)
{
    static struct plan_file plan = {.name = "p.plan",
                                    .run = UINT32_MAX}; /* too large for the stack */
    enum err_code code = plan_file_check_ledger(&plan, &session, err);

    return code == ERR_INPUT ? ERR_OK : code;
}

/* --- the tests --- */

static void each_part_tells_of_the_call_that_failed(void **context)
{
    static part_fn *const readers[] = {compare_only, undo,      undo_products, view_connections,
                                       list_all,     find_one,  claim,         inherit_slot,
                                       select_one,   reconcile, check_plan};
    static part_fn *const writers[] = {settle,        take_slot, note_run,
                                       find_outdated, put_word,  compare_and_write};

    (void)context;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        fails_with_each_call(i, readers[i], false);
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
        fails_with_each_call(i, writers[i], true);
}

static void each_part_tells_that_its_memory_has_ended(void **context)
{
    static part_fn *const readers[] = {compare_only,     load,     undo,      reconcile,
                                       view_connections, set_slot, select_one};

    (void)context;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        fails_without_memory(readers[i], false);
    fails_without_memory(compare_and_write, true);
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
