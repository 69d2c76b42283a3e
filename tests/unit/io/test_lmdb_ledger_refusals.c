/* Ledgers that are not opened: of another spec or server, from another place or time, or damaged.
 */
#include "ledger_patch.h"

#include <sys/stat.h>

static void another_base_url_is_refused_and_both_are_named(void **context)
{
    struct err err;
    struct opened opened;
    (void)context;

    make_one_item();
    err = open_fails("https://production.example/versioned", true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, BASE_URL));
    assert_non_null(strstr(err.text, "https://production.example/versioned"));
    opened = open_with(false, 0); /* under its own it still opens */
    close_ledger(&opened);
}

static void a_newer_format_is_refused_for_writing_and_reading(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_true(patch_data("format\0\0\0\1", "format\0\0\0\2", 10) > 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "newer purser (format 2"));
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
}

/* There was none before the first, so nothing is to be carried over yet. */
static void a_format_before_the_first_is_refused(void **context)
{
    (void)context;

    make_one_item();
    assert_true(patch_data("format\0\0\0\1", "format\0\0\0\0", 10) > 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
}

static void the_ledger_of_another_spec_is_refused(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(rename(below("catalog"), below("invoices")), 0);
    {
        struct lmdb_ledger_options options = {
            .spec_name = "invoices", .base_url = BASE_URL, .write = true};
        struct state_directory directory;
        struct lmdb_ledger *ledger;

        memset(&err, 0, sizeof err);
        must(state_directory_open(scratch, "invoices", true, &directory, &err), &err);
        assert_int_equal(lmdb_ledger_open(&directory, &options, &ledger, &err),
                         ERR_STATE_DIRECTORY);
        assert_non_null(strstr(err.text, "'catalog', not of 'invoices'"));
        state_directory_close(&directory);
    }
}

static void copy_file(const char *from, const char *to)
{
    FILE *source = fopen(from, "rbe"), *target = fopen(to, "wbe");
    char block[4096];
    size_t length;

    assert_non_null(source);
    assert_non_null(target);
    while ((length = fread(block, 1, sizeof block, source)) > 0)
        assert_int_equal(fwrite(block, 1, length, target), length);
    fclose(source);
    assert_int_equal(fchmod(fileno(target), 0600), 0);
    fclose(target);
}

static void a_copy_is_read_but_not_written_until_a_person_adopts_it(void **context)
{
    struct opened opened;
    struct err err;
    (void)context;

    make_one_item();
    copy_file(below("catalog/data.mdb"), below("backup"));
    assert_int_equal(rename(below("backup"), below("catalog/data.mdb")), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "restored backup"));
    assert_non_null(strstr(err.text, "adopt SPEC --as moved"));
    opened = open_with(false, 0);
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
    adoption = LEDGER_ADOPT_MOVED;
    opened = open_ledger();
    assert_true(lmdb_ledger_was_adopted(opened.ledger));
    assert_int_equal(lmdb_ledger_lost_since_ms(opened.ledger), 0);
    close_ledger(&opened);
    adoption = LEDGER_ADOPT_NONE;
    opened = open_ledger();
    assert_false(lmdb_ledger_was_adopted(opened.ledger));
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
}

static void moving_the_directory_is_no_copying(void **context)
{
    struct opened opened;
    (void)context;

    make_one_item();
    assert_int_equal(rename(below("catalog"), below("elsewhere")), 0);
    assert_int_equal(rename(below("elsewhere"), below("catalog")), 0);
    opened = open_ledger();
    close_ledger(&opened);
}

static void a_damaged_pin_is_refused(void **context)
{
    (void)context;
    make_one_item();
    assert_true(patch_data(BASE_URL, "http://127.0.0.1:8081", 21) > 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
}

static void a_ledger_that_is_cut_short_is_refused(void **context)
{
    struct stat status;
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(stat(below("catalog/data.mdb"), &status), 0);
    for (off_t size = status.st_size - 4096; size > 0; size -= 4096) {
        assert_int_equal(truncate(below("catalog/data.mdb"), size), 0);
        err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
        open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    }
    assert_int_equal(truncate(below("catalog/data.mdb"), 100), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "hint:"));
}

static void a_missing_data_file_does_not_begin_a_new_ledger(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(truncate(below("catalog/data.mdb"), 0), 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_int_equal(unlink(below("catalog/data.mdb")), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "data.mdb is missing"));
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    assert_int_equal(unlink(below("catalog/about.txt")), 0);
    make_one_item();
}

static void files_open_to_others_and_links_are_refused(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(chmod(below("catalog/data.mdb"), 0640), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "hint: chmod 600"));
    assert_int_equal(chmod(below("catalog/data.mdb"), 0600), 0);
    assert_int_equal(rename(below("catalog/data.mdb"), below("elsewhere")), 0);
    assert_int_equal(symlink(below("elsewhere"), below("catalog/data.mdb")), 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    assert_int_equal(unlink(below("catalog/data.mdb")), 0);
    assert_int_equal(link(below("elsewhere"), below("catalog/data.mdb")), 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(another_base_url_is_refused_and_both_are_named),
        SCRATCH_TEST(a_newer_format_is_refused_for_writing_and_reading),
        SCRATCH_TEST(a_format_before_the_first_is_refused),
        SCRATCH_TEST(the_ledger_of_another_spec_is_refused),
        SCRATCH_TEST(a_copy_is_read_but_not_written_until_a_person_adopts_it),
        SCRATCH_TEST(moving_the_directory_is_no_copying),
        SCRATCH_TEST(a_damaged_pin_is_refused),
        SCRATCH_TEST(a_ledger_that_is_cut_short_is_refused),
        SCRATCH_TEST(a_missing_data_file_does_not_begin_a_new_ledger),
        SCRATCH_TEST(files_open_to_others_and_links_are_refused),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: refusals", tests, NULL, NULL);
}
