#include "purser/cli/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"

/* A ledger of the items in `results`: one line each. */
static const struct {
    enum item_state state;
    uint32_t job;
    const char *body;
} results[] = {
    {ITEM_SUCCEEDED, 0, "{\"order\":{\"id\":\"made\"}}"},
    {ITEM_IN_DOUBT, 0, "{\"order\":{\"id\":\"doubtful\"}}"},
    {ITEM_SUCCEEDED, 1, "{\"order\":{\"id\":\"changed\"}}"},
    {ITEM_SUCCEEDED, 0, "{\"order\":"},
    {ITEM_SUCCEEDED, 0, "{\"order\":{\"id\":7}}"},
    {ITEM_SUCCEEDED, 2, "{\"order\":{\"id\":\"of another spec\"}}"},
};
enum { RESULT_COUNT = sizeof results / sizeof results[0] };

static unsigned passes;

static enum err_code next_item(struct ledger *self, uint64_t after, uint64_t *number_out,
                               struct item *item_out, struct err *err)
{
    (void)self;
    (void)err;
    passes += after == 0;
    if (after == RESULT_COUNT)
        return ERR_NOT_FOUND;
    *number_out = after + 1;
    *item_out = (struct item){.state = results[after].state, .job = results[after].job};
    return ERR_OK;
}

static enum err_code read_result(struct ledger *self, uint64_t number, struct buf *storage,
                                 struct result_record *result_out, struct err *err)
{
    (void)self;
    (void)storage;
    (void)err;
    *result_out = (struct result_record){.body = slice_of(results[number - 1].body)};
    return ERR_OK;
}

static const char *job_name(struct ledger *self, uint32_t job)
{
    static const char *const names[] = {"make", "change", "gone"};

    (void)self;
    return names[job];
}

static const struct ledger_ops ops = {
    .next_item = next_item, .read_result = read_result, .job_name = job_name};
static struct ledger ledger = {.ops = &ops};
static const struct operation make = {.method = METHOD_POST, .result = "order"};
static const struct operation change = {.method = METHOD_PATCH, .result = "order"};
static const struct spec_job jobs[] = {
    {.name = "make", .method = METHOD_POST, .operation = &make},
    {.name = "change", .method = METHOD_PATCH, .operation = &change}};
static struct session session = {.spec = {.jobs = jobs, .job_count = 2}, .ledger = &ledger};

static bool is_free(struct claims *claims, uint32_t connection, const char *id)
{
    struct err err = {0};
    bool free;

    assert_int_equal(claims_take(claims, &session, connection, slice_of(id), &free, &err), ERR_OK);
    return free;
}

static void an_entity_is_one_items_alone(void **state)
{
    struct claims claims = {0};

    (void)state;
    passes = 0;
    assert_true(is_free(&claims, 0, "new"));
    assert_false(is_free(&claims, 0, "new"));
    assert_true(is_free(&claims, 1, "new")); /* another merchant's */
    assert_false(is_free(&claims, 0, "made"));
    assert_true(is_free(&claims, 0, "doubtful"));
    assert_true(is_free(&claims, 0, "changed")); /* a change made nothing */
    assert_true(is_free(&claims, 0, "of another spec"));
    assert_int_equal(passes, 1); /* the ledger is read once */
    claims_deinit(&claims);
    assert_int_equal(mem_test_live_count(), 0);
}

static void when_there_are_too_many_to_tell_nothing_is_free(void **state)
{
    const uint32_t most = CLAIMS_MAX / 4 * 3;
    struct claims claims = {0};
    char id[16];

    (void)state;
    for (uint32_t i = 1; i < most; i++) { /* one is the ledger's */
        snprintf(id, sizeof id, "%u", i);
        if (!is_free(&claims, 0, id))
            fail_msg("%s", id);
    }
    assert_int_equal(claims.count, most);
    assert_false(is_free(&claims, 0, "one more"));
    assert_int_equal(claims.count, most);
    claims_deinit(&claims);
}

static void without_memory_nothing_is_claimed(void **state)
{
    struct claims claims = {0};
    struct err err = {0};
    bool free;

    (void)state;
    mem_test_fail(0, 0);
    assert_int_equal(claims_take(&claims, &session, 0, SLICE("a"), &free, &err), ERR_NO_MEMORY);
    mem_test_fail(-1, 0);
    claims_deinit(&claims);
    assert_int_equal(mem_test_live_count(), 0);
}

/* A result that was passed over would leave its entity to another item. */
static void a_result_that_cannot_be_read_for_a_lack_of_memory_frees_nothing(void **state)
{
    enum err_code code = ERR_NO_MEMORY;
    int failing = 0;

    (void)state;
    for (; code != ERR_OK; failing++) {
        struct claims claims = {0};
        struct err err = {0};
        bool free = true;

        mem_test_fail(failing, 0);
        code = claims_take(&claims, &session, 0, SLICE("made"), &free, &err);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            assert_false(free);
        else
            assert_int_equal(code, ERR_NO_MEMORY);
        claims_deinit(&claims);
    }
    assert_true(failing > 2);
    assert_int_equal(mem_test_live_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entity_is_one_items_alone),
        cmocka_unit_test(when_there_are_too_many_to_tell_nothing_is_free),
        cmocka_unit_test(without_memory_nothing_is_claimed),
        cmocka_unit_test(a_result_that_cannot_be_read_for_a_lack_of_memory_frees_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
