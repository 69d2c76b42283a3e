#include "purser/codec/operation_guess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct guess_case {
    enum http_method method;
    const char *path, *help;
};

static void assert_helps(const struct guess_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct operation *guess;
        char help[OPERATION_GUESS_BYTES];
        bool helped = operation_guess(cases[i].method, cases[i].path, help, sizeof help, &guess);

        if (strcmp(help, cases[i].help) != 0)
            print_error("%s %s\n", method_name(cases[i].method), cases[i].path);
        assert_string_equal(help, cases[i].help);
        assert_int_equal(helped, cases[i].help[0] != '\0');
        assert_int_equal(guess != NULL,
                         strstr(help, "did you mean") != NULL || strstr(help, "has only") != NULL);
    }
}
#define ASSERT_HELPS(cases) assert_helps(cases, sizeof(cases) / sizeof *(cases))

#define PRODUCT "did you mean 'PATCH /products/{id}'?"
#define INVOICES "did you mean 'POST /accounting/invoices'?"

static void other_methods_lead_to_the_one_that_there_is(void **state)
{
    static const struct guess_case cases[] = {
        {METHOD_PUT, "/products/~", PRODUCT},
        {METHOD_PUT, "/products/{id}", PRODUCT},
        {METHOD_PUT, "/products/:id", PRODUCT},
        {METHOD_PUT, "/products", PRODUCT},
        {METHOD_PUT, "/products/7", PRODUCT},
        {METHOD_PUT, "/products/3f2a-98b7", PRODUCT},
        {METHOD_DELETE, "/orders/7", "did you mean 'PATCH /orders/{id}'?"},
        {METHOD_PATCH, "/products", PRODUCT},
        {METHOD_POST, "/products/~", PRODUCT},
        {METHOD_DELETE, "/products", "did you mean 'DELETE /products/{id}'?"},
        {METHOD_PUT, "/accounting/invoices/~", "did you mean 'PATCH /accounting/invoices/{id}'?"},
        {METHOD_PUT, "/invoices/:id", "did you mean 'PATCH /accounting/invoices/{id}'?"},
        {METHOD_PUT, "/products/:id/variants/:variantId",
         "did you mean 'PATCH /products/{id}/variants/{variantId}'?"},
        {METHOD_DELETE, "/accounting/customers/~",
         "did you mean 'PATCH /accounting/customers/{id}'?"},
        {METHOD_PATCH, "/accounting/bank_deposits/~",
         "the API has only DELETE /accounting/bank_deposits/{id} for this"},
        {METHOD_PUT, "/accounting/tax_rates", "did you mean 'POST /accounting/tax_rates'?"},
    };

    (void)state;
    ASSERT_HELPS(cases);
}

static void paths_lead_to_their_area(void **state)
{
    static const struct guess_case cases[] = {
        {METHOD_POST, "/invoices", INVOICES},
        {METHOD_POST, "/invoice", INVOICES},
        {METHOD_POST, "/accounting/invoice", INVOICES},
        {METHOD_POST, "/Invoices", INVOICES},
        {METHOD_POST, "/invoces", INVOICES},
        {METHOD_POST, "/versioned/invoices", INVOICES},
        {METHOD_POST, "/versioned/accounting/invoices", INVOICES},
        {METHOD_POST, "/v2/invoices/", INVOICES},
        {METHOD_PATCH, "/versioned/products/~", PRODUCT},
        {METHOD_PUT, "/versioned/products/:id", PRODUCT},
        {METHOD_POST, "/versioned/products", "did you mean 'POST /products'?"},
        {METHOD_POST, "/commerce/products", "did you mean 'POST /products'?"},
        {METHOD_POST, "/accounting/products", "did you mean 'POST /products'?"},
        {METHOD_POST, "/expenses", "did you mean 'POST /accounting/expenses'?"},
        {METHOD_POST, "/journalEntries", "did you mean 'POST /accounting/journal_entries'?"},
        {METHOD_POST, "/journal-entry", "did you mean 'POST /accounting/journal_entries'?"},
        {METHOD_POST, "/tax-rates", "did you mean 'POST /accounting/tax_rates'?"},
        {METHOD_DELETE, "/bills/~", "did you mean 'DELETE /accounting/bills/{id}'?"},
        {METHOD_POST, "/bills/~/attachments",
         "did you mean 'POST /accounting/bills/{id}/attachments'?"},
        {METHOD_PATCH, "/acounting/bills/~", "did you mean 'PATCH /accounting/bills/{id}'?"},
    };

    (void)state;
    ASSERT_HELPS(cases);
}

static void names_of_other_descriptions_are_translated(void **state)
{
    static const struct guess_case cases[] = {
        {METHOD_POST, "/connections/token_exchange",
         "did you mean 'POST /item/public_token/exchange'?"},
        {METHOD_POST, "/config-webhooks",
         "webhooks are set up in Rutter's dashboard; no request does it"},
        {METHOD_DELETE, "/config-webhooks/~",
         "webhooks are set up in Rutter's dashboard; no request does it"},
        {METHOD_POST, "/banking/bank_accounts", "what is below /banking can only be read"},
        {METHOD_POST, "/bank-accounts", "bank accounts can only be read"},
        {METHOD_POST, "/ad-accounts", "advertisements can only be read"},
        {METHOD_POST, "/hris/employees", "what is below /hris can only be read"},
        {METHOD_POST, "/accounting/suppliers", "did you mean 'POST /accounting/vendors'?"},
        {METHOD_PUT, "/suppliers/:id", "did you mean 'PATCH /accounting/vendors/{id}'?"},
        {METHOD_POST, "/payments",
         "did you mean 'POST /accounting/invoice_payments'? or POST /accounting/bill_payments for "
         "what is paid to a vendor"},
    };

    (void)state;
    ASSERT_HELPS(cases);
}

static void nothing_is_said_where_nothing_comes_to_mind(void **state)
{
    static const struct guess_case cases[] = {
        {METHOD_POST, "/nothing/like/it", ""},
        {METHOD_POST, "/orders/1/~/2", ""},
        {METHOD_POST, "/accounting/custom_record", ""},
        {METHOD_POST, "/", ""},
        {METHOD_POST, "", ""},
        {METHOD_POST, "products", ""},
        {METHOD_POST, "//", ""},
        {METHOD_PATCH, "/~", ""},
    };
    char path[4096] = "/versioned/versioned/", help[OPERATION_GUESS_BYTES];

    (void)state;
    ASSERT_HELPS(cases);
    memset(path + strlen(path), 'A', sizeof path - strlen(path) - 1);
    assert_false(operation_guess(METHOD_PUT, path, help, sizeof help, NULL));
    memset(path, '/', sizeof path - 1);
    assert_false(operation_guess(METHOD_PUT, path, help, sizeof help, NULL));
}

static void every_operation_is_found_in_its_own_words(void **state)
{
    const struct operation *operation, *guess;
    char help[OPERATION_GUESS_BYTES];

    (void)state;
    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++) {
        assert_true(operation_guess(operation->method, operation->path, help, sizeof help, &guess));
        assert_ptr_equal(guess, operation);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_methods_lead_to_the_one_that_there_is),
        cmocka_unit_test(paths_lead_to_their_area),
        cmocka_unit_test(names_of_other_descriptions_are_translated),
        cmocka_unit_test(nothing_is_said_where_nothing_comes_to_mind),
        cmocka_unit_test(every_operation_is_found_in_its_own_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
