#include "operations.h"

#include "table.h"

#include <assert.h>
#include <string.h>

#define ACC "/accounting/"

/* Creates, updates and deletes that share all but a few words. */
#define CREATE(path, wrapper, required)                                                         \
    {                                                                                           \
        METHOD_POST, path, wrapper, required, wrapper, CLASS_ASYNC, ANSWER_ENTITY, false, false \
    }
#define UPDATE(path, wrapper, required)                                                          \
    {                                                                                            \
        METHOD_PATCH, path, wrapper, required, wrapper, CLASS_ASYNC_PATCH, ANSWER_ENTITY, false, \
            false                                                                                \
    }
#define DELETE(path, deleted)                                                                  \
    {                                                                                          \
        METHOD_DELETE, path, "", "", deleted, CLASS_ASYNC, ANSWER_DELETED_WRAPPED, false, true \
    }
#define ATTACH(path, operation_class)                                                              \
    {                                                                                              \
        METHOD_POST, path, "", "file file_name", "attachment", operation_class, ANSWER_ATTACHMENT, \
            false, false                                                                           \
    }
#define PLAIN(method, path, wrapper, required, answered, operation_class, answer)        \
    {                                                                                    \
        method, path, wrapper, required, answered, operation_class, answer, false, false \
    }
#define UNTOKENED(method, path, required, answer)                      \
    {                                                                  \
        method, path, "", required, "", CLASS_SYNC, answer, true, true \
    }

