#include "expr_value_fixture.h"

static void literals_and_names_give_their_values(void **state)
{
    (void)state;
    fixture_row("{\"sku\":\"A-1\",\"a\":{\"b\":[10,{\"c\":\"deep\"}]},\"Unit price\":\"9\","
                "\"gr\\u00f6\\u00dfe\":\"L\"}");
    assert_value("\"te\\\"x\\nt\"", "\"te\\\"x\\nt\"");
    assert_value("'it\\'s'", "\"it's\"");
    assert_value("'\\u00e4\\u20AC\\u0041' == '\xc3\xa4\xe2\x82\xac\x41'", "true");
    assert_value("1.50", "1.50");
    assert_value("-3", "-3");
    assert_value("true", "true");
    assert_value("false", "false");
    assert_value("null", "null");
    assert_value("omit", "omit");
    assert_value("row.sku", "\"A-1\"");
    assert_value("row.a.b[1].c", "\"deep\"");
    assert_value("row.a[\"b\"][0]", "10");
    assert_value("row[\"Unit price\"]", "\"9\"");
    assert_value("row.gr\xc3\xb6\xc3\x9f"
                 "e",
                 "\"L\"");
    assert_value("vars.brand", "\"Rutter\"");
    assert_value("item.key", "\"K1\"");
    assert_value("item.line", "12");
    assert_value("run.id", "3");
    assert_value("( row.sku )", "\"A-1\"");
}

static void what_does_not_exist_is_omit_but_text_has_no_members(void **state)
{
    (void)state;
    fixture_row("{\"sku\":\"A-1\",\"list\":[1],\"nothing\":null}");
    assert_value("row.none", "omit");
    assert_value("row.none.deeper[3].more", "omit");
    assert_value("row.nothing.deeper", "omit");
    assert_value("row.list[1]", "omit");
    assert_error("row.sku.length", "row.sku is text and has no 'length'");
    assert_error("row.list.length", "row.list is a list and has no 'length'");
    assert_error("row.list[0.5]", "does not fit");
    assert_error("row.list[-1]", "does not fit");
    assert_contains(fixture.error.help, "| last");
    assert_value("row.list[1e30]", "omit");
    assert_value("row.list[0.0]", "1");
    assert_error("row.list[\"a\"]", "row.list is a list and has no 'a'");
    assert_error("row.sku[0]", "does not fit");
    assert_error("row.sku.a.b", "row.sku is text and has no 'a'");
    assert_error("row.sku.a[0]", "row.sku is text and has no 'a'");
    assert_error("row.list[row.sku.a]", "row.sku is text and has no 'a'");
    assert_error("row.sku.a == 1", "row.sku is text and has no 'a'");
    assert_error("1 == row.sku.a", "row.sku is text and has no 'a'");
    assert_error("not row.sku.a", "row.sku is text and has no 'a'");
    assert_error("row.sku.a ?? 1", "row.sku is text and has no 'a'");
    assert_error("row.sku.a | upper", "row.sku is text and has no 'a'");
    assert_error("1 | default(row.sku.a)", "row.sku is text and has no 'a'");
}

static void operators_bind_as_the_grammar_says(void **state)
{
    (void)state;
    fixture_row("{\"n\":5,\"t\":\"x\",\"yes\":true,\"nothing\":null}");
    assert_value("row.n + 2 * 3", "11");
    assert_value("(row.n + 2) * 3", "21");
    assert_value("10 - 2 - 3", "5");
    assert_value("-row.n + 1", "-4");
    assert_value("2 - -1", "3");
    assert_value("1 + 1 == 2 and not 1 > 2", "true");
    assert_value("true or false and false", "true");
    assert_value("not true or true", "true");
    assert_value("not not row.yes", "true");
    assert_value("not not not row.yes", "false");
    assert_value("row.none ?? row.nothing ?? \"c\"", "\"c\"");
    assert_value("row.none ?? \"b\" | upper", "\"B\"");
    assert_value("row.n ?? 1", "5");
    assert_value("if(row.n > 3, \"many\", \"few\")", "\"many\"");
    assert_value("if(row.none, 1, omit)", "omit");
    assert_value("if(row.yes, \"only this is evaluated\", row.t * 2)",
                 "\"only this is evaluated\"");
}

static void logic_takes_only_true_false_and_missing_values(void **state)
{
    (void)state;
    fixture_row("{\"text\":\"false\",\"one\":1,\"nothing\":null}");
    assert_value("row.none or true", "true");
    assert_value("row.nothing and true", "false");
    assert_value("not row.none", "true");
    assert_error("row.text and true", "row.text is text, not true or false");
    assert_error("not row.one", "row.one is a number");
    assert_error("if(row.text, 1, 2)", "row.text is text");
    assert_value("false and row.text", "false");
    assert_value("true or row.text", "true");
    assert_error("true and row.text", "row.text is text");
}

static void numbers_compare_by_their_exact_value(void **state)
{
    (void)state;
    fixture_row("{\"a\":19.990,\"t\":\"5\",\"b\":\"true\"}");
    assert_value("row.a == 19.99", "true");
    assert_value("row.a == 1999e-2", "true");
    assert_value("0.1 + 0.2 == 0.3", "true");
    assert_value("9007199254740993 == 9007199254740992", "false");
    assert_value("10 > 9", "true");
    assert_value("-10 < -9", "true");
    assert_value("-1 < 1", "true");
    assert_value("-0.0 == 0", "true");
    assert_value("0.001 < 0.01", "true");
    assert_value("1e3 >= 999.999", "true");
    assert_value("1e400 > 1e399", "true");
    assert_value("5 != 5.0", "false");
    assert_value("5 <= 5.0", "true");
    assert_error("row.t > 4", "row.t > 4 compares text with a number");
    assert_contains(fixture.error.help, "| number");
    assert_error("row.t == 5", "compares text with a number");
    assert_error("row.b == true", "compares text with true or false");
}

