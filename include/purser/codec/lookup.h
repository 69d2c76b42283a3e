/* The reconcile: of a job: which list is asked for about an item in doubt, and what an answer
 * shows.
 *
 * The source of the item may be gone, so expressions see what the ledger keeps: body (the frozen
 * request's), item.key, item.line and vars. A found entity counts when its members equal those of
 * match, as text. With a filter of the one form NAME = "TEXT", which the API might not know for
 * this list and ignore, an entity whose NAME is another does not count either.
 * Source: docs.rutter.com, "Filtering Objects" and "Pagination" (next_cursor). */
#ifndef PURSER_CODEC_LOOKUP_H
#define PURSER_CODEC_LOOKUP_H

#include "purser/codec/spec.h"

struct lookup; /* lives in the arena it was compiled in */

/* Compiles; *lookup_out is NULL when the job has no reconcile. ERR_INPUT (messages added) or
 * ERR_NO_MEMORY. */
enum err_code lookup_compile(struct arena *arena, const struct spec *spec,
                             const struct spec_job *job, const struct lookup **lookup_out,
                             struct diagnostics *diagnostics) ERR_CHECKED;

struct lookup_item {
    struct slice key, body;
    uint32_t line;
};

struct lookup_match {
    struct slice name, text;
    bool may_be_missing; /* an entity without this member counts all the same */
};

/* What is asked about one item. All of it belongs to the arena of the call. */
struct lookup_question {
    struct slice path; /* below the base URL, with its query; of the first page */
    const struct lookup_match *matches;
    size_t match_count;
    const char *wrapper; /* of the found entity, as in an answer to the write; "" = none */
};

/* False with *error_out set when the item cannot be asked about: a member of the body that is not
 * there, a value that cannot stand in a filter, no memory. `scratch` may be cleared afterwards. */
bool lookup_ask(const struct lookup *lookup, const struct lookup_item *item, struct arena *arena,
                struct arena *scratch, struct lookup_question *question_out,
                struct eval_error *error_out);

/* The path of the page behind `cursor`; empty when it is too long or memory ran out. */
struct slice lookup_page_path(struct arena *arena, const struct lookup_question *question,
                              struct slice cursor);

#define LOOKUP_IDS_MAX 5

struct lookup_page {
    bool is_read;                     /* false: no list; `detail` says why */
    bool is_impossible;               /* and never will be: the API does not take this question */
    bool is_refused;                  /* for its credentials */
    size_t count;                     /* entities that count */
    struct slice ids[LOOKUP_IDS_MAX]; /* of the first of them; safe to show; "?" = without one */
    struct slice entity;              /* the first, in its wrapper, without secrets; JSON text */
    int64_t created_ms;               /* when it was created, as it says; Unix; 0 = it does not */
    struct slice cursor;              /* of the next page; empty = none */
    const char *detail;
};

/* Reads an answer. What it gives belongs to the arena. */
struct lookup_page lookup_read_page(struct arena *arena, const struct lookup_question *question,
                                    int http_status, struct slice body, const char *content_type);

#endif
