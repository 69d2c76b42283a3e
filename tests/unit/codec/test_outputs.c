#include "spec_fixture.h"

#include "purser/codec/outputs.h"

static const char yaml[] = HEAD CONNECTIONS
    "vars: { shop: main }\n"
    "jobs:\n"
    "  a:\n    source: { csv: a.csv, key: \"${row.sku}\" }\n    request: DELETE /products/1\n"
    "  b:\n    source: { csv: a.csv, key: \"${row.sku}\" }\n    request: DELETE /products/1\n"
    "    outputs:\n      id: ${response.product.id}\n      label: ${vars.shop}-${response.n}\n"
    "      sum: ${response.n + 1}\n";

static struct outputs *outputs;

static void open_outputs(void)
{
    struct err err = {0};

    loaded(yaml);
    assert_int_equal(outputs_open(&spec, &arena, &diagnostics, &outputs, &err), ERR_OK);
}

static const char *json(const char *job, const char *body)
{
    buf_clear(&text);
    outputs_append_json(outputs, job, slice_of(body), &text);
    return buf_text(&text);
}

static void outputs_are_taken_from_the_answer(void **state)
{
    (void)state;
    open_outputs();
    assert_string_equal(json("b", "{\"product\":{\"id\":\"p1\"},\"n\":1.50}"),
                        "{\"id\":\"p1\",\"label\":\"main-1.50\",\"sum\":2.50}");
    /* Nobody waits for these: what cannot be read is left out. */
    assert_string_equal(json("b", "{\"n\":\"x\"}"), "{\"label\":\"main-x\"}");
    assert_string_equal(json("b", "no JSON"), "{}");
    assert_string_equal(json("a", "{\"n\":1}"), "{}");
    assert_string_equal(json("gone", "{\"n\":1}"), "{}");
    outputs_close(outputs);
}

static void item_that_waits_gets_outputs_and_answer(void **state)
{
    struct value value, part;
    struct eval_error error = {0};

    (void)state;
    open_outputs();
    assert_true(outputs_read(outputs, 1, SLICE("{\"product\":{\"id\":\"p1\"},\"n\":1}"), &arena,
                             &value, &error));
    buf_clear(&text);
    value_append_json(&text, &value);
    assert_string_equal(buf_text(&text),
                        "{\"outputs\":{\"id\":\"p1\",\"label\":\"main-1\",\"sum\":2},"
                        "\"response\":{\"product\":{\"id\":\"p1\"},\"n\":1}}");
    assert_true(outputs_read(outputs, 1, SLICE("{\"n\":1}"), &arena, &value, &error));
    part = value_member(&value, SLICE("outputs"));
    assert_int_equal(value_member(&part, SLICE("id")).kind, VALUE_OMIT);
    assert_false(outputs_read(outputs, 1, SLICE("{\"n\":\"x\"}"), &arena, &value, &error));
    assert_string_equal(error.text, "response.n is text, not a number");
    assert_int_equal(error.place.line, 16);
    assert_true(outputs_read(outputs, 0, SLICE(""), &arena, &value, &error));
    outputs_close(outputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outputs_are_taken_from_the_answer),
        TEST(item_that_waits_gets_outputs_and_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