static const struct operation operations[] = {
    CREATE(ACC "accounts", "account", "account_type currency_code name nominal_code"),
    CREATE(ACC "bank_deposits", "bank_deposit", "account_id"),
    DELETE(ACC "bank_deposits/{id}", "deleted_bank_deposit"),
    ATTACH(ACC "bank_deposits/{id}/attachments", CLASS_SYNC),
    CREATE(ACC "bank_feeds/accounts", "bank_feed_account",
           "internal_bank_account_id bank_account_type currency_code name"),
    DELETE(ACC "bank_feeds/accounts/{id}", "deleted_bank_feed_account"),
    {METHOD_POST, ACC "bank_feeds/otp", "", "", "bank_feed_otp", CLASS_SYNC, ANSWER_ENTITY, false,
     true},
    PLAIN(METHOD_POST, ACC "bank_feeds/transactions", "bank_feed_transactions",
          "bank_feed_account_id transactions", "bank_feed_transactions", CLASS_SYNC_WITH_JOB,
          ANSWER_FEED_TRANSACTIONS),
    CREATE(ACC "bank_transfers", "bank_transfer",
           "credit_account_id debit_account_id total_amount"),
    DELETE(ACC "bank_transfers/{id}", "deleted_bank_transfer"),
    ATTACH(ACC "bank_transfers/{id}/attachments", CLASS_SYNC),
    CREATE(ACC "bill_credit_applications", "bill_credit_application",
           "bill_credit_memo_id vendor_id transaction_date currency_code linked_bills"),
    PLAIN(METHOD_POST, ACC "bill_credit_applications/unapply", "bill_credit_unapplication", "",
          "bill_credit_unapplication", CLASS_SYNC, ANSWER_ENTITY),
    CREATE(ACC "bill_credit_memos", "bill_credit_memo",
           "account_id vendor_id issue_date currency_code line_items"),
    CREATE(ACC "bill_payments", "bill_payment",
           "account_id vendor_id transaction_date currency_code linked_bills"),
    DELETE(ACC "bill_payments/{id}", "deleted_bill_payment"),
    UPDATE(ACC "bill_payments/{id}", "bill_payment", "status"),
    CREATE(ACC "bills", "bill", "vendor_id issue_date currency_code line_items"),
    DELETE(ACC "bills/{id}", "deleted_bill"),
    UPDATE(ACC "bills/{id}", "bill", ""),
    ATTACH(ACC "bills/{id}/attachments", CLASS_ASYNC_LIKELY),
    CREATE(ACC "classes", "class", ""),
    CREATE(ACC "customer_refunds", "customer_refund", ""),
    DELETE(ACC "customer_refunds/{id}", "deleted_customer_refund"),
    CREATE(ACC "customers", "customer", "contact_name customer_name email phone"),
    UPDATE(ACC "customers/{id}", "customer", ""),
    CREATE(ACC "departments", "department", ""),
    CREATE(ACC "expenses", "expense", "account_id currency_code expense_type line_items"),
    DELETE(ACC "expenses/{id}", "deleted_expense"),
    UPDATE(ACC "expenses/{id}", "expense", ""),
    ATTACH(ACC "expenses/{id}/attachments", CLASS_ASYNC_LIKELY),
    CREATE(ACC "invoice_credit_applications", "invoice_credit_application",
           "customer_id invoice_credit_memo_id transaction_date currency_code linked_invoices"),
    CREATE(ACC "invoice_credit_memos", "invoice_credit_memo",
           "account_id customer_id issue_date currency_code line_items"),
    {METHOD_DELETE, ACC "invoice_credit_memos/{id}", "", "", "", CLASS_ASYNC, ANSWER_DELETED_BARE,
     false, true},
    CREATE(ACC "invoice_payments", "invoice_payment",
           "account_id customer_id txn_date currency_code total_amount linked_invoices"),
    DELETE(ACC "invoice_payments/{id}", "deleted_invoice_payment"),
    UPDATE(ACC "invoice_payments/{id}", "invoice_payment", ""),
    CREATE(ACC "invoices", "invoice", "customer_id due_date issue_date currency_code line_items"),
    DELETE(ACC "invoices/{id}", "deleted_invoice"),
    UPDATE(ACC "invoices/{id}", "invoice", ""),
    ATTACH(ACC "invoices/{id}/attachments", CLASS_ASYNC_LIKELY),
    CREATE(ACC "items", "item", "name"),
    DELETE(ACC "items/{id}", "deleted_item"),
    UPDATE(ACC "items/{id}", "item", ""),
    CREATE(ACC "journal_entries", "journal_entry", "transaction_date currency_code line_items"),
    DELETE(ACC "journal_entries/{id}", "deleted_journal_entry"),
    UPDATE(ACC "journal_entries/{id}", "journal_entry", ""),
    ATTACH(ACC "journal_entries/{id}/attachments", CLASS_ASYNC_LIKELY),
    DELETE(ACC "payment_terms/{id}", "deleted_payment_term"),
    CREATE(ACC "purchase_orders", "purchase_order", "vendor_id currency line_items"),
    DELETE(ACC "purchase_orders/{id}", "deleted_purchase_order"),
    CREATE(ACC "sales_orders", "sales_order", "customer_id line_items"),
    CREATE(ACC "tax_rates", "tax_rate", ""),
    CREATE(ACC "vendors", "vendor", "contact_name currency_code vendor_name"),
    UPDATE(ACC "vendors/{id}", "vendor", ""),
    PLAIN(METHOD_POST, ACC "{entityType}", "", "other_entity_fields line_items", "", CLASS_SYNC,
          ANSWER_ECHO),
    {METHOD_POST, "/connections/access_token/invalidate", "", "", "", CLASS_SYNC, ANSWER_NEW_TOKEN,
     false, true},
    PLAIN(METHOD_POST, "/connections/backfill", "", "start_date", "", CLASS_SYNC, ANSWER_SUCCESS),
    UNTOKENED(METHOD_POST, "/connections/create", "", ANSWER_CONNECTION),
    {METHOD_POST, "/connections/incremental_sync", "", "", "", CLASS_SYNC, ANSWER_SUCCESS, false,
     true},
    UNTOKENED(METHOD_DELETE, "/connections/{id}", "", ANSWER_SUCCESS),
    UNTOKENED(METHOD_POST, "/item/public_token/exchange", "client_id public_token secret",
              ANSWER_TOKEN_EXCHANGE),
    PLAIN(METHOD_POST, "/orders", "order", "currency_code line_items customer billing_address",
          "order", CLASS_SYNC, ANSWER_ENTITY),
    PLAIN(METHOD_PATCH, "/orders/{id}", "order", "status", "order", CLASS_SYNC,
          ANSWER_ENTITY_WITH_CONNECTION),
    PLAIN(METHOD_POST, "/orders/{id}/fulfillments", "fulfillment",
          "carrier tracking_number line_items", "fulfillment", CLASS_ASYNC_LIKELY,
          ANSWER_ENTITY_WITH_CONNECTION),
    PLAIN(METHOD_POST, "/products", "product", "description name variants", "product",
          CLASS_ASYNC_LIKELY, ANSWER_ENTITY),
    {METHOD_DELETE, "/products/{id}", "", "", "product", CLASS_SYNC, ANSWER_DELETED_PRODUCT, false,
     true},
    PLAIN(METHOD_PATCH, "/products/{id}", "product", "", "product", CLASS_SYNC, ANSWER_ENTITY),
    PLAIN(METHOD_POST, "/products/{id}/variants", "variant", "price sku option_values", "variant",
          CLASS_SYNC, ANSWER_ENTITY),
    {METHOD_DELETE, "/products/{id}/variants/{variantId}", "", "", "", CLASS_SYNC,
     ANSWER_DELETED_VARIANT, false, true},
    PLAIN(METHOD_PATCH, "/products/{id}/variants/{variantId}", "variant", "id", "variant",
          CLASS_SYNC, ANSWER_ENTITY),
};

