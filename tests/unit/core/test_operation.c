#include "purser/core/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct operation *find(enum http_method method, const char *path)
{
    return operation_find(method, (struct slice){path, strlen(path)});
}

static void every_operation_is_found_by_its_own_path(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct operation *operation; (operation = operation_at(count)) != NULL; count++)
        assert_ptr_equal(find(operation->method, operation->path), operation);
    assert_int_equal(count, 71);
    assert_null(operation_at(count + 1));
    assert_null(operation_at(SIZE_MAX));
}

static void concrete_paths_win_over_templates(void **state)
{
    (void)state;
    assert_string_equal(find(METHOD_POST, "/accounting/invoices")->wrapper, "invoice");
    assert_string_equal(find(METHOD_POST, "/accounting/custom_record")->path,
                        "/accounting/{entityType}");
    assert_string_equal(find(METHOD_POST, "/accounting/bill_credit_applications/unapply")->wrapper,
                        "bill_credit_unapplication");
}

static void a_template_takes_exactly_one_segment_that_is_not_empty(void **state)
{
    (void)state;
    assert_non_null(find(METHOD_PATCH, "/products/8b1f"));
    assert_non_null(find(METHOD_PATCH, "/products/8b1f/variants/1"));
    assert_null(find(METHOD_PATCH, "/products/"));
    assert_null(find(METHOD_PATCH, "/products/8b1f/"));
    assert_null(find(METHOD_PATCH, "/products/8b1f/variants/"));
    assert_null(find(METHOD_POST, "/accounting/"));
    assert_null(find(METHOD_POST, "/accounting/a/b"));
    assert_null(find(METHOD_POST, "products"));
    assert_null(find(METHOD_POST, "/product"));
    assert_null(find(METHOD_POST, "/orderA"));
    assert_null(find(METHOD_POST, "/orderz"));
    assert_non_null(find(METHOD_PATCH, "/products/-.+ 8b1f"));
    assert_null(find(METHOD_POST, ""));
}

static void the_method_is_part_of_the_operation(void **state)
{
    (void)state;
    assert_null(find(METHOD_PUT, "/products/8b1f"));
    assert_null(find(METHOD_GET, "/products"));
    assert_int_equal(find(METHOD_DELETE, "/accounting/bills/1")->class, CLASS_Y);
    assert_int_equal(find(METHOD_PATCH, "/accounting/bills/1")->class, CLASS_Y_PATCH);
}

static void only_documented_operations_are_keyed(void **state)
{
    (void)state;
    assert_int_equal(operation_repeat(find(METHOD_POST, "/accounting/invoices")), REPEAT_BY_KEY);
    assert_int_equal(operation_repeat(find(METHOD_PATCH, "/accounting/invoices/1")), REPEAT_BY_KEY);
    assert_int_equal(operation_repeat(find(METHOD_DELETE, "/accounting/invoices/1")),
                     REPEAT_BY_KEY);
    assert_int_equal(operation_repeat(find(METHOD_POST, "/products")), REPEAT_IF_PROVEN);
    assert_int_equal(operation_repeat(find(METHOD_POST, "/accounting/bills/1/attachments")),
                     REPEAT_IF_PROVEN);
    assert_int_equal(operation_repeat(find(METHOD_POST, "/accounting/bank_deposits/1/attachments")),
                     REPEAT_NEVER);
    assert_int_equal(operation_repeat(find(METHOD_POST, "/accounting/bank_feeds/transactions")),
                     REPEAT_IF_PROVEN);
    assert_int_equal(operation_repeat(find(METHOD_PATCH, "/products/1")), REPEAT_NEVER);
    assert_int_equal(operation_repeat(find(METHOD_DELETE, "/products/1")), REPEAT_NEVER);
    assert_int_equal(operation_repeat(find(METHOD_PATCH, "/accounting/journal_entries/1")),
                     REPEAT_NEVER);
    assert_int_equal(operation_repeat(find(METHOD_POST, "/connections/create")), REPEAT_NEVER);
}

/* A body without the flag is waited for; a flag that the server does not know may be refused. */
static void the_mode_goes_where_the_class_allows_it(void **state)
{
    (void)state;
    for (size_t i = 0; operation_at(i) != NULL; i++) {
        const struct operation *operation = operation_at(i);

        if (operation->class == CLASS_N)
            assert_int_equal(operation->mode_place, MODE_NOWHERE);
        else if (strcmp(operation->result, "attachment") == 0)
            assert_int_equal(operation->mode_place, MODE_IN_QUERY);
        else
            assert_int_equal(operation->mode_place, MODE_IN_BODY);
        assert_true(strlen(operation->summary) > 0 && strlen(operation->summary) < 50);
        assert_non_null(operation->wrapper);
        assert_non_null(operation->result);
        if (operation->method == METHOD_DELETE)
            assert_string_equal(operation->wrapper, "");
    }
}

