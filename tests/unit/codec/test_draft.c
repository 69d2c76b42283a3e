#include "expr_fixture.h"

#include "purser/codec/draft.h"

static struct draft back;

static const char *round_trip(const char *row, bool has_rows)
{
    struct value value = fixture_json(&fixture.spec_arena, row);
    struct draft draft = {
        .index = 7, .line = 12, .file = SLICE("data/a \"b\".csv"), .has_rows = has_rows};
    struct err err = {0};

    if (has_rows)
        draft.rows = value;
    else
        draft.row = value;
    buf_clear(&fixture.out);
    draft_append(&draft, &fixture.out);
    memset(&back, 0xff, sizeof back);
    if (draft_read(&fixture.unit_arena, (struct slice){buf_text(&fixture.out), fixture.out.length},
                   &back, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(back.index, 7);
    assert_int_equal(back.line, 12);
    assert_true(slice_is(back.file, "data/a \"b\".csv"));
    buf_clear(&fixture.out);
    value_append_json(&fixture.out, has_rows ? &back.rows : &back.row);
    return buf_text(&fixture.out);
}

static void row_comes_back_with_its_types_and_digits(void **state)
{
    static const char row[] = "{\"t\":\"te\\\"xt \xc3\xb6\",\"n\":1,\"d\":12.340,\"e\":1e-7,\"b\":"
                              "true,\"x\":null,\"l\":[1,-3,\"a\",{\"m\":9.0}],\"m\":{}}";

    (void)state;
    assert_string_equal(round_trip(row, false), row);
    assert_false(back.has_rows);
}

static void whole_numbers_of_any_length_come_back(void **state)
{
    struct value number = {.kind = VALUE_NUMBER, .text = SLICE("123456789012345678901234567890")};
    struct slice name = SLICE("n");
    struct draft draft = {.row.kind = VALUE_MAP, .file = SLICE("a")};
    struct err err = {0};

    (void)state;
    draft.row.map.names = &name;
    draft.row.map.values = &number;
    draft.row.map.count = 1;
    draft_append(&draft, &fixture.out);
    assert_int_equal(draft_read(&fixture.unit_arena,
                                (struct slice){buf_text(&fixture.out), fixture.out.length}, &back,
                                &err),
                     ERR_OK);
    assert_true(slice_is(back.row.map.values[0].text, "123456789012345678901234567890"));
}

static void what_the_run_was_comes_back_where_it_is_kept(void **state)
{
    struct draft draft = {.file = SLICE("a")};
    struct err err = {0};

    (void)state;
    draft.row = fixture_json(&fixture.spec_arena, "{\"a\":1}");
    draft.run = fixture_json(&fixture.spec_arena, "{\"id\":\"7\",\"slot\":\"2026-07-01\"}");
    draft_append(&draft, &fixture.out);
    assert_int_equal(draft_read(&fixture.unit_arena,
                                (struct slice){buf_text(&fixture.out), fixture.out.length}, &back,
                                &err),
                     ERR_OK);
    assert_int_equal(back.run.kind, VALUE_MAP);
    assert_true(slice_is(value_member(&back.run, SLICE("slot")).text, "2026-07-01"));
    (void)round_trip("{\"a\":1}", false);
    assert_int_equal(back.run.kind, VALUE_OMIT);
}

static void rows_of_a_group_come_back_and_the_first_is_the_row(void **state)
{
    (void)state;
    assert_string_equal(round_trip("[{\"a\":1},{\"a\":2}]", true), "[{\"a\":1},{\"a\":2}]");
    assert_true(back.has_rows);
    assert_true(slice_is(back.row.map.values[0].text, "1"));
}

static void what_is_no_draft_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"line\":1,\"index\":0,\"file\":\"a\"}",
        "{\"line\":1,\"index\":0,\"file\":\"a\",\"row\":1}",
        "{\"line\":1,\"index\":0,\"file\":\"a\",\"rows\":[]}",
        "{\"line\":-1,\"index\":0,\"file\":\"a\",\"row\":{}}",
        "{\"line\":1,\"index\":0.5,\"file\":\"a\",\"row\":{}}",
        "{\"line\":1,\"index\":0,\"file\":1,\"row\":{}}",
        "{\"line\":1,\"index\":0,\"file\":\"a\",\"row\":{},\"run\":7}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err err = {0};

        assert_int_equal(draft_read(&fixture.unit_arena, slice_of(texts[i]), &back, &err),
                         ERR_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(row_comes_back_with_its_types_and_digits),
        FIXTURE_TEST(whole_numbers_of_any_length_come_back),
        FIXTURE_TEST(what_the_run_was_comes_back_where_it_is_kept),
        FIXTURE_TEST(rows_of_a_group_come_back_and_the_first_is_the_row),
        FIXTURE_TEST(what_is_no_draft_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
