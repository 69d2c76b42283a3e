/* Which event an answer is: the table. */
#ifndef PURSER_CODEC_REPLY_RULES_H
#define PURSER_CODEC_REPLY_RULES_H

#include "reply_body.h"

struct rule {
    enum reply_phase phase;
    uint32_t statuses, proofs, bodies; /* sets of the kinds above */
    const char *name;
    enum item_event_kind event;
    enum reason reason;
    enum reply_scope scope;
    const char *park_reason;
    const char *message; /* when the answer brings none that helps more */
};

/* The rule that decides; there always is one. */
const struct rule *reply_find_rule(const struct reply_input *input, enum body_kind body);

/* X-Rutter-Job-ID: there is one exactly when the write was accepted. */
enum proof_kind { PROOF_NONE, PROOF_JOB_ID, PROOF_BAD_JOB_ID };

enum proof_kind reply_proof(const struct reply_input *input);

#endif
