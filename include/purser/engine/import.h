/* Compares the rows of today with the ledger and writes what follows, in batches.
 *
 * Can be stopped and started again at any point: a row that was written before compares as
 * unchanged. The same code serves `plan`, which writes nothing. Owns nothing. */
#ifndef PURSER_ENGINE_IMPORT_H
#define PURSER_ENGINE_IMPORT_H

#include "purser/core/converge.h"
#include "purser/engine/ledger.h"
#include "purser/engine/tally.h"

/* An item that a row waits for, or all of a job. */
struct import_need {
    bool whole_job;           /* then it has neither connection nor key */
    size_t job_index;         /* in the spec */
    uint32_t job, connection; /* numbers in the ledger; UINT32_MAX = the ledger has it not (plan) */
    struct slice key, name;
};

/* A rendered row. Slices are borrowed for the call. */
struct import_row {
    uint32_t job, connection; /* numbers in the ledger; UINT32_MAX = the ledger has it not (plan) */
    struct slice key;
    enum http_method method;
    struct slice path, body;
    struct slice source_file;
    uint32_t source_line;
    bool condition;
    enum when_changed when_changed;
    size_t job_index, connection_index; /* in the spec */
    const struct import_need *needs;    /* at most NEEDS_MAX - 1; their jobs came before */
    size_t need_count;
    bool uses_needs; /* the request is made from what they return */
    bool has_group;
    struct hash128 group; /* rows of one group go one after the other */
    /* With needs or a group: the same as long as the row and what it waits for are the same. */
    struct hash128 draft_hash;
    struct slice draft;  /* of which the request is made when the needs are met; empty = it is */
    struct slice remake; /* of a corrected row: as a draft, for comparing */
};

/* What a row means for the ledger as it is. */
struct import_outcome {
    enum converge_action action;
    struct hash128 request_hash;
    bool is_known;
    uint64_t number;           /* of the item; when known */
    struct item known;         /* as the ledger has it; zeroed when it has it not */
    struct needs_record needs; /* of the row; borrows from it */
    enum wait_kind waits_on;   /* the first need that is not met; WAIT_NONE = all are */
    uint64_t waits_for;
    bool joins_group;      /* it becomes the last of its group */
    bool same_needs;       /* the item was made of a row that needed the same, or nothing as well */
    bool waits_for_others; /* it named other items, jobs or another group */
    /* What the ledger has of the item's needs; zero = nothing. */
    bool has_stored;
    struct hash128 stored_hash, stored_group, stored_parents;
    uint64_t stored_before; /* whom it comes behind in its order */
    bool stored_is_draft;
    bool parent_is_remade; /* dry: what it needs would be sent again */
    bool stored_remakes;   /* it was made from a corrected row and from what it needs, and … */
    bool stored_parent_is_remade; /* … that is, or would be, sent again */
};

/* True if the row's item will wait when this is applied. */
bool import_will_wait(const struct import_row *row, const struct import_outcome *outcome);

/* True if the item has succeeded with what its row makes no more for certain: what it is made from
 * is sent again. Which it would be now can be told when that is done. */
bool import_may_change(const struct import_row *row, const struct import_outcome *outcome);

struct import_counts {
    uint64_t by_action[CONVERGE_COUNT];
    uint64_t dropped;          /* left the source before they were sent */
    uint64_t unsent_of_now;    /* ready or blocked items that a row of today stands behind */
    uint64_t waiting;          /* of these, how many wait for others */
    uint64_t may_change;       /* see import_may_change(); their drafts are kept in their needs */
    uint64_t made_corrections; /* succeeded with a corrected row and with what others returned */
    uint64_t droppable_of_now; /* never-sent items of before that a row stands behind */
};

/* The ledger shows only what is committed: from one job to the next everything is, and within a job
 * these items have got a request that is not sent. Half of the places are used. */
#define IMPORT_UNSENT_MAX 8192

struct importer {
    struct ledger *ledger; /* NULL: there is none yet (plan) */
    bool dry;              /* plan: compare, write nothing */
    uint32_t run;
    int64_t now_ms;
    bool keeps_absent;    /* nothing is dropped: not all rows were looked at */
    const uint32_t *jobs; /* only items of these are dropped; NULL = of all */
    size_t job_count;
    struct import_counts counts;
    /* When dry: is told of each item that is dropped unless a row stands behind it. NULL = is not.
     */
    void (*unsent_fn)(void *context, const struct item *item);
    void *unsent_context;
    /* When dry: remembers what would have been written, so that later rows wait for earlier ones as
     * they will; the places that rows leave when they change their group are not in it. NULL = rows
     * are held against the ledger alone. */
    struct tally *planned;
    /* The import's own; zeroed by the caller. */
    bool has_work[SPEC_JOBS_MAX]; /* jobs with rows that are sent */
    size_t unsent_count;
    uint64_t unsent[IMPORT_UNSENT_MAX];
    uint64_t unsent_before[IMPORT_UNSENT_MAX]; /* whom they come behind; 0 = nobody */
};

/* Before the first row of a job that needs others: waits until what was written is durable, and can
 * be read. Errors: ERR_STORAGE. */
enum err_code import_begin_job(struct importer *importer, struct err *err) ERR_CHECKED;

/* Compares one row; writes and counts nothing. Errors: ERR_STORAGE, ERR_NO_MEMORY. */
enum err_code import_compare(struct importer *importer, const struct import_row *row,
                             struct import_outcome *outcome_out, struct err *err) ERR_CHECKED;

/* Counts and, unless dry, writes what import_compare() has found for the row. With CONVERGE_REFUSE
 * nothing is written; the caller makes it an error before anything is sent. Errors as above. */
enum err_code import_apply(struct importer *importer, const struct import_row *row,
                           const struct import_outcome *outcome, struct err *err) ERR_CHECKED;

/* Compares a corrected row, given beside the source, with its item and, unless dry, writes. What is
 * to be sent has seen_run = importer->run afterwards. Nothing is written for a correction that is
 * an error. Errors: ERR_STORAGE, ERR_NO_MEMORY. */
enum err_code import_correction(struct importer *importer, const struct import_row *row,
                                enum correction *correction_out, struct err *err) ERR_CHECKED;

/* Puts the undo of an item, a row that is no row of a source, or makes it ready again when it had
 * failed; what is under way or over stays as it is. Errors: ERR_STORAGE, ERR_NO_MEMORY. */
enum err_code import_undo(struct importer *importer, const struct import_row *row,
                          struct err *err) ERR_CHECKED;

/* Waits until all that was written is durable. */
enum err_code import_commit(struct importer *importer, struct err *err) ERR_CHECKED;

/* Nothing is lost with it: it was never sent, and nobody has decided anything about it. */
bool import_is_droppable(const struct item *item);

/* After the last row: drops such items that no row stands behind (dry: counts them), on the
 * connections 0 … connection_count - 1 of the ledger, and waits until all is
 * durable. */
enum err_code import_finish(struct importer *importer, uint32_t connection_count,
                            struct err *err) ERR_CHECKED;

#endif
