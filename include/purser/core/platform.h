/* The platforms behind connections, and sets of them.
 *
 * The list is that of December 2023. The API has gained platforms since, and gives operations to
 * more platforms as time goes by: a name that is not here is unknown, not wrong.
 * Source: `Platform` in Rutter's OpenAPI document of version 2023-03-14. */
#ifndef PURSER_CORE_PLATFORM_H
#define PURSER_CORE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/base/text.h"

/* clang-format off */
#define PLATFORM_LIST(X)                                                                          \
    X(ALIBABA) X(AMAZON) X(AUTHORIZENET) X(BIG_COMMERCE) X(CHARGEBEE) X(CHARGIFY) X(CLOVER)       \
    X(COMMERCELAYER) X(DYNAMICS365) X(EBAY) X(ECWID) X(ETSY) X(EXACTONLINE) X(FNAC)               \
    X(FREEAGENT) X(FRESHBOOKS) X(GOOGLE) X(GUMROAD) X(KASHFLOW) X(LAZADA) X(MAGENTO)              \
    X(MERCADOLIBRE) X(MOLLIE) X(MONEYBIRD) X(NETSUITE) X(ODOO) X(PAYNL) X(PAYPAL) X(PLAID)        \
    X(PRESTASHOP) X(QUICKBOOKS) X(QUICKBOOKS_DESKTOP) X(RECURLY) X(SAGE)                          \
    X(SAGE_BUSINESS_CLOUD) X(SAGE_INTACCT) X(SHOPEE) X(SHOPER) X(SHOPIFY) X(SHOPLAZZA)            \
    X(SHOPLINE) X(SHOPWARE) X(SQUARE) X(SQUARESPACE) X(STRIPE) X(TALLY) X(WALMART) X(WAVE)        \
    X(WEBFLOW) X(WIX) X(WOO_COMMERCE) X(XERO) X(ZOHOBOOKS)
/* clang-format on */

#define PLATFORM_MEMBER(name) PLATFORM_##name,
enum platform { PLATFORM_LIST(PLATFORM_MEMBER) PLATFORM_COUNT };
#undef PLATFORM_MEMBER

/* A set of platforms is one uint64_t: bit n stands for the n-th of the list. */

#define PLATFORM_BIT(name) (UINT64_C(1) << PLATFORM_##name)
#define PLATFORMS_UNKNOWN UINT64_C(0)
#define PLATFORMS_ALL ((UINT64_C(1) << PLATFORM_COUNT) - 1)

/* The name as the API spells it: "QUICKBOOKS". */
const char *platform_name(enum platform platform);

/* False when the list has no such name; *platform_out is then untouched. */
bool platform_parse(struct slice name, enum platform *platform_out);

/* Writes the names of a set, with commas between, and ends them; cut where `text` is full. */
void platform_list_names(uint64_t platforms, char *text, size_t bytes);

/* True unless it is known that `platforms` do not have the one called `name` (NULL = not said): an
 * empty set is unknown, and so is a name that is not in the list. */
bool platform_may_be_in(uint64_t platforms, const char *name);

#endif
