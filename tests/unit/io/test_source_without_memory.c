/* A lack of memory while rows are read is told as that, and never as something wrong with them. */
#include "source_rows.h"

enum { CALLS_MAX = 2000 };

static void read_without_memory(const struct source_store *with)
{
    uint64_t failures_before;
    struct buf rows;
    int64_t nth = 0;

    buf_init(&rows, 4096);
    buf_append_text(&rows, expected); /* so that it has its room */
    do {
        enum err_code code;

        assert_true(nth < CALLS_MAX);
        start_again();
        failures_before = mem_failure_count();
        mem_test_fail(nth++, 0);
        code = read_rows(with, &rows);
        mem_test_fail(-1, 0);
        if (code == ERR_NOT_FOUND)
            assert_string_equal(buf_text(&rows), expected);
        else
            assert_int_equal(code, ERR_NO_MEMORY);
    } while (mem_failure_count() > failures_before);
    assert_true(nth > 5);
    assert_false(diagnostics_has_errors(&diagnostics));
    buf_deinit(&rows);
    start_again();
}

static void one_file(enum source_kind kind, const char *text)
{
    file_name(path, "1.csv");
    job.source.is_pattern = false;
    job.source.kind = kind;
    write_text("1.csv", text);
}

static const struct spec_column text_column = {.name = SLICE("sku"), .type = COLUMN_STRING};

static void type_text(void)
{
    job.source.columns = &text_column;
    job.source.column_count = 1;
}

static void no_memory_for_files_is_told_as_that(void **state)
{
    (void)state;
    two_files();
    read_without_memory(NULL);
    type_text();
    read_without_memory(NULL);
    one_file(SOURCE_CSV, "sku\nA\nB\n");
    job.source.encoding = ENCODING_LATIN_1;
    read_without_memory(NULL);
}

static void no_memory_for_packed_files_is_told_as_that(void **state)
{
    /* "sku,name\nA,x\nB,y\n" */
    static const char gzip[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xce\x2e\xd5\xc9\x4b"
                               "\xcc\x4d\xe5\x72\xd4\xa9\xe0"
                               "\x72\xd2\xa9\xe4\x02\x00\xbb\x25\xda\x6f\x11\x00\x00\x00";
    static const char zstandard[] = "\x28\xb5\x2f\xfd\x04\x58\x89\x00\x00\x73\x6b\x75\x2c\x6e\x61"
                                    "\x6d\x65\x0a\x41\x2c\x78\x0a\x42\x2c"
                                    "\x79\x0a\x4f\x80\x13\xb7";

    (void)state;
    write_bytes("a.csv.gz", gzip, sizeof gzip - 1);
    file_name(path, "a.csv.gz");
    job.source.is_pattern = false;
    read_without_memory(NULL);
    write_bytes("a.csv.zst", zstandard, sizeof zstandard - 1);
    file_name(path, "a.csv.zst");
    read_without_memory(NULL);
    assert_int_equal(unlink(path), 0);
}

static void no_memory_for_json_is_told_as_that(void **state)
{
    (void)state;
    type_text();
    one_file(SOURCE_NDJSON, "{\"sku\":\"A\"}\n{\"sku\":\"B\"}\n");
    read_without_memory(NULL);
    one_file(SOURCE_JSON, "[{\"sku\":\"A\"},{\"sku\":\"B\"}]");
    read_without_memory(NULL);
}

static void no_memory_for_rows_of_the_spec_is_told_as_that(void **state)
{
    static const struct slice names[] = {SLICE("sku")};
    static const struct value values[] = {{.kind = VALUE_STRING, .text = SLICE("A")},
                                          {.kind = VALUE_STRING, .text = SLICE("B")}};
    static const struct value rows[] = {
        {.kind = VALUE_MAP, .map = {.names = names, .values = &values[0], .count = 1}},
        {.kind = VALUE_MAP, .map = {.names = names, .values = &values[1], .count = 1}}};
    static const struct place places[] = {{.line = 1}, {.line = 2}};

    (void)state;
    job.source.kind = SOURCE_INLINE;
    job.source.is_pattern = false;
    job.source.inline_rows = rows;
    job.source.inline_places = places;
    job.source.inline_count = 2;
    read_without_memory(NULL);
    type_text();
    read_without_memory(NULL);
}

/* --- what a program gets to see --- */

static void a_command_sees_no_secret_of_the_spec(void **state)
{
    static const char *const command[] = {
        "sh", "-c",
        "echo sku; echo ${SECRET_A-A}${SECRET_C-}; echo ${SECRET_B-B}${SECRET_D-}${SECRET_E-}",
        NULL};
    static const char body[] =
        "{ plain: 1, list: [ { env: SECRET_B } ], api_key: { env: SECRET_D } }";
    struct spec_connection connection = {.access_token = {SECRET_ENV, "SECRET_A", {0}}};
    const struct yaml_node *node = NULL;

    (void)state;
    for (char letter = 'A'; letter <= 'E'; letter++)
        assert_int_equal(setenv((char[]){'S', 'E', 'C', 'R', 'E', 'T', '_', letter, 0}, "seen", 1),
                         0);
    assert_int_equal(
        yaml_parse(&template_arena, "spec.yaml", body, sizeof body - 1, &node, &diagnostics),
        ERR_OK);
    use_command(command);
    job.body = node;
    job.connection_write = CONNECTION_WRITE_CREATE;
    spec.connections = &connection;
    spec.connection_count = 1;
    spec.api.client_id = (struct secret_reference){SECRET_ENV, "SECRET_C", {0}};
    spec.api.client_secret = (struct secret_reference){SECRET_ENV, "SECRET_E", {0}};
    read_without_memory(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOURCE_TEST(no_memory_for_files_is_told_as_that),
        SOURCE_TEST(no_memory_for_packed_files_is_told_as_that),
        SOURCE_TEST(no_memory_for_json_is_told_as_that),
        SOURCE_TEST(no_memory_for_rows_of_the_spec_is_told_as_that),
        SOURCE_TEST(a_command_sees_no_secret_of_the_spec),
    };

    return cmocka_run_group_tests_name("io/source: without memory", tests, NULL, NULL);
}
