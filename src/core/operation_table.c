/* The write operations, as data. What they mean is in purser/core/operation.h. */
#include <stddef.h>

#include "operation_table.h"

#define ACCOUNTING "/accounting"

/* A member that the document calls required is listed; one that a newer version renamed is not. */
#define MEMBERS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define ON(name) PLATFORM_BIT(name)
#define LARGE_BOOKS \
    (ON(NETSUITE) | ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP) | ON(SAGE_INTACCT) | ON(XERO))
#define PURCHASE_BOOKS                                                                \
    (LARGE_BOOKS | ON(DYNAMICS365) | ON(EXACTONLINE) | ON(FREEAGENT) | ON(KASHFLOW) | \
     ON(MONEYBIRD) | ON(SAGE_BUSINESS_CLOUD) | ON(ZOHOBOOKS))
#define SHOPS                                                                                \
    (ON(BIG_COMMERCE) | ON(ETSY) | ON(MAGENTO) | ON(PRESTASHOP) | ON(SHOPIFY) | ON(SQUARE) | \
     ON(SQUARESPACE) | ON(WIX) | ON(WOO_COMMERCE))

/* A create or an update with a wrapped body and an entity of the same name in the answer. */
#define ENTITY(verb, where, entity, kind, what)                                        \
    .method = METHOD_##verb, .path = (where), .wrapper = (entity), .result = (entity), \
    .class = (kind), .mode_place = (kind) == CLASS_N ? MODE_NOWHERE : MODE_IN_BODY,    \
    .takes_access_token = true, .summary = (what)

/* A file for an entity; the body has no wrapper. No document of the API declares response_mode in
 * such a body, so it goes where an older guide put it: a query that is not known is passed over. */
#define ATTACHMENT(where, kind, what)                                                \
    .method = METHOD_POST, .path = (where), .wrapper = "", .result = "attachment",   \
    .class = (kind), .mode_place = (kind) == CLASS_N ? MODE_NOWHERE : MODE_IN_QUERY, \
    .takes_access_token = true, .summary = (what), .required = MEMBERS("file", "file_name")

/* A DELETE whose body is {"response_mode": …} and nothing else. */
#define ASYNC_DELETE(where, entity, what)                                                          \
    .method = METHOD_DELETE, .path = (where), .wrapper = "", .result = (entity), .class = CLASS_Y, \
    .mode_place = MODE_IN_BODY, .takes_access_token = true, .summary = (what)

/* A call that is sent as it is, at most once. */
#define BARE(verb, where, entity, with_token, what)                                                \
    .method = METHOD_##verb, .path = (where), .wrapper = "", .result = (entity), .class = CLASS_N, \
    .mode_place = MODE_NOWHERE, .takes_access_token = (with_token), .summary = (what)

/* A concrete path stands before the template that would take it too: the first match counts.
 * PATCH of journal entries is known from the change log alone, so nothing is promised of it. No
 * platforms: no document says. */