#define OPERATION_COUNT (sizeof operations / sizeof operations[0])

static struct table by_path; /* operations without {…}: hash of method and path -> number + 1 */

static uint64_t path_hash(enum method method, struct slice path)
{
    return hash_bytes((uint64_t)method + 1, path);
}

void operations_init(void)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        struct table_slot *slot;

        if (strchr(operations[i].path, '{') != NULL)
            continue;
        slot = table_at(&by_path, path_hash(operations[i].method, slice_of(operations[i].path)));
        assert(slot->value == 0);
        slot->value = (uint32_t)i + 1;
    }
}

static bool template_matches(const char *template, struct slice path)
{
    const char *p = path.bytes;
    const char *end = slice_end(path);

    while (*template != '\0') {
        if (*template == '{') {
            const char *segment = p;

            while (p < end && *p != '/')
                p++;
            if (p == segment)
                return false;
            template = strchr(template, '}') + 1;
        } else if (p == end || *p++ != *template ++) {
            return false;
        }
    }
    return p == end;
}

static const struct operation *match_exactly(enum method method, struct slice path)
{
    const struct table_slot *slot = table_find(&by_path, path_hash(method, path));
    const struct operation *found;

    if (slot == NULL)
        return NULL;
    found = &operations[slot->value - 1];
    return slice_equal(slice_of(found->path), path) ? found : NULL;
}

const struct operation *operation_match(enum method method, struct slice path, bool *path_known_out)
{
    const struct operation *found = match_exactly(method, path);

    *path_known_out = found != NULL;
    if (found != NULL)
        return found;
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if (!template_matches(operations[i].path, path))
            continue;
        *path_known_out = true;
        if (operations[i].method == method)
            return &operations[i];
    }
    return NULL;
}

size_t operation_index(const struct operation *operation)
{
    return (size_t)(operation - operations);
}

const struct operation *operation_at(size_t index)
{
    return index < OPERATION_COUNT ? &operations[index] : NULL;
}

struct slice path_segment_from_end(struct slice path, size_t back)
{
    size_t end = path.length;
    size_t start = end;

    for (;;) {
        while (start > 0 && path.bytes[start - 1] != '/')
            start--;
        if (back == 0 || start == 0)
            return (struct slice){path.bytes + start, end - start};
        back--;
        end = --start;
    }
}

static const char *const method_names[] = {[METHOD_GET] = "GET",
                                           [METHOD_POST] = "POST",
                                           [METHOD_PATCH] = "PATCH",
                                           [METHOD_DELETE] = "DELETE",
                                           [METHOD_OTHER] = "OTHER"};

enum method method_from_text(struct slice text)
{
    for (enum method method = METHOD_GET; method < METHOD_OTHER; method++)
        if (slice_equal(text, slice_of(method_names[method])))
            return method;
    return METHOD_OTHER;
}

const char *method_name(enum method method)
{
    return method_names[method];
}
