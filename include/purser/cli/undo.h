/* What of one run can be reversed, and by which requests. */
#ifndef PURSER_CLI_UNDO_H
#define PURSER_CLI_UNDO_H

#include "purser/cli/session.h"
#include "purser/codec/outputs.h"
#include "purser/codec/undo.h"
#include "purser/engine/import.h"

/* identifier, name, meaning. What becomes of an item that the run has written. */
#define UNDO_BUCKET_LIST(X)                                                                    \
    X(UNDO_TO_REVERSE, "to_reverse", "succeeded in that run, and can be reversed")             \
    X(UNDO_REVERSED, "reversed", "reversed by its undo")                                       \
    X(UNDO_FOUND_NOTHING, "found_nothing", "its undo was answered \"not found\": gone before") \
    X(UNDO_KEPT_CHANGED, "kept_changed", "kept: written again since that run")                 \
    X(UNDO_KEPT_NEEDED, "kept_needed", "kept: what was made from it still stands")             \
    X(UNDO_NO_UNDO, "no_undo", "not possible: its job has no undo")                            \
    X(UNDO_NO_REQUEST, "no_request", "not possible: its answer lacks what the undo needs")     \
    X(UNDO_IN_DOUBT, "in_doubt", "not possible: it is in doubt whether it was written")        \
    X(UNDO_UNDER_WAY, "under_way", "not possible yet: it is under way")                        \
    X(UNDO_OWN_DOUBT, "undo_in_doubt", "not possible: what became of its undo is in doubt")    \
    X(UNDO_REFUSED, "undo_failed", "its undo was refused: nothing was reversed")

enum undo_bucket {
#define X(identifier, name, meaning) identifier,
    UNDO_BUCKET_LIST(X)
#undef X
        UNDO_BUCKET_COUNT
};

const char *undo_bucket_name(enum undo_bucket bucket);
const char *undo_bucket_meaning(enum undo_bucket bucket);

/* Items, by rising number. */
struct undo_numbers {
    struct undo_number {
        uint64_t number;
        uint64_t by; /* the item that needs it, in `needed` */
    } * numbers;
    size_t count, capacity;
};

struct undo_plan {
    struct session *session;
    uint32_t run; /* whose writes are reversed */
    bool ended;   /* what is not reversed by now has failed */
    /* By index in the spec: numbers in the ledger; UINT32_MAX = not there. */
    const uint32_t *connections, *jobs;
    uint32_t *undo_jobs;
    const struct undo_template **templates;
    struct outputs *outputs;
    struct arena scratch;
    struct buf storage, answer, needs, body;
    struct undo_numbers planned; /* will be reversed: they need nothing any more */
    struct undo_numbers needed;  /* what still stands needs them; of one job at a time */
    bool *stands;                /* by index: something of the job could not be reversed */
};

/* One item of the run. Texts and slices are good until the next. */
struct undo_view {
    enum undo_bucket bucket;
    size_t job_index;
    uint64_t number;
    struct item item;
    struct slice key;
    char detail[512];             /* more about the bucket; "" = nothing */
    bool has_own;                 /* its undo is in the ledger … */
    uint64_t own_number;          /* … as this item … */
    struct item own;              /* … in this state */
    struct slice path, body;      /* of the request; UNDO_TO_REVERSE */
    struct frozen_request frozen; /* of the item itself */
};

typedef enum err_code undo_view_fn(void *context, const struct undo_view *view, struct err *err);

/* The session has its spec and its ledger. Errors: ERR_USAGE (there was no such run), ERR_INPUT
 * with messages, ERR_NO_MEMORY, ERR_STORAGE. Close it after them as well. */
enum err_code undo_plan_open(struct session *session, uint32_t run, struct undo_plan *plan_out,
                             struct err *err) ERR_CHECKED;
void undo_plan_close(struct undo_plan *plan);

/* Hands on the items of one job that the run has written. What will be reversed is remembered, so
 * jobs come in reverse order of what they need. */
enum err_code undo_plan_job(struct undo_plan *plan, size_t job_index, undo_view_fn *fn,
                            void *context, struct err *err) ERR_CHECKED;

/* Forgets what was remembered: the ledger alone counts from now on. */
void undo_plan_restart(struct undo_plan *plan);

#endif
