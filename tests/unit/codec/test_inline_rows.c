#include "expr_fixture.h"

#include "purser/codec/cell.h"
#include "purser/codec/inline_rows.h"

static struct spec_source source;
static struct value rows[4];

/* Rows as they stand in a spec. */
static void set_rows(const char *first, const char *second)
{
    rows[0] = fixture_json(&fixture.spec_arena, first);
    rows[1] = fixture_json(&fixture.spec_arena, second);
    source = (struct spec_source){.kind = SOURCE_INLINE, .inline_rows = rows, .inline_count = 2};
}

static const char *as_csv(void)
{
    struct spec_column *columns;
    size_t count;

    assert_int_equal(inline_rows_columns(&fixture.spec_arena, &source, &columns, &count), ERR_OK);
    buf_clear(&fixture.out);
    inline_rows_append_header(columns, count, ',', &fixture.out);
    for (size_t i = 0; i < source.inline_count; i++) {
        buf_append_byte(&fixture.out, '\n');
        inline_rows_append(columns, count, &rows[i], ',', &fixture.out);
    }
    return buf_text(&fixture.out);
}

static void texts_stand_as_they_are_and_what_is_not_there_is_empty(void **state)
{
    (void)state;
    set_rows("{\"sku\":\"A-1\",\"zip\":\"00123\"}", "{\"name\":\"a, b\",\"sku\":\"=1\"}");
    assert_string_equal(as_csv(), "sku,zip,name\nA-1,00123,\n=1,,\"a, b\"");
}

static void other_values_stand_as_in_json(void **state)
{
    (void)state;
    set_rows("{\"n\":9.90,\"b\":true,\"l\":[1,\"x\"],\"e\":\"\",\"z\":null}", "{\"n\":\"9.90\"}");
    assert_string_equal(as_csv(), "n,b,l,e,z\n9.90,true,\"[1,\"\"x\"\"]\",\"\"\"\"\"\",null\n"
                                  "\"\"\"9.90\"\"\",,,,");
}

static void types_of_the_spec_are_kept(void **state)
{
    static const struct spec_column typed[] = {
        {.name = SLICE("price"), .type = COLUMN_DECIMAL},
        {.name = SLICE("tags"), .type = COLUMN_LIST, .separator = SLICE("|")}};
    struct spec_source csv = {.kind = SOURCE_CSV};

    (void)state;
    set_rows("{\"sku\":\"A-1\",\"price\":12,\"tags\":\"a|b\"}", "{\"price\":\"13\",\"n\":1}");
    source.columns = typed;
    source.column_count = 2;
    assert_string_equal(as_csv(), "sku,price,tags,n\nA-1,12,a|b,\n,13,,1");
    assert_int_equal(inline_rows_type(&fixture.spec_arena, &source, &csv), ERR_OK);
    assert_int_equal(csv.column_count, 3);
    assert_int_equal(csv.columns[0].type, COLUMN_DECIMAL);
    assert_int_equal(csv.columns[1].type, COLUMN_LIST);
    assert_int_equal(csv.columns[2].type, COLUMN_AS_WRITTEN);
}

static void more_columns_than_at_first_are_all_there(void **state)
{
    struct buf row, expected;

    (void)state;
    buf_init(&row, 4096);
    buf_init(&expected, 4096);
    for (int i = 0; i < 100; i++) {
        buf_append_format(&row, "%s\"c%d\":\"x\"", i == 0 ? "{" : ",", i);
        buf_append_format(&expected, "%sc%d", i == 0 ? "" : ",", i);
    }
    buf_append_byte(&row, '}');
    set_rows(buf_text(&row), "{}");
    assert_memory_equal(as_csv(), buf_text(&expected), expected.length);
    buf_deinit(&row);
    buf_deinit(&expected);
}

/* The cell that stands in the CSV for `value` in a column of several kinds is read as it again. */
static void check_round_trip(const char *json)
{
    const struct spec_column column = {.name = SLICE("c"), .type = COLUMN_AS_WRITTEN};
    struct value row = fixture_json(&fixture.spec_arena, json), back;
    struct cell_problem problem;
    struct buf cell, text;

    buf_init(&cell, 4096);
    buf_init(&text, 4096);
    inline_rows_append(&column, 1, &row, ',', &cell);
    /* Out of the quotes of CSV. */
    for (size_t i = 0; i < cell.length; i++)
        if (cell.bytes[i] != '"' || cell.bytes[0] != '"')
            buf_append_byte(&text, cell.bytes[i]);
        else if (i > 0 && i + 1 < cell.length && cell.bytes[i + 1] == '"')
            buf_append_byte(&text, cell.bytes[i++]);
    assert_int_equal(cell_from_text(&fixture.unit_arena, &column,
                                    (struct slice){buf_text(&text), text.length}, &back, &problem),
                     ERR_OK);
    buf_clear(&cell);
    buf_append_text(&cell, "{\"c\":");
    value_append_json(&cell, &back);
    buf_append_text(&cell, "}");
    assert_string_equal(buf_text(&cell), json);
    buf_deinit(&cell);
    buf_deinit(&text);
}

static void every_value_comes_back(void **state)
{
    static const char *const values[] = {
        "{\"c\":1}",         "{\"c\":1.50}",
        "{\"c\":-1e9}",      "{\"c\":true}",
        "{\"c\":false}",     "{\"c\":null}",
        "{\"c\":[]}",        "{\"c\":{\"a\":[1,\"b\"]}}",
        "{\"c\":\"\"}",      "{\"c\":\"1\"}",
        "{\"c\":\"007\"}",   "{\"c\":\"true\"}",
        "{\"c\":\"null\"}",  "{\"c\":\"[1]\"}",
        "{\"c\":\"{\"}",     "{\"c\":\"\\\"\"}",
        "{\"c\":\"a\\nb\"}", "{\"c\":\" 1 \"}",
        "{\"c\":\"-\"}",     "{\"c\":\"-1e9\"}",
        "{\"c\":\" a\"}",    "{\"c\":\"\\\"a\\\"\"}",
        "{\"c\":\"a,b;c\"}", "{\"c\":\"1\\t\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        check_round_trip(values[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(texts_stand_as_they_are_and_what_is_not_there_is_empty),
        FIXTURE_TEST(other_values_stand_as_in_json),
        FIXTURE_TEST(types_of_the_spec_are_kept),
        FIXTURE_TEST(more_columns_than_at_first_are_all_there),
        FIXTURE_TEST(every_value_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
