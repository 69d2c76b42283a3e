/* The `undo:` of a job: the request that reverses the success of one of its items. */
#ifndef PURSER_CODEC_UNDO_H
#define PURSER_CODEC_UNDO_H

#include "purser/codec/spec.h"

struct undo_template;

/* The item whose success is reversed. Borrowed for the call. */
struct undo_item {
    struct slice key;
    uint32_t line;                /* of its row, as far as the ledger knows */
    const struct value *returned; /* a map of `outputs` and `response`, see outputs_read() */
    const struct value *needs;    /* a map of such maps by alias; NULL = it waited for none */
};

/* Compiles the undo of `job` into `arena`; *undo_out is NULL when the job has none. Errors:
 * ERR_INPUT with messages, ERR_NO_MEMORY. */
enum err_code undo_compile(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                           const struct undo_template **undo_out,
                           struct diagnostics *diagnostics) ERR_CHECKED;

/* Makes the request: the path in `scratch`, the body in `body`, which is cleared first and stays
 * empty when there is none. False with *error_out set when the item has not what is needed for it;
 * body->failed tells of memory. */
bool undo_render(const struct undo_template *undo, const struct undo_item *item,
                 struct arena *scratch, struct buf *body, struct slice *path_out,
                 struct eval_error *error_out);

#endif
