/* What stands in the ledger's databases and was not written there by purser, though LMDB finds its
 * file in order: each is told as damage, with what it is of, and nothing is made up in its place.
 */
#include "ledger_of_each.h"
#include "ledger_values.h"
#include "no_syncs.h"

static void make_anew(void)
{
    (void)scratch_remove(NULL);
    assert_int_equal(mkdir(scratch, 0700), 0);
    make_one_of_each();
}

static void assert_says(const struct err *err, const char *text)
{
    if (strstr(err->text, text) == NULL || strstr(err->text, scratch) == NULL)
        fail_msg("'%s' and not '%s'", err->text, text);
}

/* --- read later --- */

static void a_value_that_is_no_record_is_told_by_what_it_is_of(void **context)
{
    const struct {
        enum ledger_database database;
        struct ledger_key key;
        reading *read;
        const char *text;
    } values[] = {
        {LEDGER_NAMES, ledger_key_name(0, 0, SLICE("ready")), find, "the number of an item"},
        {LEDGER_GROUPS, ledger_key_group(0, 0, group), find_group, "the number of an item"},
        {LEDGER_REQUESTS, ledger_key_item(1), read_request, "the frozen request of an item"},
        {LEDGER_NEEDS, ledger_key_item(3), read_needs, "what an item needs"},
        {LEDGER_RESULTS, ledger_key_item(1), read_result, "the result of an item"},
        {LEDGER_ATTEMPTS, ledger_key_attempt(1, 0), read_attempt, "an attempt of an item"},
        {LEDGER_RUNS, ledger_key_run(1), read_run, "the record of a run"},
        {LEDGER_META, ledger_key_text_u32(LEDGER_META_LEARNED, 0), read_connection,
         "what was learned of a connection"},
        {LEDGER_META, ledger_key_text(LEDGER_META_SCHEDULE), read_schedule,
         "the state of the schedule"},
        {LEDGER_SLOTS, ledger_key_slot(9), slot_before, "the record of a slot"},
        {LEDGER_META, ledger_key_counts(0, 0), counts, "the counts of items"},
    };
    /* Too short for a checksum; with a wrong one; with the right one, but empty. */
    static const char *const bytes[] = {"x", "more than the checksum"};
    (void)context;

    buf_init(&storage, BODY_BYTES_MAX);
    make_anew();
    for (size_t i = 0; i < 3 * sizeof values / sizeof values[0]; i++) {
        struct slice key = ledger_key_slice(&values[i / 3].key);
        struct opened opened;
        struct err err = {0};

        if (i % 3 < 2)
            put_value(values[i / 3].database, key, bytes[i % 3], strlen(bytes[i % 3]));
        else
            put_sealed(values[i / 3].database, key, SLICE(""));
        opened = open_with(false, 0);
        assert_int_equal(values[i / 3].read(opened.port, &err), ERR_DAMAGED);
        assert_says(&err, values[i / 3].text);
        for (size_t other = 0; other < sizeof readings / sizeof readings[0]; other++) {
            enum err_code code = readings[other](opened.port, &err);

            assert_true(code == ERR_OK || code == ERR_DAMAGED);
        }
        close_ledger(&opened);
    }
    buf_deinit(&storage);
}

