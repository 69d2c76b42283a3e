#include "expr_value_fixture.h"

static void blanks_are_trimmed_also_those_of_spreadsheets(void **state)
{
    (void)state;
    fixture_row("{\"s\":\" \\t\\u00a0\\u2003a \\u00a0 b\\u3000\\ufeff\\r\\n\",\"b\":\" \\n \"}");
    assert_value("row.s | trim", "\"a \xc2\xa0 b\"");
    assert_value("row.b | trim", "\"\"");
    assert_value("'' | trim", "\"\"");
}

static void case_changes_for_latin_letters_of_europe(void **state)
{
    (void)state;
    fixture_row("{\"up\":\"AZ\\u00c4\\u00d8\\u00d7\\u00de\\u0100\\u0130\\u0139\\u0147\\u0160"
                "\\u0178\\u0179\\u017d\\u03a9\",\"down\":\"az\\u00e4\\u00df\\u00f7\\u00ff\\u0101"
                "\\u0131\\u0137\\u0138\\u013a\\u0149\\u0161\\u017e\\u017f\\u03c9\",\"n\":12}");
    assert_value("row.up | lower", "\"az\xc3\xa4\xc3\xb8\xc3\x97\xc3\xbe\xc4\x81"
                                   "i\xc4\xba\xc5\x88\xc5\xa1\xc3\xbf\xc5\xba\xc5\xbe\xce\xa9\"");
    assert_value("row.down | upper",
                 "\"AZ\xc3\x84\xc3\x9f\xc3\xb7\xc5\xb8\xc4\x80"
                 "I\xc4\xb6\xc4\xb8\xc4\xb9\xc5\x89\xc5\xa0\xc5\xbdS\xcf\x89\"");
    assert_value("row.n | upper", "\"12\"");
}

static void replace_changes_every_place(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'a-b-c' | replace('-', '+++')", "\"a+++b+++c\"");
    assert_value("'--a--' | replace('-', '')", "\"a\"");
    assert_value("'aaa' | replace('aa', 'b')", "\"ba\"");
    assert_value("'abc' | replace('x', 'y')", "\"abc\"");
    assert_value("'' | replace('x', 'y')", "\"\"");
    assert_value("'x' | replace('x', '')", "\"\"");
    assert_error("'abc' | replace('' | trim, 'y')", "cannot look for empty text");
}

static void text_is_looked_at_and_filled_up(void **state)
{
    (void)state;
    fixture_row("{\"n\":42,\"empty\":\"\"}");
    assert_value("'abc' | starts_with('ab')", "true");
    assert_value("'abc' | starts_with('b')", "false");
    assert_value("'a' | starts_with('ab')", "false");
    assert_value("row.empty | starts_with('')", "true");
    assert_value("'abc' | ends_with('bc')", "true");
    assert_value("'abc' | ends_with('b')", "false");
    assert_value("'c' | ends_with('bc')", "false");
    assert_value("'abc' | contains('b')", "true");
    assert_value("'abc' | contains('ac')", "false");
    assert_value("row.empty | contains('')", "true");
    assert_value("row.empty | contains('a')", "false");
    assert_value("row.n | contains(2)", "true");
    assert_error("'abc' | contains(row.none)", "takes text, not missing");
    assert_value("row.n | pad(5, '0')", "\"00042\"");
    assert_value("'\xc3\xa4' | pad(3, '\xe2\x82\xac')", "\"\xe2\x82\xac\xe2\x82\xac\xc3\xa4\"");
    assert_value("'abc' | pad(3, '0')", "\"abc\"");
    assert_value("'abcd' | pad(3, '0')", "\"abcd\"");
    assert_value("(row.empty | pad(1000, ' ') | length)", "1000");
    assert_error("'a' | pad(1000 + 1, '0')", "from 0 to 1000");
    assert_error("'a' | pad(3, '00' | trim)", "'pad' fills up with one character");
    assert_error("'a' | pad(3, row.empty)", "'pad' fills up with one character");
}

static void bytes_are_encoded_and_hashed(void **state)
{
    (void)state;
    fixture_row("{\"s\":\"\\u00ff\\u00fe?\"}");
    assert_value("'' | base64", "\"\"");
    assert_value("'f' | base64", "\"Zg==\"");
    assert_value("'fo' | base64", "\"Zm8=\"");
    assert_value("'foo' | base64", "\"Zm9v\"");
    assert_value("'foobar' | base64", "\"Zm9vYmFy\"");
    assert_value("row.s | base64", "\"w7/Dvj8=\"");
    assert_value("'abc' | sha256",
                 "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
}

static void text_is_cut_by_characters(void **state)
{
    (void)state;
    fixture_row("{\"s\":\"\\u00e4\\ud83d\\ude00bc\"}");
    assert_value("row.s | truncate(0)", "\"\"");
    assert_value("row.s | truncate(2)", "\"\xc3\xa4\xf0\x9f\x98\x80\"");
    assert_value("row.s | truncate(4)", "\"\xc3\xa4\xf0\x9f\x98\x80"
                                        "bc\"");
    assert_value("row.s | truncate(400)", "\"\xc3\xa4\xf0\x9f\x98\x80"
                                          "bc\"");
}

static void slugs_are_plain_letters_digits_and_single_dashes(void **state)
{
    (void)state;
    fixture_row("{\"s\":\" \\u00c4rger & Stra\\u00dfe: \\u0141\\u00f3d\\u017a \\u0152uvre "
                "\\u4e2d 12! \",\"none\":\"\\u4e2d\\u6587\"}");
    assert_value("row.s | slug", "\"arger-strasse-lodz-oeuvre-12\"");
    assert_value("'A--b__c' | slug", "\"a-b-c\"");
    assert_value("'0z9' | slug", "\"0z9\"");
    assert_error("row.none | slug", "'slug' finds no Latin letter");
    assert_error("'' | slug", "'slug' finds no Latin letter");
}

/* Each Latin letter with marks has a plain form that is not longer. */
static void every_latin_letter_has_a_slug(void **state)
{
    struct value text = {.kind = VALUE_STRING};
    char bytes[2], expression[] = "(row.s | slug | length) <= 2";
    struct slice name = SLICE("s");

    (void)state;
    for (unsigned character = 0xc0; character <= 0x17f; character++) {
        if (character == 0xd7 || character == 0xf7) /* × ÷ */
            continue;
        bytes[0] = (char)(0xc0 | character >> 6);
        bytes[1] = (char)(0x80 | (character & 0x3f));
        text.text = (struct slice){bytes, 2};
        fixture.row = (struct value){.kind = VALUE_MAP, .map = {&name, &text, 1}};
        assert_value(expression, "true");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(blanks_are_trimmed_also_those_of_spreadsheets),
        FIXTURE_TEST(case_changes_for_latin_letters_of_europe),
        FIXTURE_TEST(replace_changes_every_place),
        FIXTURE_TEST(text_is_looked_at_and_filled_up),
        FIXTURE_TEST(bytes_are_encoded_and_hashed),
        FIXTURE_TEST(text_is_cut_by_characters),
        FIXTURE_TEST(slugs_are_plain_letters_digits_and_single_dashes),
        FIXTURE_TEST(every_latin_letter_has_a_slug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
