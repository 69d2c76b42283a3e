/* Checks a request body as strict JSON in one pass and notes where its parts are.
 *
 * No tree is built: the simulator only needs to know that the text is right, whether a null is
 * in it, and where a few members stand, and it must answer in a few microseconds. It is a reader
 * of its own on purpose: a mistake of the client's JSON library cannot hide in the same library
 * here. */
#ifndef RUTTER_SIM_SCAN_H
#define RUTTER_SIM_SCAN_H

#include "text.h"

#define SCAN_DEPTH_MAX 64
#define SCAN_MEMBERS_MAX 128

/* A member of the object of interest; both parts are the raw text in the body. */
struct scan_member {
    struct slice name;  /* without the quotes */
    struct slice value; /* a string's with its quotes */
};

struct scan {
    const char *problem; /* NULL: the body is one right JSON value */
    size_t problem_at;   /* byte offset of the problem */
    bool is_object;
    bool has_null;
    struct slice null_name;     /* name of the first member that is null; may be empty */
    struct slice response_mode; /* without the quotes; empty if absent */
    struct slice wrapper;       /* raw value of the wrapper member; empty if absent */
    struct slice first_sku;     /* without the quotes; first member "sku" at any depth */
    size_t member_count; /* of the wrapper's object, or of the root if no wrapper was asked */
    struct scan_member members[SCAN_MEMBERS_MAX]; /* further members are checked, not noted */
};

/* Scans `body`; `wrapper` is the member whose own members are of interest, or empty for the root.
 * The slices in `scan` borrow from `body`. */
void scan_body(struct slice body, struct slice wrapper, struct scan *scan);

/* Value of the member called `name`, or an empty slice. */
struct slice scan_member_value(const struct scan *scan, struct slice name);
/* The inside of a raw JSON string; a number or other value as it stands. */
struct slice scan_unquoted(struct slice value);

#endif
