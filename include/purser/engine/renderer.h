/* Makes the request of an item whose needs are met: what its parents returned is part of it.
 *
 * Owns: nothing; an interface. Real one: in io. Results of parents are read through
 * the ledger, which has them: an item is rendered only when the success of each is durable. */
#ifndef PURSER_ENGINE_RENDERER_H
#define PURSER_ENGINE_RENDERER_H

#include "purser/base/err.h"
#include "purser/codec/record.h"

struct renderer;

struct renderer_ops {
    /* Sets method, path and body of *request_inout, which comes as it was stored when the item was
     * added (whose it is and from where; what is set here is stored with that). They stay until the
     * next call on `self`. Errors: ERR_INPUT: no request can be made, and `problem` says for people
     * what is wrong; the item fails and nothing of it is sent. ERR_NOT_FOUND: its `if:` is false
     * now that it can be told; the item is skipped. ERR_STORAGE, ERR_NO_MEMORY. */
    enum err_code (*render)(struct renderer *self, uint64_t number, const struct item *item,
                            const struct needs_record *needs, struct frozen_request *request_inout,
                            char *problem, size_t problem_size, struct err *err) ERR_CHECKED;
};

struct renderer {
    const struct renderer_ops *ops;
};

#endif
