/* The writes that make, exchange and end connections: which of their members are secrets, and what
 * each platform needs.
 *
 * In the frozen request a secret stands as a reference: {"oauth_access_token":{"env":"SHOP_1"}}.
 * Which members are references is said by their names alone, here; a value of a row cannot get into
 * such a member other than as the name inside of a reference that the spec wrote, and an object in
 * any other member is never taken for one.
 * Source: docs.rutter.com, "Create a Connection"; Rutter's OpenAPI document of 2023-12. */
#ifndef PURSER_CODEC_CONNECTION_WRITE_H
#define PURSER_CODEC_CONNECTION_WRITE_H

#include "purser/codec/value.h"
#include "purser/core/operation.h"

enum connection_write {
    CONNECTION_WRITE_NONE,       /* any other operation: no secrets in body or answer */
    CONNECTION_WRITE_CREATE,     /* credentials in the body, a token in the answer */
    CONNECTION_WRITE_EXCHANGE,   /* the same */
    CONNECTION_WRITE_INVALIDATE, /* no body, a token in the answer */
};

enum connection_write connection_write_of(enum http_method method, struct slice path);

/* The alias of the connection that operations without an access token run on; no other may have
 * it. */
#define CONNECTION_OF_ORGANISATION "organisation"

/* True if the member of the body of `write` is a secret, so that it is written as a reference. */
bool connection_write_is_secret(enum connection_write write, struct slice member);

/* Whether a body of POST /connections/create has what its platform needs. */
enum connection_needs {
    NEEDS_MET,      /* or the body is empty: the merchant chooses the platform */
    NEEDS_UNMET,    /* `text_out` names what is missing */
    NEEDS_UNKNOWN,  /* nothing is known of the platform */
    NEEDS_PLATFORM, /* there are members but no platform */
};

#define CONNECTION_NEEDS_BYTES 256
enum connection_needs connection_write_check(const struct value *body,
                                             char text_out[CONNECTION_NEEDS_BYTES]);

#endif