const struct operation operation_table[] = {
    {ENTITY(POST, ACCOUNTING "/accounts", "account", CLASS_Y, "create an account"),
     .required = MEMBERS("account_type", "currency_code", "name", "nominal_code"),
     .platforms = ON(DYNAMICS365) | ON(NETSUITE) | ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP) |
                  ON(SAGE_INTACCT) | ON(XERO) | ON(ZOHOBOOKS)},
    {ENTITY(POST, ACCOUNTING "/bank_deposits", "bank_deposit", CLASS_Y, "create a bank deposit"),
     .required = MEMBERS("account_id"), .platforms = ON(NETSUITE) | ON(QUICKBOOKS) | ON(XERO)},
    {ASYNC_DELETE(ACCOUNTING "/bank_deposits/{id}", "", "delete a bank deposit")},
    {ATTACHMENT(ACCOUNTING "/bank_deposits/{id}/attachments", CLASS_N,
                "attach a file to a bank deposit")},
    {ENTITY(POST, ACCOUNTING "/bank_feeds/accounts", "bank_feed_account", CLASS_Y,
            "create an account of a bank feed"),
     .required = MEMBERS("internal_bank_account_id", "bank_account_type", "currency_code", "name"),
     .platforms = ON(NETSUITE) | ON(SAGE_BUSINESS_CLOUD) | ON(SAGE_INTACCT)},
    {ASYNC_DELETE(ACCOUNTING "/bank_feeds/accounts/{id}", "", "delete an account of a bank feed")},
    {BARE(POST, ACCOUNTING "/bank_feeds/otp", "bank_feed_otp", true,
          "ask for the one-time password of a bank feed"),
     .platforms = ON(SAGE_BUSINESS_CLOUD) | ON(SAGE_INTACCT)},
    {ENTITY(POST, ACCOUNTING "/bank_feeds/transactions", "bank_feed_transactions",
            CLASS_Y_MODE_ONLY, "add transactions to a bank feed"),
     .required = MEMBERS("bank_feed_account_id", "transactions"),
     .platforms = ON(NETSUITE) | ON(SAGE_BUSINESS_CLOUD) | ON(SAGE_INTACCT)},
    {ENTITY(POST, ACCOUNTING "/bank_transfers", "bank_transfer", CLASS_Y, "create a bank transfer"),
     .required = MEMBERS("credit_account_id", "debit_account_id", "total_amount"),
     .platforms = ON(QUICKBOOKS) | ON(XERO)},
    {ASYNC_DELETE(ACCOUNTING "/bank_transfers/{id}", "", "delete a bank transfer")},
    {ATTACHMENT(ACCOUNTING "/bank_transfers/{id}/attachments", CLASS_N,
                "attach a file to a bank transfer")},
    {ENTITY(POST, ACCOUNTING "/bill_credit_applications", "bill_credit_application", CLASS_Y,
            "apply a bill credit to bills"),
     .required = MEMBERS("bill_credit_memo_id", "vendor_id", "transaction_date", "currency_code",
                         "linked_bills"),
     .platforms = ON(FREEAGENT) | ON(NETSUITE) | ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP) |
                  ON(SAGE_BUSINESS_CLOUD) | ON(XERO)},
    {ENTITY(POST, ACCOUNTING "/bill_credit_applications/unapply", "bill_credit_unapplication",
            CLASS_N, "take a bill credit off a bill")},
    {ENTITY(POST, ACCOUNTING "/bill_credit_memos", "bill_credit_memo", CLASS_Y,
            "create a bill credit memo"),
     .required = MEMBERS("account_id", "vendor_id", "issue_date", "currency_code", "line_items"),
     .platforms = ON(EXACTONLINE) | ON(FREEAGENT) | ON(KASHFLOW) | ON(NETSUITE) | ON(QUICKBOOKS) |
                  ON(QUICKBOOKS_DESKTOP) | ON(SAGE_BUSINESS_CLOUD) | ON(SAGE_INTACCT) | ON(XERO)},
    {ENTITY(POST, ACCOUNTING "/bill_payments", "bill_payment", CLASS_Y, "create a bill payment"),
     .required =
         MEMBERS("account_id", "vendor_id", "transaction_date", "currency_code", "linked_bills"),
     .platforms = PURCHASE_BOOKS},
    {ASYNC_DELETE(ACCOUNTING "/bill_payments/{id}", "", "delete a bill payment")},
    {ENTITY(PATCH, ACCOUNTING "/bill_payments/{id}", "bill_payment", CLASS_Y_PATCH,
            "void a bill payment"),
     .required = MEMBERS("status"), .platforms = ON(NETSUITE) | ON(QUICKBOOKS)},
    {ENTITY(POST, ACCOUNTING "/bills", "bill", CLASS_Y, "create a bill"),
     .required = MEMBERS("vendor_id", "issue_date", "currency_code", "line_items"),
     .platforms = PURCHASE_BOOKS},
    {ASYNC_DELETE(ACCOUNTING "/bills/{id}", "deleted_bill", "delete a bill"),
     .platforms = ON(NETSUITE) | ON(QUICKBOOKS)},
    {ENTITY(PATCH, ACCOUNTING "/bills/{id}", "bill", CLASS_Y_PATCH, "change a bill"),
     .platforms = ON(DYNAMICS365) | ON(NETSUITE) | ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP) |
                  ON(SAGE_BUSINESS_CLOUD) | ON(SAGE_INTACCT) | ON(XERO)},
    {ATTACHMENT(ACCOUNTING "/bills/{id}/attachments", CLASS_A, "attach a file to a bill"),
     .platforms = ON(DYNAMICS365) | ON(NETSUITE) | ON(QUICKBOOKS) | ON(SAGE_INTACCT) | ON(XERO)},
    {ENTITY(POST, ACCOUNTING "/classes", "class", CLASS_Y, "create a class")},
    {ENTITY(POST, ACCOUNTING "/customer_refunds", "customer_refund", CLASS_Y,
            "create a customer refund")},
    {ASYNC_DELETE(ACCOUNTING "/customer_refunds/{id}", "", "delete a customer refund")},
    {ENTITY(POST, ACCOUNTING "/customers", "customer", CLASS_Y, "create a customer"),
     .required = MEMBERS("contact_name", "customer_name", "email", "phone"),
     .platforms = LARGE_BOOKS},
    {ENTITY(PATCH, ACCOUNTING "/customers/{id}", "customer", CLASS_Y_PATCH, "change a customer"),
     .platforms = ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP)},
    {ENTITY(POST, ACCOUNTING "/departments", "department", CLASS_Y, "create a department")},
    {ENTITY(POST, ACCOUNTING "/expenses", "expense", CLASS_Y, "create an expense"),
     .required = MEMBERS("account_id", "currency_code", "expense_type", "line_items"),
     .platforms = ON(DYNAMICS365) | ON(EXACTONLINE) | ON(FREEAGENT) | ON(NETSUITE) |
                  ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP) | ON(SAGE_INTACCT) | ON(XERO) |
                  ON(ZOHOBOOKS)},
    {ASYNC_DELETE(ACCOUNTING "/expenses/{id}", "", "delete an expense")},
    {ENTITY(PATCH, ACCOUNTING "/expenses/{id}", "expense", CLASS_Y_PATCH, "change an expense"),
     .platforms = ON(QUICKBOOKS)},
    {ATTACHMENT(ACCOUNTING "/expenses/{id}/attachments", CLASS_A, "attach a file to an expense"),
     .platforms = ON(DYNAMICS365) | ON(NETSUITE) | ON(QUICKBOOKS) | ON(SAGE_INTACCT) | ON(XERO) |
                  ON(ZOHOBOOKS)},
    {ENTITY(POST, ACCOUNTING "/invoice_credit_applications", "invoice_credit_application", CLASS_Y,
            "apply an invoice credit to invoices"),
     .required = MEMBERS("customer_id", "invoice_credit_memo_id", "transaction_date",
                         "currency_code", "linked_invoices"),
     .platforms = LARGE_BOOKS},
    {ENTITY(POST, ACCOUNTING "/invoice_credit_memos", "invoice_credit_memo", CLASS_Y,
            "create an invoice credit memo"),
     .required = MEMBERS("account_id", "customer_id", "issue_date", "currency_code", "line_items"),
     .platforms = LARGE_BOOKS},
    {ASYNC_DELETE(ACCOUNTING "/invoice_credit_memos/{id}", "", "delete an invoice credit memo"),
     .platforms = ON(NETSUITE)},
    {ENTITY(POST, ACCOUNTING "/invoice_payments", "invoice_payment", CLASS_Y,
            "create an invoice payment"),
     .required = MEMBERS("account_id", "customer_id", "txn_date", "currency_code", "total_amount",
                         "linked_invoices"),
     .platforms = LARGE_BOOKS},
    {ASYNC_DELETE(ACCOUNTING "/invoice_payments/{id}", "", "delete an invoice payment")},
    {ENTITY(PATCH, ACCOUNTING "/invoice_payments/{id}", "invoice_payment", CLASS_Y_PATCH,
            "change an invoice payment"),
     .platforms = ON(NETSUITE) | ON(QUICKBOOKS) | ON(XERO)},
    {ENTITY(POST, ACCOUNTING "/invoices", "invoice", CLASS_Y, "create an invoice"),
     .required = MEMBERS("customer_id", "due_date", "issue_date", "currency_code", "line_items"),
     .platforms = LARGE_BOOKS},
    {ASYNC_DELETE(ACCOUNTING "/invoices/{id}", "", "delete an invoice")},
    {ENTITY(PATCH, ACCOUNTING "/invoices/{id}", "invoice", CLASS_Y_PATCH, "change an invoice"),
     .platforms = ON(NETSUITE) | ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP) | ON(XERO)},
    {ATTACHMENT(ACCOUNTING "/invoices/{id}/attachments", CLASS_A, "attach a file to an invoice"),
     .platforms = ON(NETSUITE) | ON(QUICKBOOKS)},
    {ENTITY(POST, ACCOUNTING "/items", "item", CLASS_Y, "create an item"),
     .required = MEMBERS("name"),
     .platforms = ON(QUICKBOOKS) | ON(QUICKBOOKS_DESKTOP) | ON(SAGE_INTACCT)},
    {ASYNC_DELETE(ACCOUNTING "/items/{id}", "", "delete an item")},
    {ENTITY(PATCH, ACCOUNTING "/items/{id}", "item", CLASS_Y_PATCH, "change an item"),
     .platforms = ON(QUICKBOOKS_DESKTOP)},
    {ENTITY(POST, ACCOUNTING "/journal_entries", "journal_entry", CLASS_Y,
            "create a journal entry"),
     .required = MEMBERS("transaction_date", "currency_code", "line_items"),
     .platforms = ON(DYNAMICS365) | LARGE_BOOKS},
    {ASYNC_DELETE(ACCOUNTING "/journal_entries/{id}", "", "delete a journal entry")},
    {ENTITY(PATCH, ACCOUNTING "/journal_entries/{id}", "journal_entry", CLASS_N,
            "change a journal entry")},
    {ATTACHMENT(ACCOUNTING "/journal_entries/{id}/attachments", CLASS_A,
                "attach a file to a journal entry"),
     .platforms = ON(NETSUITE)},
    {ASYNC_DELETE(ACCOUNTING "/payment_terms/{id}", "", "delete a payment term")},
    {ENTITY(POST, ACCOUNTING "/purchase_orders", "purchase_order", CLASS_Y,
            "create a purchase order"),
     .required = MEMBERS("vendor_id", "line_items"), .platforms = ON(NETSUITE)},
    {ASYNC_DELETE(ACCOUNTING "/purchase_orders/{id}", "", "delete a purchase order")},
    {ENTITY(POST, ACCOUNTING "/sales_orders", "sales_order", CLASS_Y, "create a sales order"),
     .required = MEMBERS("customer_id", "line_items"), .platforms = ON(NETSUITE)},
    {ENTITY(POST, ACCOUNTING "/tax_rates", "tax_rate", CLASS_Y, "create a tax rate")},
    {ENTITY(POST, ACCOUNTING "/vendors", "vendor", CLASS_Y, "create a vendor"),
     .required = MEMBERS("contact_name", "currency_code", "vendor_name"),
     .platforms = PURCHASE_BOOKS},
    {ENTITY(PATCH, ACCOUNTING "/vendors/{id}", "vendor", CLASS_Y_PATCH, "change a vendor"),
     .platforms = ON(QUICKBOOKS_DESKTOP)},
    {BARE(POST, ACCOUNTING "/{entityType}", "", true, "create a custom object of the platform"),
     .required = MEMBERS("other_entity_fields", "line_items"),
     .platforms = ON(NETSUITE) | ON(QUICKBOOKS_DESKTOP) | ON(ZOHOBOOKS)},
    {BARE(POST, "/connections/access_token/invalidate", "", true,
          "replace the access token of a connection")},
    {BARE(POST, "/connections/backfill", "", true, "fetch the history of a connection again"),
     .required = MEMBERS("start_date"), .platforms = PLATFORMS_ALL},
    {BARE(POST, "/connections/create", "connection", false, "create a connection"),
     .platforms = PLATFORMS_ALL},
    {BARE(POST, "/connections/incremental_sync", "", true, "fetch what is new of a connection"),
     .platforms = PLATFORMS_ALL},
    {BARE(DELETE, "/connections/{id}", "", false, "delete a connection"),
     .platforms = PLATFORMS_ALL},
    {BARE(POST, "/item/public_token/exchange", "", false,
          "exchange a public token for an access token"),
     .required = MEMBERS("client_id", "public_token", "secret"), .platforms = PLATFORMS_ALL},
    {ENTITY(POST, "/orders", "order", CLASS_N, "create an order"),
     .required = MEMBERS("currency_code", "line_items", "customer", "billing_address"),
     .platforms = ON(BIG_COMMERCE) | ON(MAGENTO) | ON(SHOPIFY) | ON(SQUARESPACE) | ON(WIX) |
                  ON(WOO_COMMERCE)},
    {ENTITY(PATCH, "/orders/{id}", "order", CLASS_N, "change an order"),
     .required = MEMBERS("status"), .platforms = ON(SHOPIFY) | ON(WOO_COMMERCE)},
    {ENTITY(POST, "/orders/{id}/fulfillments", "fulfillment", CLASS_A, "fulfil an order"),
     .required = MEMBERS("carrier", "tracking_number", "line_items"),
     .platforms = ON(AMAZON) | ON(BIG_COMMERCE) | ON(ETSY) | ON(MAGENTO) | ON(PRESTASHOP) |
                  ON(SHOPIFY) | ON(SQUARE) | ON(SQUARESPACE) | ON(WALMART) | ON(WIX) |
                  ON(WOO_COMMERCE)},
    {ENTITY(POST, "/products", "product", CLASS_A, "create a product"),
     .required = MEMBERS("description", "name", "variants"), .platforms = ON(AMAZON) | SHOPS},
    {BARE(DELETE, "/products/{id}", "", true, "delete a product"), .platforms = SHOPS},
    {ENTITY(PATCH, "/products/{id}", "product", CLASS_N, "change a product"), .platforms = SHOPS},
    {ENTITY(POST, "/products/{id}/variants", "variant", CLASS_N, "add a variant to a product"),
     .required = MEMBERS("price", "sku", "option_values"), .platforms = SHOPS},
    {BARE(DELETE, "/products/{id}/variants/{variantId}", "", true, "delete a variant of a product"),
     .platforms =
         ON(BIG_COMMERCE) | ON(ETSY) | ON(SHOPIFY) | ON(SQUARESPACE) | ON(WIX) | ON(WOO_COMMERCE)},
    {ENTITY(PATCH, "/products/{id}/variants/{variantId}", "variant", CLASS_N,
            "change a variant of a product"),
     .required = MEMBERS("id"), .platforms = SHOPS},
};

const size_t operation_table_count = sizeof operation_table / sizeof operation_table[0];
