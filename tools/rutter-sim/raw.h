/* Answers that no right server sends, written to the socket past libh2o. HTTP/1.1 without TLS. */
#ifndef RUTTER_SIM_RAW_H
#define RUTTER_SIM_RAW_H

#include "reply.h"

bool raw_is_for(enum wire wire);

/* Sends the answer as its wire says, byte by byte if it must be, and then ends the connection. */
void raw_send(struct sim *sim, h2o_req_t *request, const struct answer *answer, struct slice body);

#endif
