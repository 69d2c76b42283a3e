#include "purser/core/operation.h"

#include <string.h>

#define ACCOUNTING "/accounting"

/* A create or an update with a wrapped body and an entity of the same name in the answer. */
#define ENTITY(verb, where, entity, kind)                                                  \
    {                                                                                      \
        .method = METHOD_##verb, .path = (where), .wrapper = (entity), .result = (entity), \
        .class = (kind), .mode_place = (kind) == CLASS_N ? MODE_NOWHERE : MODE_IN_BODY,    \
        .takes_access_token = true                                                         \
    }

/* A file for an entity; the body has no wrapper. */
#define ATTACHMENT(where, kind)                                                         \
    {                                                                                   \
        .method = METHOD_POST, .path = (where), .wrapper = "", .result = "attachment",  \
        .class = (kind), .mode_place = (kind) == CLASS_N ? MODE_NOWHERE : MODE_IN_BODY, \
        .takes_access_token = true                                                      \
    }

/* A DELETE whose body is {"response_mode": …} and nothing else. */
#define ASYNC_DELETE(where, entity)                                                  \
    {                                                                                \
        .method = METHOD_DELETE, .path = (where), .wrapper = "", .result = (entity), \
        .class = CLASS_Y, .mode_place = MODE_IN_BODY, .takes_access_token = true     \
    }

/* A call that is sent as it is, at most once. */
#define BARE(verb, where, entity, with_token)                                            \
    {                                                                                    \
        .method = METHOD_##verb, .path = (where), .wrapper = "", .result = (entity),     \
        .class = CLASS_N, .mode_place = MODE_NOWHERE, .takes_access_token = (with_token) \
    }

/* A concrete path stands before the template that would take it too: the first match counts.
 * PATCH of journal entries is known from the change log alone, so nothing is promised of it. */