static bool requires(const struct operation *operation, const char *member)
{
    for (size_t i = 0; operation->required != NULL && operation->required[i] != NULL; i++)
        if (strcmp(operation->required[i], member) == 0)
            return true;
    return false;
}

static void required_members_and_platforms_are_those_of_the_document(void **state)
{
    const struct operation *invoices = find(METHOD_POST, "/accounting/invoices");

    (void)state;
    assert_true(requires(invoices, "due_date"));
    assert_false(requires(invoices, "memo"));
    assert_false(requires(find(METHOD_PATCH, "/accounting/invoices/1"), "due_date"));
    assert_true(platform_may_be_in(invoices->platforms, "XERO"));
    assert_false(platform_may_be_in(invoices->platforms, "SHOPIFY"));
    assert_true(platform_may_be_in(find(METHOD_POST, "/products")->platforms, "SHOPIFY"));
    assert_true(find(METHOD_POST, "/connections/create")->platforms == PLATFORMS_ALL);
    assert_true(find(METHOD_POST, "/accounting/classes")->platforms == PLATFORMS_UNKNOWN);
}

static void three_calls_select_no_connection(void **state)
{
    size_t without_token = 0;

    (void)state;
    for (size_t i = 0; operation_at(i) != NULL; i++)
        without_token += !operation_at(i)->takes_access_token;
    assert_int_equal(without_token, 3);
    assert_false(find(METHOD_POST, "/connections/create")->takes_access_token);
    assert_false(find(METHOD_DELETE, "/connections/1")->takes_access_token);
    assert_false(find(METHOD_POST, "/item/public_token/exchange")->takes_access_token);
}

/* A line of operations.txt. */
static void print_operation(const struct operation *operation, char *text, size_t bytes)
{
    static const char *const classes[] = {[CLASS_Y] = "Y",
                                          [CLASS_Y_PATCH] = "Y_PATCH",
                                          [CLASS_Y_MODE_ONLY] = "Y_MODE_ONLY",
                                          [CLASS_A] = "A",
                                          [CLASS_N] = "N"};
    static const char *const modes[] = {
        [MODE_IN_BODY] = "body", [MODE_IN_QUERY] = "query", [MODE_NOWHERE] = "nowhere"};
    char platforms[1024];
    int length;

    platform_list_names(operation->platforms, platforms, sizeof platforms);
    if (operation->platforms == PLATFORMS_ALL)
        memcpy(platforms, "all", sizeof "all");
    length = snprintf(text, bytes, "%s %s | %s | %s | %s | %s | %s | %s |",
                      method_name(operation->method), operation->path, operation->wrapper,
                      operation->result, classes[operation->class], modes[operation->mode_place],
                      operation->takes_access_token ? "token" : "no token", platforms);
    for (size_t i = 0; operation->required != NULL && operation->required[i] != NULL; i++)
        length += snprintf(text + length, bytes - (size_t)length, " %s", operation->required[i]);
    snprintf(text + length, bytes - (size_t)length, " | %s\n", operation->summary);
}

static void the_table_is_as_it_was_written_down(void **state)
{
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/unit/core/operations.txt", "r");
    char line[2048], text[2048];
    size_t count = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#')
            continue;
        assert_non_null(operation_at(count));
        print_operation(operation_at(count++), text, sizeof text);
        assert_string_equal(text, line);
    }
    fclose(file);
    assert_null(operation_at(count));
}

static void method_names_go_there_and_back(void **state)
{
    enum http_method method = METHOD_COUNT;

    (void)state;
    for (int i = 0; i < METHOD_COUNT; i++) {
        const char *name = method_name((enum http_method)i);

        assert_true(method_parse((struct slice){name, strlen(name)}, &method));
        assert_int_equal(method, i);
    }
    assert_true(method_parse((struct slice){"PUTS", 3}, &method));
    assert_int_equal(method, METHOD_PUT);
    assert_false(method_parse((struct slice){"PUT\0", 4}, &method));
    assert_false(method_parse(SLICE("AAAA"), &method));
    assert_false(method_parse(SLICE("ZZZZ"), &method));
    assert_false(method_parse(SLICE("post"), &method));
    assert_false(method_parse(SLICE("POSTS"), &method));
    assert_false(method_parse(SLICE(""), &method));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_found_by_its_own_path),
        cmocka_unit_test(concrete_paths_win_over_templates),
        cmocka_unit_test(a_template_takes_exactly_one_segment_that_is_not_empty),
        cmocka_unit_test(the_method_is_part_of_the_operation),
        cmocka_unit_test(only_documented_operations_are_keyed),
        cmocka_unit_test(the_mode_goes_where_the_class_allows_it),
        cmocka_unit_test(required_members_and_platforms_are_those_of_the_document),
        cmocka_unit_test(three_calls_select_no_connection),
        cmocka_unit_test(the_table_is_as_it_was_written_down),
        cmocka_unit_test(method_names_go_there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
