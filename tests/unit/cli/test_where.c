#include "purser/cli/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct item_view failed_item(void)
{
    struct item_view view = {.number = 7, .job = "products", .connection = "shop"};

    view.item = item_new(0, 0, (struct hash128){1, 2}, 1000);
    view.item.state = ITEM_FAILED;
    view.item.reason = REASON_REFUSED;
    view.item.http_status = 450;
    view.item.attempt_total = 3;
    memcpy(view.item.error_code, "BAD_SKU", sizeof "BAD_SKU");
    view.request.key = SLICE("SKU-17 b");
    return view;
}

static bool matches(const char *text)
{
    struct item_view view = failed_item();
    struct where where;
    struct err err = {0};

    assert_int_equal(where_parse(text, &where, &err), ERR_OK);
    return where_matches(&where, &view);
}

static void terms_select_by_each_field(void **context)
{
    (void)context;
    assert_true(matches(NULL));
    assert_true(matches("  "));
    assert_true(matches("state=failed"));
    assert_true(matches("state = failed and code = 450"));
    assert_true(matches("code=BAD_SKU"));
    assert_true(matches("code~SKU and job=products and connection=shop"));
    assert_true(matches("key='SKU-17 b'"));
    assert_true(matches("key~17"));
    assert_true(matches("reason=refused"));
    assert_true(matches("attempts>=3 and attempts<4 and generation=1"));
    assert_true(matches("\tkey = \"SKU-17 b\" and line=0 and line~0 and line!=2"));
    assert_true(matches("line>=0 and line<=0 and line<1"));
    assert_true(
        matches("key>SKU-17 and key>='SKU-17 b' and key<SKU-2 and key<=SKU-2 and key<='SKU-17 b'"));
    assert_true(matches("key!=SKU-17 and\tjob>=prod"));
    assert_false(matches("line>0"));
    assert_false(matches("key<SKU-17"));
    assert_false(matches("state!=failed"));
    assert_false(matches("state=failed and code=400"));
    assert_false(matches("attempts>3"));
    assert_false(matches("key=SKU-17"));
}

static void refuses(const char *text, const char *part)
{
    struct where where;
    struct err err = {0};

    assert_int_equal(where_parse(text, &where, &err), ERR_USAGE);
    if (strstr(err.text, part) == NULL)
        fail_msg("'%s' gives '%s', which has no '%s'", text, err.text, part);
}

static void what_is_wrong_is_named(void **context)
{
    (void)context;
    refuses("stat=failed", "did you mean 'state'");
    refuses("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz=1",
            "'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz' is not");
    refuses("zzz=1", "hint: fields are state, reason");
    refuses("state=fialed", "'fialed' is not a state");
    refuses("state=zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
            "zzzzzzzz' is not a state");
    refuses("state=new", "'new' is not a state");
    refuses("state=failed andcode=1", "joined by 'and'");
    refuses("state=failed and", "nothing comes after the last 'and'");
    refuses("state=failed and \t", "nothing comes after the last 'and'");
    refuses("line=first", "line is a number");
    refuses("generation=one", "generation is a number");
    refuses("state failed", "after state comes one of");
    refuses("state=", "nothing to be compared with");
    refuses("state=failed or code=1", "joined by 'and'");
    refuses("attempts=many", "attempts is a number");
    refuses("key='open", "nothing to be compared with");
}

static bool matches_row(const char *text)
{
    const struct where_row row = {.job = "products",
                                  .connection = "shop",
                                  .key = SLICE("SKU-17"),
                                  .state = WHERE_STATE_NEW,
                                  .line = 12};
    struct where where;
    struct err err = {0};

    assert_int_equal(where_parse_rows(text, &where, &err), ERR_OK);
    return where_matches_row(&where, &row);
}

static void rows_are_selected_by_what_is_known_before_they_are_sent(void **context)
{
    struct where where;
    struct err err = {0};

    (void)context;
    assert_true(matches_row(NULL));
    assert_true(matches_row("state=new and job=products and connection=shop and key~17"));
    assert_true(matches_row("line>11 and line=12 and state~e"));
    assert_false(matches_row("state=failed"));
    assert_false(matches_row("line!=12"));
    assert_int_equal(where_parse_rows("attempts>1", &where, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "'attempts' is not known of a row before it is sent"));
    assert_int_equal(where_parse_rows("zzz>1", &where, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "hint: fields are job, connection, key, state, line"));
    assert_int_equal(where_parse_rows("state=nwe", &where, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "hint: states are new, blocked"));
}

static void the_number_of_terms_has_a_limit(void **context)
{
    char text[WHERE_TERMS_MAX * 16 + 32] = "code=1";

    (void)context;
    for (int i = 1; i < WHERE_TERMS_MAX; i++)
        memcpy(text + strlen(text), " and code=1", sizeof " and code=1");
    (void)matches(text);
    memcpy(text + strlen(text), " and code=1", sizeof " and code=1");
    refuses(text, "at most");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_select_by_each_field),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(rows_are_selected_by_what_is_known_before_they_are_sent),
        cmocka_unit_test(the_number_of_terms_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