static const struct operation operations[] = {
    ENTITY(POST, ACCOUNTING "/accounts", "account", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/bank_deposits", "bank_deposit", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/bank_deposits/{id}", ""),
    ATTACHMENT(ACCOUNTING "/bank_deposits/{id}/attachments", CLASS_N),
    ENTITY(POST, ACCOUNTING "/bank_feeds/accounts", "bank_feed_account", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/bank_feeds/accounts/{id}", ""),
    BARE(POST, ACCOUNTING "/bank_feeds/otp", "bank_feed_otp", true),
    ENTITY(POST, ACCOUNTING "/bank_feeds/transactions", "bank_feed_transactions",
           CLASS_Y_MODE_ONLY),
    ENTITY(POST, ACCOUNTING "/bank_transfers", "bank_transfer", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/bank_transfers/{id}", ""),
    ATTACHMENT(ACCOUNTING "/bank_transfers/{id}/attachments", CLASS_N),
    ENTITY(POST, ACCOUNTING "/bill_credit_applications", "bill_credit_application", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/bill_credit_applications/unapply", "bill_credit_unapplication",
           CLASS_N),
    ENTITY(POST, ACCOUNTING "/bill_credit_memos", "bill_credit_memo", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/bill_payments", "bill_payment", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/bill_payments/{id}", ""),
    ENTITY(PATCH, ACCOUNTING "/bill_payments/{id}", "bill_payment", CLASS_Y_PATCH),
    ENTITY(POST, ACCOUNTING "/bills", "bill", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/bills/{id}", "deleted_bill"),
    ENTITY(PATCH, ACCOUNTING "/bills/{id}", "bill", CLASS_Y_PATCH),
    ATTACHMENT(ACCOUNTING "/bills/{id}/attachments", CLASS_A),
    ENTITY(POST, ACCOUNTING "/classes", "class", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/customer_refunds", "customer_refund", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/customer_refunds/{id}", ""),
    ENTITY(POST, ACCOUNTING "/customers", "customer", CLASS_Y),
    ENTITY(PATCH, ACCOUNTING "/customers/{id}", "customer", CLASS_Y_PATCH),
    ENTITY(POST, ACCOUNTING "/departments", "department", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/expenses", "expense", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/expenses/{id}", ""),
    ENTITY(PATCH, ACCOUNTING "/expenses/{id}", "expense", CLASS_Y_PATCH),
    ATTACHMENT(ACCOUNTING "/expenses/{id}/attachments", CLASS_A),
    ENTITY(POST, ACCOUNTING "/invoice_credit_applications", "invoice_credit_application", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/invoice_credit_memos", "invoice_credit_memo", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/invoice_credit_memos/{id}", ""),
    ENTITY(POST, ACCOUNTING "/invoice_payments", "invoice_payment", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/invoice_payments/{id}", ""),
    ENTITY(PATCH, ACCOUNTING "/invoice_payments/{id}", "invoice_payment", CLASS_Y_PATCH),
    ENTITY(POST, ACCOUNTING "/invoices", "invoice", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/invoices/{id}", ""),
    ENTITY(PATCH, ACCOUNTING "/invoices/{id}", "invoice", CLASS_Y_PATCH),
    ATTACHMENT(ACCOUNTING "/invoices/{id}/attachments", CLASS_A),
    ENTITY(POST, ACCOUNTING "/items", "item", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/items/{id}", ""),
    ENTITY(PATCH, ACCOUNTING "/items/{id}", "item", CLASS_Y_PATCH),
    ENTITY(POST, ACCOUNTING "/journal_entries", "journal_entry", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/journal_entries/{id}", ""),
    ENTITY(PATCH, ACCOUNTING "/journal_entries/{id}", "journal_entry", CLASS_N),
    ATTACHMENT(ACCOUNTING "/journal_entries/{id}/attachments", CLASS_A),
    ASYNC_DELETE(ACCOUNTING "/payment_terms/{id}", ""),
    ENTITY(POST, ACCOUNTING "/purchase_orders", "purchase_order", CLASS_Y),
    ASYNC_DELETE(ACCOUNTING "/purchase_orders/{id}", ""),
    ENTITY(POST, ACCOUNTING "/sales_orders", "sales_order", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/tax_rates", "tax_rate", CLASS_Y),
    ENTITY(POST, ACCOUNTING "/vendors", "vendor", CLASS_Y),
    ENTITY(PATCH, ACCOUNTING "/vendors/{id}", "vendor", CLASS_Y_PATCH),
    BARE(POST, ACCOUNTING "/{entityType}", "", true),
    BARE(POST, "/connections/access_token/invalidate", "", true),
    BARE(POST, "/connections/backfill", "", true),
    BARE(POST, "/connections/create", "connection", false),
    BARE(POST, "/connections/incremental_sync", "", true),
    BARE(DELETE, "/connections/{id}", "", false),
    BARE(POST, "/item/public_token/exchange", "", false),
    ENTITY(POST, "/orders", "order", CLASS_N),
    ENTITY(PATCH, "/orders/{id}", "order", CLASS_N),
    ENTITY(POST, "/orders/{id}/fulfillments", "fulfillment", CLASS_A),
    ENTITY(POST, "/products", "product", CLASS_A),
    BARE(DELETE, "/products/{id}", "", true),
    ENTITY(PATCH, "/products/{id}", "product", CLASS_N),
    ENTITY(POST, "/products/{id}/variants", "variant", CLASS_N),
    BARE(DELETE, "/products/{id}/variants/{variantId}", "", true),
    ENTITY(PATCH, "/products/{id}/variants/{variantId}", "variant", CLASS_N),
};

#define OPERATION_COUNT (sizeof operations / sizeof operations[0])

/* A "{name}" of the template stands for one segment, which is never empty. */
static bool path_matches(const char *template, struct slice path)
{
    size_t at = 0;

    while (*template != '\0') {
        if (*template == '{') {
            size_t start = at;

            while (at < path.length && path.bytes[at] != '/')
                at++;
            if (at == start)
                return false;
            template += strcspn(template, "}") + 1;
        } else if (at < path.length && path.bytes[at] == *template) {
            at++;
            template ++;
        } else {
            return false;
        }
    }
    return at == path.length;
}

const struct operation *operation_find(enum http_method method, struct slice path)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if (operations[i].method == method && path_matches(operations[i].path, path))
            return &operations[i];
    }
    return NULL;
}

const struct operation *operation_at(size_t index)
{
    return index < OPERATION_COUNT ? &operations[index] : NULL;
}

bool operation_is_keyed(const struct operation *operation)
{
    switch (operation->class) {
    case CLASS_Y:
    case CLASS_Y_PATCH:
    case CLASS_A:
        return operation->method == METHOD_POST || operation->method == METHOD_PATCH ||
               (operation->method == METHOD_DELETE && operation->class == CLASS_Y);
    case CLASS_Y_MODE_ONLY:
    case CLASS_N:
        return false;
    }
    return false;
}

static const char *const method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET", [METHOD_POST] = "POST",     [METHOD_PATCH] = "PATCH",
    [METHOD_PUT] = "PUT", [METHOD_DELETE] = "DELETE",
};

const char *method_name(enum http_method method)
{
    return method_names[method];
}

bool method_parse(struct slice name, enum http_method *method_out)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (strlen(method_names[i]) == name.length &&
            memcmp(method_names[i], name.bytes, name.length) == 0) {
            *method_out = (enum http_method)i;
            return true;
        }
    }
    return false;
}