static void keys_of_another_size_are_told_or_passed_over(void **context)
{
    struct opened opened;
    struct err err = {0};
    (void)context;

    buf_init(&storage, BODY_BYTES_MAX);
    make_anew();
    put_value(LEDGER_ITEMS, SLICE("\0"), "x", 1);
    put_value(LEDGER_RUNS, SLICE("\377a run"), "x", 1);
    put_value(LEDGER_SLOTS, SLICE("\0"), "x", 1);
    put_value(LEDGER_OPEN, SLICE("\1"), "", 0);
    opened = open_with(false, 0);
    must(next_item(opened.port, &err), &err); /* it lies before the first */
    assert_int_equal(opened.port->ops->last_run(opened.port), 0);
    must(next_active(opened.port, &err), &err);
    must(next_ready(opened.port, &err), &err);
    close_ledger(&opened);
    put_value(LEDGER_ITEMS, SLICE("\0\0\0\0\0\0\0\5\0"), "x", 1);
    opened = open_with(false, 0);
    {
        struct item item;
        uint64_t number;

        assert_int_equal(opened.port->ops->next_item(opened.port, 4, &number, &item, &err),
                         ERR_DAMAGED);
        assert_says(&err, "the number of an item");
    }
    close_ledger(&opened);
    /* Were it the end of the index, what comes behind would never be sent. */
    put_value(LEDGER_OPEN, SLICE("\1\0\0\0\0\0\0\0\0\0\0\0\3\0"), "", 0);
    opened = open_with(false, 0);
    assert_int_equal(next_ready(opened.port, &err), ERR_DAMAGED);
    assert_says(&err, "the index of open items");
    close_ledger(&opened);
    /* What is put behind the last finds another place. */
    put_value(LEDGER_ATTEMPTS, SLICE("\0\0\0\0\0\0\0\1\0\0\0\0\0"), "x", 1);
    put_value(LEDGER_ITEMS, SLICE("\377"), "x", 1);
    opened = open_ledger();
    must(put_attempt(opened.port, &err), &err);
    assert_int_equal(add(opened.port, 0, 0, "new", ITEM_READY, SLICE("{}")), 5);
    commit(opened.port);
    must(read_attempt(opened.port, &err), &err);
    assert_int_equal(read_item(opened.port, 5).state, ITEM_READY);
    close_ledger(&opened);
    buf_deinit(&storage);
}

static void an_open_item_without_a_record_is_told(void **context)
{
    struct ledger_key key = ledger_key_item(4);
    struct opened opened;
    struct err err = {0};
    (void)context;

    make_anew();
    put_value(LEDGER_ITEMS, ledger_key_slice(&key), NULL, 0);
    opened = open_with(false, 0);
    assert_int_equal(next_ready(opened.port, &err), ERR_DAMAGED);
    assert_says(&err, "an open item has no record");
    close_ledger(&opened);
}

/* Its identity is in the request alone: it can neither be dropped nor told whose it was. */
static void an_item_whose_record_and_request_are_damaged_is_nobodys(void **context)
{
    struct ledger_key key = ledger_key_item(4);
    struct opened opened;
    struct item item, settled;
    struct err err = {0};
    (void)context;

    make_anew();
    put_value(LEDGER_ITEMS, ledger_key_slice(&key), "x", 1);
    put_value(LEDGER_REQUESTS, ledger_key_slice(&key), "x", 1);
    opened = open_ledger();
    item = read_item(opened.port, 4);
    assert_int_equal(item.reason, REASON_RECORD_DAMAGED);
    assert_int_equal(item.job, UINT32_MAX);
    assert_int_equal(opened.port->ops->drop_item(opened.port, 4, &item, &err), ERR_DAMAGED);
    assert_says(&err, "the frozen request of an item");
    settled = item;
    settled.state = ITEM_SUCCEEDED;
    must(opened.port->ops->put_item(opened.port, 4, &item, &settled, &err), &err);
    commit(opened.port);
    close_ledger(&opened);
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, 4).state, ITEM_SUCCEEDED);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 0);
    close_ledger(&opened);
}

/* --- read while it is opened --- */

