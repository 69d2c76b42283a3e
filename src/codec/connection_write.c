#include "purser/codec/connection_write.h"

#include <stdio.h>
#include <string.h>

enum { MEMBERS_MAX = 8 };

/* One way to connect to a platform; a platform with several has several lines. What is optional is
 * not listed. */
static const struct {
    const char *platform;
    const char *needs[MEMBERS_MAX];
} ways[] = {
    {"AMAZON",
     {"oauth_client_id", "oauth_client_secret", "oauth_refresh_token", "amazon_access_key_id",
      "amazon_secret_access_key", "amazon_selling_partner_role", "amazon_seller_region"}},
    /* The single-click form has the client's id and secret beside these. */
    {"BIG_COMMERCE", {"store_url", "oauth_access_token"}},
    {"EBAY", {"oauth_client_id", "oauth_client_secret", "oauth_refresh_token"}},
    {"FNAC", {"partner_id", "shop_id", "key"}},
    {"LAZADA",
     {"oauth_client_id", "oauth_client_secret", "oauth_access_token", "oauth_refresh_token",
      "country"}},
    {"MAGENTO", {"store_url", "basic_username", "basic_password"}},
    {"NETSUITE", {"consumer_key", "consumer_secret", "token_id", "token_secret", "store_name"}},
    {"PRESTASHOP", {"store_url", "api_key"}},
    {"QUICKBOOKS", {"oauth_client_id", "oauth_client_secret", "oauth_refresh_token", "realm_id"}},
    {"SHOPER", {"store_url", "oauth_access_token", "oauth_refresh_token"}},
    /* A private app, and a public one; the page lists a refresh token for the second, the document
     * does not know one. */
    {"SHOPIFY", {"store_url", "basic_username", "basic_password"}},
    {"SHOPIFY", {"store_url", "oauth_client_id", "oauth_client_secret", "oauth_access_token"}},
    {"SQUARE", {"oauth_client_id", "oauth_client_secret", "oauth_refresh_token"}},
    {"STRIPE", {"oauth_access_token", "account_id"}},
    {"WALMART", {"oauth_client_id", "oauth_client_secret"}},
    {"WOO_COMMERCE", {"store_url", "basic_username", "basic_password"}},
    {"XERO",
     {"oauth_client_id", "oauth_client_secret", "oauth_refresh_token", "tenant_id", "user_id"}},
};

/* Everything else in a body of /connections/create is a secret, also what is not known. */
static const char *const plain_members[] = {
    "platform",   "store_url", "store_name",  "scope",
    "country",    "realm_id",  "environment", "amazon_seller_region",
    "partner_id", "shop_id",   "account_id",  "amazon_selling_partner_role",
    "tenant_id",  "user_id",
};

enum connection_write connection_write_of(enum http_method method, struct slice path)
{
    static const struct {
        const char *path;
        enum connection_write write;
    } writes[] = {{"/connections/create", CONNECTION_WRITE_CREATE},
                  {"/item/public_token/exchange", CONNECTION_WRITE_EXCHANGE},
                  {"/connections/access_token/invalidate", CONNECTION_WRITE_INVALIDATE}};
    const char *query = memchr(path.bytes, '?', path.length);

    if (query != NULL)
        path.length = (size_t)(query - path.bytes);
    for (size_t i = 0; method == METHOD_POST && i < sizeof writes / sizeof writes[0]; i++)
        if (slice_is(path, writes[i].path))
            return writes[i].write;
    return CONNECTION_WRITE_NONE;
}

bool connection_write_is_secret(enum connection_write write, struct slice member)
{
    if (write == CONNECTION_WRITE_EXCHANGE)
        return true;
    if (write != CONNECTION_WRITE_CREATE)
        return false;
    for (size_t i = 0; i < sizeof plain_members / sizeof plain_members[0]; i++)
        if (slice_is(member, plain_members[i]))
            return false;
    return true;
}

/* The names of `way` that the body does not have; how many. */
static size_t list_missing(const struct value *body, size_t way, char *text)
{
    size_t count = 0, length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < MEMBERS_MAX && ways[way].needs[i] != NULL; i++) {
        const char *name = ways[way].needs[i];
        struct value member = value_member(body, slice_of(name));
        int written;

        if (member.kind != VALUE_OMIT && !(member.kind == VALUE_STRING && member.text.length == 0))
            continue;
        written = snprintf(text + length, CONNECTION_NEEDS_BYTES - length, "%s%s",
                           count == 0 ? "" : ", ", name);
        length +=
            written > 0 && length + (size_t)written < CONNECTION_NEEDS_BYTES ? (size_t)written : 0;
        count++;
    }
    return count;
}

enum connection_needs connection_write_check(const struct value *body,
                                             char text_out[CONNECTION_NEEDS_BYTES])
{
    struct value platform = value_member(body, SLICE("platform"));
    size_t least = SIZE_MAX;

    text_out[0] = '\0';
    if (body->kind != VALUE_MAP || body->map.count == 0)
        return NEEDS_MET;
    if (platform.kind != VALUE_STRING)
        return NEEDS_PLATFORM;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char text[CONNECTION_NEEDS_BYTES];
        size_t count;

        if (!slice_is(platform.text, ways[i].platform))
            continue;
        count = list_missing(body, i, text);
        if (count < least) {
            least = count;
            memcpy(text_out, text, sizeof text);
        }
    }
    if (least == SIZE_MAX)
        return NEEDS_UNKNOWN;
    return least == 0 ? NEEDS_MET : NEEDS_UNMET;
}
