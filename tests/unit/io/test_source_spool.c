/* What comes through a pipe, and what is kept of it. */
#include "source_files_fixture.h"

static bool is_there(const char *name)
{
    char full[128];

    file_name(full, name);
    return access(full, F_OK) == 0;
}

static void use_command(const char *const *command)
{
    job.source.origin = ORIGIN_COMMAND;
    job.source.is_pattern = false;
    job.source.path = NULL;
    job.source.command = command;
}

static void rows_of_a_command_are_kept_when_it_is_said(void **state)
{
    static const char *const first[] = {"printf", "sku\\nA\\n", NULL};
    static const char *const second[] = {"printf", "sku\\nB\\n", NULL};

    (void)state;
    use_command(first);
    open_source(NULL);
    assert_units("<rows: printf>:2 [{\"sku\":\"A\"}]\n");
    open_source(&store);
    assert_units("<rows: printf>:2 [{\"sku\":\"A\"}]\n");
    assert_false(is_there("rows.rows"));
    assert_int_equal(source_keep(source, &err), ERR_OK);
    assert_true(is_there("rows.rows"));
    assert_given_back("sku\nA\n");
    /* What is not kept goes, and does not touch what was. */
    use_command(second);
    open_source(&store);
    assert_units("<rows: printf>:2 [{\"sku\":\"B\"}]\n");
    source_close(source);
    source = NULL;
    assert_false(is_there("rows-unkept.rows"));
    store.is_kept = true;
    open_source(&store);
    assert_units("<rows: printf>:2 [{\"sku\":\"A\"}]\n");
    write_text("rows.old", "");
    source_forget_others(&spec, &ledger);
    assert_false(is_there("rows.old"));
    assert_true(is_there("rows.rows"));
    job.source.origin = ORIGIN_FILES;
    source_forget_others(&spec, &ledger);
    assert_false(is_there("rows.rows"));
    job.source.origin = ORIGIN_COMMAND;
}

static void kept_rows_are_asked_for_in_vain_before_the_first_run(void **state)
{
    static const char *const command[] = {"true", NULL};

    (void)state;
    use_command(command);
    store.is_kept = true;
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_INPUT);
    assert_printed("spec.yaml:12:10: error: no rows of an earlier run are kept");
}

static void a_link_in_the_place_of_the_rows_is_not_followed(void **state)
{
    static const char *const command[] = {"printf", "sku\\nA\\n", NULL};
    char full[128];

    (void)state;
    use_command(command);
    file_name(full, "rows-unkept.rows");
    assert_int_equal(symlink("/dev/full", full), 0);
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "rows-unkept.rows"));
    unlink(full);
}

/* As on a full disk, which a test cannot have: the process may write no more. */
static void a_spool_that_cannot_be_written_is_told(void **state)
{
    static const char *const command[] = {"head", "-c", "200000", "/dev/zero", NULL};
    struct rlimit before, little;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = (struct rlimit){100000, before.rlim_max};
    use_command(command);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(err.text, "the rows cannot be kept on the disk: File too large"));
    assert_non_null(strstr(err.text, "\nhint: TMPDIR names another folder"));
}

/* Opens the rows that the script makes; false, with *err, when that is refused. */
static bool opens(enum source_kind kind, const char *script)
{
    static const char *command[] = {"sh", "-c", NULL, NULL};

    command[2] = script;
    source_close(source);
    source = NULL;
    memset(&err, 0, sizeof err);
    use_command(command);
    job.source.kind = kind;
    return source_open(&spec, &job, NULL, &diagnostics, &source, &err) == ERR_OK;
}

static void a_line_that_never_ends_stops_its_command(void **state)
{
    (void)state;
    assert_false(opens(SOURCE_CSV, "echo sku; echo A; exec tr '\\0' x </dev/zero"));
    assert_int_equal(err.code, ERR_INPUT);
    assert_printed("<rows: sh>:3:1: error: a line of more than 16777216 bytes starts here");
    assert_false(opens(SOURCE_NDJSON, "exec tr '\\0' ' ' </dev/zero"));
    assert_printed("<rows: sh>:1:1: error: a line of more than 16777216 bytes starts here");
}

static void a_line_may_have_the_bytes_of_the_longest_row(void **state)
{
    (void)state;
    assert_true(opens(SOURCE_NDJSON, "head -c 16777216 /dev/zero | tr '\\0' ' '; echo"));
    assert_false(opens(SOURCE_NDJSON, "head -c 16777217 /dev/zero | tr '\\0' ' '; echo"));
    assert_int_equal(err.code, ERR_INPUT);
    assert_true(opens(SOURCE_NDJSON, "head -c 10000000 /dev/zero | tr '\\0' ' '; printf '\\r';"
                                     "head -c 10000000 /dev/zero | tr '\\0' ' '; echo"));
    assert_true(opens(SOURCE_JSON, "echo [; head -c 16777217 /dev/zero | tr '\\0' ' '; echo ]"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_of_a_command_are_kept_when_it_is_said),
        TEST(kept_rows_are_asked_for_in_vain_before_the_first_run),
        TEST(a_link_in_the_place_of_the_rows_is_not_followed),
        TEST(a_spool_that_cannot_be_written_is_told),
        TEST(a_line_that_never_ends_stops_its_command),
        TEST(a_line_may_have_the_bytes_of_the_longest_row),
    };

    return cmocka_run_group_tests_name("io/source_spool", tests, NULL, NULL);
}
