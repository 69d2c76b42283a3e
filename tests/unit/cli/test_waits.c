#include "purser/cli/waits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A ledger of one item, number 7, whose records are read with these results. */
static enum err_code item_code, request_code, result_code, counts_code;
static const char *name;
static struct item parent;

static enum err_code read_item(struct ledger *self, uint64_t number, struct item *item_out,
                               struct err *err)
{
    (void)self;
    assert_int_equal(number, 7);
    *item_out = parent;
    return item_code == ERR_OK || item_code == ERR_NOT_FOUND ? item_code
                                                             : err_set(err, item_code, "broken");
}

static enum err_code read_request(struct ledger *self, uint64_t number, struct buf *storage,
                                  struct frozen_request *request_out, struct err *err)
{
    (void)self, (void)number, (void)storage;
    *request_out = (struct frozen_request){.key = SLICE("SKU-7")};
    return request_code == ERR_OK ? ERR_OK : err_set(err, request_code, "broken");
}

static enum err_code read_result(struct ledger *self, uint64_t number, struct buf *storage,
                                 struct result_record *result_out, struct err *err)
{
    (void)self, (void)number, (void)storage;
    *result_out = (struct result_record){.message = SLICE("no such\ncolour")};
    return result_code == ERR_OK ? ERR_OK : err_set(err, result_code, "broken");
}

static enum err_code read_counts(struct ledger *self, uint32_t job, uint32_t connection,
                                 struct item_counts *counts_out, struct err *err)
{
    (void)self;
    assert_int_equal(job, 3);
    assert_int_equal(connection, UINT32_MAX);
    *counts_out = (struct item_counts){{0}};
    counts_out->by_state[ITEM_READY] = 1;
    counts_out->by_state[ITEM_SUCCEEDED] = 5;
    return counts_code == ERR_OK ? ERR_OK : err_set(err, counts_code, "broken");
}

static const char *name_of(struct ledger *self, uint32_t number)
{
    (void)self, (void)number;
    return name;
}

static const struct ledger_ops ops = {.read_item = read_item,
                                      .read_request = read_request,
                                      .read_result = read_result,
                                      .counts = read_counts,
                                      .job_name = name_of,
                                      .connection_name = name_of};
static struct ledger ledger = {.ops = &ops};

static int setup(void **context)
{
    (void)context;
    item_code = request_code = result_code = counts_code = ERR_OK;
    name = "products";
    parent = (struct item){.state = ITEM_FAILED, .http_status = 450};
    return 0;
}

static enum err_code open_view(enum wait_kind kind, struct wait_view *view, struct err *err)
{
    const struct item item = {
        .state = ITEM_BLOCKED, .waits_on = kind, .waits_for = kind == WAIT_JOB ? 3 : 7};

    *err = (struct err){0};
    return wait_view_open(&ledger, &item, view, err);
}

/* What is said of it, as text or JSON. */
static void says(enum wait_kind kind, bool json, const char *wanted)
{
    struct wait_view view;
    struct buf out;
    struct err err;

    buf_init(&out, 4096);
    assert_int_equal(open_view(kind, &view, &err), ERR_OK);
    if (json)
        wait_view_append_json(&view, &out);
    else
        wait_view_append_text(&view, &out);
    assert_string_equal(buf_text(&out), wanted);
    wait_view_close(&view);
    buf_deinit(&out);
}

static void each_state_of_the_other_item_has_its_words(void **context)
{
    static const char *const wanted[ITEM_STATE_COUNT] = {
        [ITEM_BLOCKED] = "products/SKU-7, which waits itself",
        [ITEM_READY] = "products/SKU-7, which is not sent yet",
        [ITEM_SENDING] = "products/SKU-7, which is under way",
        [ITEM_WAITING] = "products/SKU-7, which is under way",
        [ITEM_SUCCEEDED] = "products/SKU-7, which has succeeded: the next run goes on with this",
        [ITEM_FAILED] = "products/SKU-7, which failed: 450 no such colour",
        [ITEM_IN_DOUBT] = "products/SKU-7, which is in doubt: 450 no such colour",
        [ITEM_CANCELLED] = "products/SKU-7, which was cancelled",
        [ITEM_SKIPPED] = "products/SKU-7, which was skipped: its if: is false",
    };

    (void)context;
    for (int state = 0; state < ITEM_STATE_COUNT; state++) {
        parent.state = (enum item_state)state;
        says(WAIT_ITEM, false, wanted[state]);
    }
}