static void texts_compare_by_their_bytes_and_missing_values_only_as_equal(void **state)
{
    (void)state;
    fixture_row("{\"a\":\"abc\",\"nothing\":null,\"list\":[1],\"t\":true}");
    assert_value("row.a == 'abc'", "true");
    assert_value("row.a < 'abd'", "true");
    assert_value("'ab' < row.a", "true");
    assert_value("row.a >= 'abc'", "true");
    assert_value("row.none == null", "true");
    assert_value("row.nothing == omit", "true");
    assert_value("row.none == 'abc'", "false");
    assert_value("row.none != 5", "true");
    assert_value("row.t == true", "true");
    assert_value("row.t != false", "true");
    assert_error("row.none < 5", "compares with a value that is missing");
    assert_error("row.list == 1", "compares a list with a number");
    assert_error("row.t < true", "compares true or false with true or false");
}

static void arithmetic_is_exact_and_says_when_it_cannot_be(void **state)
{
    (void)state;
    fixture_row("{\"q\":3,\"p\":19.99,\"t\":\"3\"}");
    assert_value("row.q * row.p", "59.97");
    assert_value("0.1 + 0.2", "0.3");
    assert_value("1.10 + 1", "2.10");
    assert_value("2.0 * 19.99", "39.98");
    assert_value("0.05 * 0.05", "0.0025");
    assert_value("1 - 1.00", "0.00");
    assert_value("-0.5 + 0.4", "-0.1");
    assert_value("1e3 * 2", "2000");
    assert_value("5e-3 + 1", "1.005");
    assert_value("99999999999999999999 * 99999999999999999",
                 "9999999999999999899900000000000000001");
    assert_error("99999999999999999999 * 99999999999999999999", "more than 38 digits");
    assert_error("1e39 + 1", "more than 38 digits");
    assert_error("1e-39 + 1", "more than 38 digits");
    assert_error("1 + 1e39", "more than 38 digits");
    assert_error("9999999999999999999999999999999999999999 * 1", "more than 38 digits");
    assert_error("12345678901234567890123456789012345678 + 0.01", "more than 38 digits");
    assert_error("0.01 - 12345678901234567890123456789012345678", "more than 38 digits");
    assert_value("10e-39 + 0", "0.00000000000000000000000000000000000001");
    assert_error("170141183460469231731687303715884105727 + 1", "more than 38 digits");
    assert_value("0e999999999999999999999 + 1", "1");
    assert_error("row.t * 2", "row.t is text, not a number");
    assert_error("row.none + 1", "row.none is missing");
}

static void quotients_are_rounded_once_where_they_are_made(void **state)
{
    (void)state;
    fixture_row("{\"total\":10,\"count\":3,\"zero\":0.00,\"t\":\"3\",\"n\":2}");
    assert_value("(row.total / row.count) | round(2)", "3.33");
    assert_value("row.total / row.count | round", "3");
    assert_value("row.total / row.count | round(row.n, 'up')", "3.34");
    assert_value("row.total * 100 / row.count | round(1)", "333.3");
    assert_value("-row.total / row.count | round(1)", "-3.3");
    assert_value("10 / 4 | round(2)", "2.50");
    assert_value("0.125 / 1 | round(2, 'half_even')", "0.12");
    /* Rounded twice it would be 0.15, then 0.2. */
    assert_value("0.1499 / 1 | round(1)", "0.1");
    assert_value("if(row.count == 0, omit, (row.total / row.count) | round(1)) + 1", "4.3");
    assert_value("row.none | default((row.total / row.count) | round(1))", "3.3");
    assert_value("10 | round((7 / 4) | round)", "10.00");
    assert_error("row.total / row.zero | round(2)", "row.total / row.zero divides by zero");
    assert_contains(fixture.error.help, "if(b == 0");
    assert_int_equal(fixture.error.place.line, 2);
    assert_int_equal(fixture.error.place.column, 5);
    assert_int_equal(fixture.error.place.width, 20);
    assert_error("row.total / row.t | round(2)", "row.t is text, not a number");
    assert_error("row.none / row.count | round(2)", "row.none is missing");
    assert_error("row.total.a / 1 | round", "has no 'a'");
    assert_error("1e38 / 1e-38 | round", "1e38 / 1e-38 needs more than 38 digits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(literals_and_names_give_their_values),
        FIXTURE_TEST(what_does_not_exist_is_omit_but_text_has_no_members),
        FIXTURE_TEST(operators_bind_as_the_grammar_says),
        FIXTURE_TEST(logic_takes_only_true_false_and_missing_values),
        FIXTURE_TEST(numbers_compare_by_their_exact_value),
        FIXTURE_TEST(texts_compare_by_their_bytes_and_missing_values_only_as_equal),
        FIXTURE_TEST(arithmetic_is_exact_and_says_when_it_cannot_be),
        FIXTURE_TEST(quotients_are_rounded_once_where_they_are_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
