/* Sends composed answers through libh2o: now, later, in pieces, or not at all. */
#ifndef RUTTER_SIM_REPLY_H
#define RUTTER_SIM_REPLY_H

#include "api.h"

#define H2O_USE_LIBUV 0
#include <h2o.h>

/* Sends the answer when its delay is over and its job, if it waits for one, is finished, with the
 * connection fault it asks for. Copies what it keeps of `answer`. */
void reply(struct sim *sim, h2o_req_t *request, const struct answer *answer);
/* For raw.c: the socket under the request; its end (libh2o notices when it writes, and cleans up);
 * the reason that goes with a status. */
int reply_descriptor(h2o_req_t *request);
void reply_cut(h2o_req_t *request, bool with_reset);
const char *reply_reason(int status);

/* Streams the lines `from` to `to` of the ledger. */
void reply_with_ledger(struct sim *sim, h2o_req_t *request, const struct answer *answer,
                       uint32_t from, uint32_t to);

#endif