static void a_failure_is_told_by_what_there_is_of_it(void **context)
{
    (void)context;
    result_code = ERR_NOT_FOUND;
    says(WAIT_ITEM, false, "products/SKU-7, which failed: 450");
    parent.http_status = 0;
    says(WAIT_ITEM, false, "products/SKU-7, which failed");
    result_code = ERR_OK;
    says(WAIT_ITEM, false, "products/SKU-7, which failed: no such colour");
}

static void what_else_it_waits_for_is_named(void **context)
{
    (void)context;
    says(WAIT_JOB, false, "job products: 1 item is not done");
    says(WAIT_UNKNOWN_ITEM, false, "an item that neither a row nor the ledger has");
    says(WAIT_NONE, false, "the next run, which looks at what it needs");
    item_code = ERR_NOT_FOUND;
    says(WAIT_ITEM, false, "an item that is not in the ledger any more");
}

static void a_machine_reads_the_same(void **context)
{
    (void)context;
    says(WAIT_ITEM, true,
         "{\"kind\":\"item\",\"job\":\"products\",\"connection\":\"products\",\"key\":\"SKU-7\","
         "\"state\":\"failed\",\"left\":null}");
    says(WAIT_JOB, true,
         "{\"kind\":\"job\",\"job\":\"products\",\"connection\":null,\"key\":null,\"state\":null,"
         "\"left\":1}");
    says(WAIT_NONE, true,
         "{\"kind\":\"next_run\",\"job\":null,\"connection\":null,\"key\":null,\"state\":null,"
         "\"left\":null}");
    item_code = ERR_NOT_FOUND;
    says(WAIT_ITEM, true,
         "{\"kind\":\"item\",\"job\":null,\"connection\":null,\"key\":null,\"state\":null,"
         "\"left\":null}");
}

static void damage_leaves_out_what_it_hides_and_no_more(void **context)
{
    (void)context;
    name = NULL;
    request_code = ERR_DAMAGED;
    says(WAIT_ITEM, false, "?/, which failed: 450 no such colour");
    says(WAIT_JOB, false, "job ?: 1 item is not done");
    result_code = ERR_DAMAGED;
    says(WAIT_ITEM, false, "?/, which failed: 450");
}

/* `code` is what is read, set so that it fails. */
static void fails_with(enum wait_kind kind, enum err_code *code, enum err_code failure)
{
    struct wait_view view;
    struct err err;

    *code = failure;
    assert_int_equal(open_view(kind, &view, &err), failure);
    assert_string_equal(err.text, "broken");
    wait_view_close(&view);
    *code = ERR_OK;
}

static void what_cannot_be_read_is_no_answer(void **context)
{
    (void)context;
    fails_with(WAIT_ITEM, &item_code, ERR_STORAGE);
    fails_with(WAIT_ITEM, &request_code, ERR_NO_MEMORY);
    fails_with(WAIT_ITEM, &result_code, ERR_NO_MEMORY);
    fails_with(WAIT_JOB, &counts_code, ERR_STORAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_state_of_the_other_item_has_its_words, setup),
        cmocka_unit_test_setup(a_failure_is_told_by_what_there_is_of_it, setup),
        cmocka_unit_test_setup(what_else_it_waits_for_is_named, setup),
        cmocka_unit_test_setup(a_machine_reads_the_same, setup),
        cmocka_unit_test_setup(damage_leaves_out_what_it_hides_and_no_more, setup),
        cmocka_unit_test_setup(what_cannot_be_read_is_no_answer, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
