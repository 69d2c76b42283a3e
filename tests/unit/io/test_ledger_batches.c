/* How large the transactions get that a comparison writes. */
#include "ledger_fixture.h"
#include "purser/engine/import.h"

enum { ROWS = 600, BODY_BYTES = 20000 };

static const struct ledger_ops *whole_ops;
static size_t largest, batches;

static enum err_code commit_begin(struct ledger *self, uint64_t *sequence_out, struct err *err)
{
    size_t bytes = whole_ops->batch_bytes(self);

    batches += bytes > 0;
    largest = bytes > largest ? bytes : largest;
    return whole_ops->commit_begin(self, sequence_out, err);
}

static void take_row(struct importer *importer, unsigned number, struct slice body)
{
    struct import_outcome outcome;
    struct err err = {0};
    char key[16];
    struct import_row row = {.key = {key, (size_t)snprintf(key, sizeof key, "%u", number)},
                             .method = METHOD_POST,
                             .path = SLICE("/products"),
                             .body = body,
                             .source_file = SLICE("rows.csv"),
                             .condition = true};

    must(import_compare(importer, &row, &outcome, &err), &err);
    must(import_apply(importer, &row, &outcome, &err), &err);
}

/* Twelve megabytes of requests: a transaction is closed when it has a mebibyte, so it is never more
 * than one row above that. */
static void a_comparison_closes_its_batch_with_the_row_that_fills_it(void **context)
{
    static char bytes[BODY_BYTES];
    struct opened opened = open_ledger();
    struct ledger_ops ops = *opened.port->ops;
    struct importer importer = {.ledger = opened.port, .run = 1, .now_ms = 1000};
    struct err err = {0};
    uint32_t job, connection;
    (void)context;

    memset(bytes, 'b', sizeof bytes);
    must(opened.port->ops->job_number(opened.port, "products", &job, &err), &err);
    must(opened.port->ops->connection_number(opened.port, "shop", &connection, &err), &err);
    whole_ops = opened.port->ops;
    ops.commit_begin = commit_begin;
    opened.port->ops = &ops;
    largest = batches = 0;
    for (unsigned i = 0; i < ROWS; i++)
        take_row(&importer, i, (struct slice){bytes, sizeof bytes});
    must(import_commit(&importer, &err), &err);
    assert_int_equal(count_of(opened.port, job, connection, ITEM_READY), ROWS);
    assert_in_range(largest, BATCH_BYTES_MAX / 2, BATCH_BYTES_MAX / 2 + BODY_BYTES + 2000);
    assert_in_range(batches, (size_t)ROWS * BODY_BYTES / largest,
                    (size_t)ROWS * BODY_BYTES / (BATCH_BYTES_MAX / 2) + 2);
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_comparison_closes_its_batch_with_the_row_that_fills_it),
    };

    return cmocka_run_group_tests_name("io/ledger_batches", tests, NULL, NULL);
}
