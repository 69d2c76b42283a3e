/* A plan in a file: what was shown, and what it was made from, so that `run --plan` can do exactly
 * that or refuse.
 *
 * One JSON object, mode 0600: there are no secrets in it, but the values of --var are. What a row
 * must be like is kept as hashes (core/row_digest). The ledger is named by the identity of its data
 * file and the number of its last LMDB transaction: nothing can change it without a new one, and
 * reading makes none. */
#ifndef PURSER_CLI_PLAN_FILE_H
#define PURSER_CLI_PLAN_FILE_H

#include "purser/cli/comparison.h"
#include "purser/core/row_digest.h"

#define PLAN_FILE_VERSION 1

struct plan_file {
    const char *name; /* of the file */
    const char *spec_name;
    struct hash128 spec_digest;
    int64_t planned_ms; /* what ${run.started_at} gives, then and now */
    uint32_t run;       /* the next one, then */
    bool has_ledger;
    const char *ledger_identity;
    uint64_t ledger_revision;
    uint64_t row_count;
    uint32_t rows_each;
    uint64_t blocks[ROW_DIGEST_BLOCKS_MAX];
    size_t block_count;
};

/* Rows on their way through a plan that is written, or one that is kept to. */
struct plan_rows {
    const struct spec *spec;
    const struct plan_file *file; /* NULL = it is being made */
    struct row_digest digest;
    char first_place[600]; /* of the open block */
    uint32_t rows_in_block;
};

void plan_rows_init(struct plan_rows *rows, const struct spec *spec, const struct plan_file *file);

/* A comparison_row_fn body: takes a row. ERR_INPUT when the plan has another one in its place. */
enum err_code plan_rows_take(struct plan_rows *rows, const struct rendered_row *row,
                             const struct import_outcome *outcome, struct err *err) ERR_CHECKED;
/* After the last row. ERR_INPUT when the plan has more, or fewer. */
enum err_code plan_rows_end(struct plan_rows *rows, struct err *err) ERR_CHECKED;

/* Writes it, aside and renamed. `shown` is the JSON object that the plan prints. Errors:
 * ERR_OUTPUT, ERR_NO_MEMORY; an older file stays. */
enum err_code plan_file_write(const char *name, const struct comparison *comparison,
                              const struct plan_rows *rows, struct slice shown,
                              struct err *err) ERR_CHECKED;

/* Reads it into `arena`, and sets the options that it was made with. Errors: ERR_INPUT (no plan, a
 * newer one, damaged), ERR_USAGE (an option that the plan has is given beside it), ERR_TOO_BIG,
 * ERR_NO_MEMORY. */
enum err_code plan_file_read(const char *name, struct arena *arena, struct options *options,
                             struct plan_file *file_out, struct err *err) ERR_CHECKED;

/* The spec as it was, and the ledger. ERR_INPUT says which is not and what has changed it. */
enum err_code plan_file_check_spec(const struct plan_file *file, const struct session *session,
                                   struct err *err) ERR_CHECKED;
enum err_code plan_file_check_ledger(const struct plan_file *file, const struct session *session,
                                     struct err *err) ERR_CHECKED;

#endif
