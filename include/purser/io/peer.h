/* Whom a connection may lead to. The name was resolved by somebody else. */
#ifndef PURSER_IO_PEER_H
#define PURSER_IO_PEER_H

#include <stdbool.h>

enum peer_policy {
    PEER_LOOPBACK, /* plain http: nobody else may listen in */
    PEER_PUBLIC,   /* a public name that leads into a private network is an attack or a mistake */
    PEER_ANY,      /* the base URL names a local host itself */
};

/* `address` is an IPv4 or IPv6 address as text; anything else is allowed only to PEER_ANY. An IPv4
 * address inside an IPv6 one counts as what it is. */
bool peer_is_allowed(enum peer_policy policy, const char *address);

#endif
