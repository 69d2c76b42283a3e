/* Answers written down beforehand: POST /_sim/fail puts them in a list, and the next fitting
 * requests take them out, in order. A script goes before everything else, even authentication. */
#ifndef RUTTER_SIM_SCRIPT_H
#define RUTTER_SIM_SCRIPT_H

#include "outcome.h"

#define SCRIPT_ENTRIES_MAX 10000
#define SCRIPT_HEADERS_MAX 8

enum script_target { SCRIPT_SENDS = 1, SCRIPT_POLLS = 2, SCRIPT_BOTH = 3, SCRIPT_READS = 4 };

struct script_entry {
    enum script_target target;
    const struct outcome *outcome; /* NULL: the answer below */
    uint32_t left;                 /* how many more requests take it; UINT32_MAX: all */
    struct slice match;            /* only requests whose path, key or body contain this */
    struct slice access_token;     /* only requests of this connection; empty: all */
    /* An answer spelled out. */
    int status;
    struct slice body;
    size_t header_count;
    struct {
        struct slice name;
        struct slice value;
    } headers[SCRIPT_HEADERS_MAX];
    int64_t delay_ms;
    enum wire wire;
    struct slice raw; /* with WIRE_RAW: all that is sent */
    bool acts;        /* the request is carried out before this answer replaces the real one */
    struct script_entry *added_before;
};

/* Zero-initialised is empty. Owns its entries. */
struct script {
    struct script_entry **entries;
    size_t count;
    struct script_entry *added_last; /* all that were ever added: answers keep pointing to them */
    uint64_t taken;
    uint32_t drop_connections; /* so many new connections are closed unread */
};

/* What entries are compared with: of a send path, key and body; of a poll path and the body of its
 * job; of another read path and query. */
struct script_subject {
    struct slice texts[3];
    struct slice access_token; /* may be empty */
};

/* Adds the entries of a /_sim/fail body. NULL on success, else what is wrong with it; then
 * nothing was added. The text is valid until the next call. */
const char *script_add(struct script *script, struct slice body);
/* The first entry for such a request, used up by one; NULL when there is none. Stays valid for
 * the life of the process. */
const struct script_entry *script_take(struct script *script, enum script_target target,
                                       const struct script_subject *subject);
/* Entries that are still to be taken. */
size_t script_left(const struct script *script);
void script_clear(struct script *script);

#endif