static void what_an_opening_needs_is_told_when_it_is_damaged(void **context)
{
    const struct {
        struct ledger_key key;
        const char *text;
        enum err_code code;
        bool only_writing;
    } values[] = {
        {ledger_key_text(LEDGER_META_FORMAT), "its format version is missing", ERR_STATE_DIRECTORY,
         false},
        {ledger_key_text(LEDGER_META_PLATFORM), "platform", ERR_STATE_DIRECTORY, false},
        {ledger_key_text(LEDGER_META_SPEC), "spec", ERR_STATE_DIRECTORY, false},
        {ledger_key_text(LEDGER_META_BASE_URL), "base_url", ERR_STATE_DIRECTORY, false},
        {ledger_key_text(LEDGER_META_MACHINE), "machine", ERR_STATE_DIRECTORY, false},
        {ledger_key_text(LEDGER_META_IDENTITY), "identity", ERR_STATE_DIRECTORY, false},
        {ledger_key_text(LEDGER_META_NEXT_ITEM), "the next item number", ERR_DAMAGED, false},
        {ledger_key_text(LEDGER_META_LOST_SINCE), "since when it is incomplete", ERR_DAMAGED,
         false},
        {ledger_key_text_u32(LEDGER_META_JOB, 0), "the name of a job", ERR_DAMAGED, false},
        {ledger_key_text_u32(LEDGER_META_CONNECTION, 0), "the name of a job", ERR_DAMAGED, false},
        {ledger_key_text_u32(LEDGER_META_PROVEN, 0), "the name of a job", ERR_DAMAGED, false},
        {ledger_key_counts(0, 0), "the counts of items", ERR_DAMAGED, true},
        {ledger_key_text(LEDGER_META_COUNTS), "the counts of items", ERR_DAMAGED, true},
    };
    (void)context;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct slice key = ledger_key_slice(&values[i].key);
        struct err err;

        make_anew();
        put_value(LEDGER_META, key, "x", 1);
        err = open_fails(BASE_URL, true, values[i].code);
        assert_says(&err, values[i].text);
        if (!values[i].only_writing)
            open_fails(BASE_URL, false, values[i].code);
        if (i < 6) { /* those that are in every ledger */
            put_value(LEDGER_META, key, NULL, 0);
            err = open_fails(BASE_URL, true, values[i].code);
            assert_says(&err, values[i].text);
        }
    }
}

/* As above, but what does not fit is whole: numbers of another size. */
static void numbers_of_another_size_are_damage(void **context)
{
    static const char *const names[] = {LEDGER_META_NEXT_ITEM, LEDGER_META_LOST_SINCE};
    (void)context;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        make_anew();
        put_sealed(LEDGER_META, slice_of(names[i]), SLICE("1234"));
        open_fails(BASE_URL, true, ERR_DAMAGED);
    }
}

static void a_ledger_of_another_platform_is_refused_and_both_are_named(void **context)
{
    struct err err;
    (void)context;

    make_anew();
    put_sealed(LEDGER_META, SLICE(LEDGER_META_PLATFORM), SLICE("32 big lmdb-0.9"));
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_says(&err, "was written on another platform (32 big lmdb-0.9, here 64 ");
}

static void a_ledger_from_another_machine_is_told_as_that(void **context)
{
    struct opened opened;
    struct err err;
    (void)context;

    make_anew();
    put_sealed(LEDGER_META, SLICE(LEDGER_META_MACHINE), SLICE("0123456789abcdef"));
    if (access("/etc/machine-id", R_OK) == 0) {
        err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
        assert_says(&err, "is a copy from another machine");
    }
    put_sealed(LEDGER_META, SLICE(LEDGER_META_MACHINE), SLICE("")); /* it had none */
    put_sealed(LEDGER_META, SLICE(LEDGER_META_IDENTITY), SLICE(""));
    opened = open_ledger();
    close_ledger(&opened);
}

/* A recount reads what it can, and a restored ledger finds its end in what it can read. */
static void what_goes_through_all_items_ends_at_a_strange_key(void **context)
{
    struct opened opened;
    (void)context;

    make_anew();
    put_value(LEDGER_ITEMS, SLICE("\0\0\0\0\0\0\0\2\0"), "x", 1);
    put_sealed(LEDGER_META, SLICE(LEDGER_META_RECOUNT), SLICE(""));
    adoption = LEDGER_ADOPT_RESTORED;
    opened = open_ledger();
    adoption = LEDGER_ADOPT_NONE;
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_SENDING), 1);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 0);
    assert_int_equal(read_item(opened.port, 4).state, ITEM_READY);
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_value_that_is_no_record_is_told_by_what_it_is_of),
        SCRATCH_TEST(keys_of_another_size_are_told_or_passed_over),
        SCRATCH_TEST(an_open_item_without_a_record_is_told),
        SCRATCH_TEST(an_item_whose_record_and_request_are_damaged_is_nobodys),
        SCRATCH_TEST(what_an_opening_needs_is_told_when_it_is_damaged),
        SCRATCH_TEST(numbers_of_another_size_are_damage),
        SCRATCH_TEST(a_ledger_of_another_platform_is_refused_and_both_are_named),
        SCRATCH_TEST(a_ledger_from_another_machine_is_told_as_that),
        SCRATCH_TEST(what_goes_through_all_items_ends_at_a_strange_key),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: values", tests, NULL, NULL);
}
