/* A ledger whose n-th call fails, for each n: the comparison ends with that error, and when the
 * same rows are compared again, all is as if nothing had happened. */
#include "import_bench.h"
#include "purser/engine/undo.h"

enum { UNDOS = 2, PICTURE_BYTES_MAX = 4096 };

static const char reason[] = "the disk is full";
static unsigned call_count, failing_call; /* 0 = none fails */

static bool fails(struct err *err)
{
    if (++call_count != failing_call)
        return false;
    err_set(err, ERR_STORAGE, "%s", reason);
    return true;
}

/* --- what the bench's ledger lacks --- */

static enum err_code next_where(bool (*is_meant)(const struct item *item, uint64_t which),
                                uint64_t which, uint64_t after, uint64_t *number_out,
                                struct item *item_out)
{
    for (uint64_t number = after + 1; number <= ledger.count; number++) {
        const struct item *item = &ledger.durable[number].item;

        if (item->generation == 0 || !is_meant(item, which))
            continue;
        *number_out = number;
        *item_out = *item;
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

static bool is_any(const struct item *item, uint64_t which)
{
    (void)item;
    (void)which;
    return true;
}

static bool is_ready_on(const struct item *item, uint64_t connection)
{
    return item->state == ITEM_READY && item->connection == connection;
}

static bool is_blocked_by(const struct item *item, uint64_t target)
{
    return item->state == ITEM_BLOCKED && item->waits_on == WAIT_ITEM && item->waits_for == target;
}

static const char *job_name(struct ledger *self, uint32_t job)
{
    static const char *const names[] = {"parents", "children", ("parents" UNDO_JOB_SUFFIX)};

    (void)self;
    return job < sizeof names / sizeof names[0] ? names[job] : NULL;
}

/* --- the same ledger, one call of which fails --- */

#define FAILING(name, parameters, arguments)         \
    static enum err_code failing_##name parameters   \
    {                                                \
        return fails(err) ? ERR_STORAGE : arguments; \
    }

FAILING(find,
        (struct ledger * self, uint32_t job, uint32_t connection, struct slice key,
         uint64_t *number_out, struct err *err),
        find(self, job, connection, key, number_out, err))
FAILING(read_item, (struct ledger * self, uint64_t number, struct item *item_out, struct err *err),
        read_item(self, number, item_out, err))
FAILING(read_needs,
        (struct ledger * self, uint64_t number, struct buf *storage, struct needs_record *needs_out,
         struct err *err),
        read_needs(self, number, storage, needs_out, err))
FAILING(find_group,
        (struct ledger * self, uint32_t job, uint32_t connection, struct hash128 group,
         uint64_t *number_out, struct err *err),
        find_group(self, job, connection, group, number_out, err))
FAILING(counts,
        (struct ledger * self, uint32_t job, uint32_t connection, struct item_counts *counts_out,
         struct err *err),
        counts(self, job, connection, counts_out, err))
FAILING(add_item,
        (struct ledger * self, const struct item *item, const struct frozen_request *request,
         uint64_t *number_out, struct err *err),
        add_item(self, item, request, number_out, err))
FAILING(put_item,
        (struct ledger * self, uint64_t number, const struct item *before, const struct item *item,
         struct err *err),
        put_item(self, number, before, item, err))
FAILING(put_request,
        (struct ledger * self, uint64_t number, const struct frozen_request *request,
         struct err *err),
        put_request(self, number, request, err))
FAILING(put_needs,
        (struct ledger * self, uint64_t number, const struct needs_record *needs, struct err *err),
        put_needs(self, number, needs, err))
FAILING(put_group,
        (struct ledger * self, uint32_t job, uint32_t connection, struct hash128 group,
         uint64_t number, struct err *err),
        put_group(self, job, connection, group, number, err))
FAILING(commit_poll, (struct ledger * self, bool wait, uint64_t *durable_out, struct err *err),
        commit_poll(self, wait, durable_out, err))
FAILING(next_ready,
        (struct ledger * self, uint32_t connection, uint64_t after, uint64_t *number_out,
         struct item *item_out, struct err *err),
        ((void)self, next_where(is_ready_on, connection, after, number_out, item_out)))
FAILING(next_item,
        (struct ledger * self, uint64_t after, uint64_t *number_out, struct item *item_out,
         struct err *err),
        ((void)self, next_where(is_any, 0, after, number_out, item_out)))
FAILING(next_blocked,
        (struct ledger * self, enum wait_kind kind, uint64_t target, uint64_t after,
         uint64_t *number_out, struct item *item_out, struct err *err),
        ((void)self, assert_int_equal(kind, WAIT_ITEM),
         next_where(is_blocked_by, target, after, number_out, item_out)))

static enum err_code failing_drop_item(struct ledger *self, uint64_t number,
                                       const struct item *before, struct err *err)
{
    (void)self;
    if (fails(err))
        return ERR_STORAGE;
    assert_int_equal(before->attempt_total, 0);
    ledger.newest[number].item.generation = 0;
    ledger.keys[number][0] = '\0';
    ledger.open_count++;
    return ERR_OK;
}

/* What is not of entries, as the last batch left it. */
static struct {
    uint64_t count;
    char keys[ITEMS_MAX + 1][KEY_BYTES];
    size_t group_count;
    uint64_t last_of_group[GROUPS_MAX];
} committed;

static enum err_code failing_commit_begin(struct ledger *self, uint64_t *sequence_out,
                                          struct err *err)
{
    if (fails(err))
        return ERR_STORAGE;
    committed.count = ledger.count;
    memcpy(committed.keys, ledger.keys, (ledger.count + 1) * KEY_BYTES);
    committed.group_count = ledger.group_count;
    for (size_t i = 0; i < GROUPS_MAX; i++)
        committed.last_of_group[i] = ledger.groups[i].last;
    return commit_begin(self, sequence_out, err);
}

static const struct ledger_ops failing_ops = {.find = failing_find,
                                              .read_item = failing_read_item,
                                              .read_needs = failing_read_needs,
                                              .find_group = failing_find_group,
                                              .counts = failing_counts,
                                              .add_item = failing_add_item,
                                              .put_item = failing_put_item,
                                              .put_request = failing_put_request,
                                              .put_needs = failing_put_needs,
                                              .put_group = failing_put_group,
                                              .batch_bytes = batch_bytes,
                                              .commit_begin = failing_commit_begin,
                                              .commit_poll = failing_commit_poll,
                                              .next_ready = failing_next_ready,
                                              .next_item = failing_next_item,
                                              .next_blocked = failing_next_blocked,
                                              .drop_item = failing_drop_item,
                                              .job_name = job_name};

/* The process ends: what was not committed is gone. */
static void restart(uint32_t run)
{
    for (uint64_t number = 1; number <= ledger.count; number++)
        memset(&ledger.newest[number], 0, sizeof ledger.newest[0]);
    ledger.count = committed.count;
    memcpy(ledger.newest, ledger.durable, (ledger.count + 1) * sizeof ledger.newest[0]);
    memcpy(ledger.keys, committed.keys, (ledger.count + 1) * KEY_BYTES);
    ledger.group_count = committed.group_count;
    for (size_t i = 0; i < GROUPS_MAX; i++)
        ledger.groups[i].last = committed.last_of_group[i];
    ledger.open_count = 0;
    importer = (struct importer){.ledger = &ledger.base, .run = run, .now_ms = 1000};
}

/* --- the rows of two days --- */

static bool put(struct import_row one, struct err *err)
{
    struct import_outcome outcome;

    return import_compare(&importer, &one, &outcome, err) == ERR_OK &&
           import_apply(&importer, &one, &outcome, err) == ERR_OK;
}

static bool put_corrected(struct import_row one, struct err *err)
{
    enum correction correction;

    return import_correction(&importer, &one, &correction, err) == ERR_OK;
}

static bool put_undo(struct err *err)
{
    struct import_row one = row(UNDOS, "p1#1", "");

    one.method = METHOD_DELETE;
    return import_undo(&importer, &one, err) == ERR_OK;
}

static void first_day(void)
{
    struct err err = {0};

    failing_call = 0;
    begin(1);
    ledger.base.ops = &failing_ops;
    assert_true(put(row(PARENTS, "p1", "{}"), &err) && put(row(PARENTS, "p2", "{}"), &err));
    assert_true(put(row(PARENTS, "p3", "{}"), &err) && put(row(PARENTS, "gone", "{}"), &err));
    assert_true(put(row(PARENTS, "p6", "{}"), &err));
    begin_job();
    assert_true(put(row_that_needs("c1", "{}", "p1"), &err));
    assert_true(put(row_that_needs("c2", "{}", "p2"), &err));
    assert_true(put(row_that_needs("c3", "{}", "gone"), &err));
    assert_true(put(row_that_needs("c4", "{}", "gone"), &err));
    assert_true(put(row_that_needs("c7", "{}", "p2"), &err));
    for (const char *key = "g1\0g2\0g3\0g4\0"; *key != '\0'; key += 3)
        assert_true(put(row_of_group(key, "{}", "red"), &err));
    assert_true(put(row_of_group("h1", "{}", "blue"), &err));
    set_state("p1", ITEM_SUCCEEDED);
    set_state("p2", ITEM_FAILED);
    set_state("p6", ITEM_FAILED);
    set_state("c7", ITEM_FAILED);
    set_state("g1", ITEM_CANCELLED);
    set_state("g2", ITEM_SUCCEEDED);
    assert_int_equal(import_commit(&importer, &err), ERR_OK);
}

/* Rows that are as they were, changed, new, not wanted, in another group or behind another parent;
 * two have left the source, three are corrected, and one item is undone. */
static enum err_code second_day(struct err *err)
{
    bool whole =
        put(row(PARENTS, "p1", "{}"), err) && put(row(PARENTS, "p2", "{\"a\":1}"), err) &&
        put(row(PARENTS, "p3", "{\"a\":1}"), err) && put(row(PARENTS, "p4", "{}"), err) &&
        put_corrected(row(PARENTS, "p6", "{\"a\":2}"), err) &&
        import_begin_job(&importer, err) == ERR_OK &&
        put(row_that_needs("c1", "{\"a\":1}", "p1"), err) &&
        put(row_that_needs("c2", "{}", "p1"), err) &&
        put(row_that_needs("c3", "{}", "gone"), err) &&
        put(row_that_needs("c5", "{}", "p4"), err) && put(row_that_needs("c6", "{}", "no"), err) &&
        put_corrected(row_that_needs("c7", "{\"a\":2}", "p1"), err) &&
        put(row_of_group("g1", "{}", "red"), err) &&
        put(row_of_group("g2", "{\"a\":1}", "red"), err) &&
        put(row_of_group("g3", "{}", "blue"), err) &&
        put(row_of_group("g4", "{\"a\":1}", "red"), err) &&
        put(row_of_group("h1", "{}", "red"), err) && put(row_of_group("h2", "{}", "red"), err) &&
        put_undo(err) && import_finish(&importer, 1, err) == ERR_OK;

    return whole ? ERR_OK : err->code;
}

static const char *key_of(uint64_t number)
{
    return number == 0 ? "-" : ledger.keys[number];
}

/* All that a user could tell apart, by keys: numbers may differ. */
static void draw(char picture[PICTURE_BYTES_MAX])
{
    static const char *const keys[] = {"p1", "p2", "p3", "p4", "p6", "gone", "c1", "c2", "c3", "c4",
                                       "c5", "c6", "c7", "g1", "g2", "g3",   "g4", "h1", "h2"};
    int length = 0;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint64_t number = number_of(keys[i]);
        const struct entry *entry = &ledger.durable[number];

        length += snprintf(picture + length, PICTURE_BYTES_MAX - (size_t)length,
                           number == 0 ? "%s: none\n" : "%s: %s %u%s, waits %d %s;", keys[i],
                           item_state_name(entry->item.state), entry->item.generation,
                           entry->item.corrected ? " corrected" : "", entry->item.waits_on,
                           entry->item.waits_on == WAIT_ITEM ? key_of(entry->item.waits_for) : "");
        for (size_t j = 0; number != 0 && entry->has_needs && j < entry->needs.need_count; j++)
            length += snprintf(picture + length, PICTURE_BYTES_MAX - (size_t)length, " needs %s",
                               key_of(entry->needs.needs[j].target));
        assert_in_range(length, 0, PICTURE_BYTES_MAX - 2);
        picture[length++] = '\n';
        picture[length] = '\0';
    }
}

/* What waits for an item that was dropped is told so only by the next comparison. */
static void compare_twice(char picture[PICTURE_BYTES_MAX])
{
    for (uint32_t run = 3; run <= 4; run++) {
        struct err err = {0};

        restart(run);
        assert_int_equal(second_day(&err), ERR_OK);
    }
    draw(picture);
}

static void whatever_call_of_the_ledger_fails_the_next_run_puts_it_right(void **context)
{
    static char undisturbed[PICTURE_BYTES_MAX], mended[PICTURE_BYTES_MAX];
    struct err err = {0};
    unsigned last_call;
    (void)context;

    first_day();
    restart(2);
    call_count = 0;
    assert_int_equal(second_day(&err), ERR_OK);
    last_call = call_count;
    compare_twice(undisturbed);
    for (unsigned n = 1; n <= last_call; n++) {
        first_day();
        restart(2);
        err = (struct err){0};
        call_count = 0;
        failing_call = n;
        assert_int_equal(second_day(&err), ERR_STORAGE);
        assert_string_equal(err.text, reason);
        assert_int_equal(call_count, n); /* nothing more was asked or written */
        failing_call = 0;
        compare_twice(mended);
        assert_string_equal(mended, undisturbed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_call_of_the_ledger_fails_the_next_run_puts_it_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
