/* What the decision table makes of each answer that the server may give in a situation. All cells
 * of a situation that are read alike are one reading, so every cell of the table that an honest
 * server can bring about takes part in the search. */
#include <assert.h>
#include <stddef.h>

#include "model.h"

static const struct reply_rule *rule_of(const struct rules *rules, enum reply_phase phase,
                                        enum status_kind status, enum proof_kind proof,
                                        enum body_kind body)
{
    const struct reply_rule *list = phase == PHASE_SEND ? rules->send_rules : rules->poll_rules;
    size_t count = phase == PHASE_SEND ? *rules->send_rule_count : *rules->poll_rule_count;

    for (size_t i = 0; i < count; i++)
        if (reply_rule_covers(&list[i], status, proof, body))
            return &list[i];
    return NULL;
}

static void add(struct readings *readings, const struct reading *reading)
{
    for (uint32_t i = 0; i < readings->count; i++) {
        struct reading *known = &readings->list[i];

        if (known->situation == reading->situation && known->event == reading->event &&
            known->reason == reading->reason && known->shows_key == reading->shows_key) {
            known->cells++;
            return;
        }
    }
    assert(readings->count < READINGS_MAX);
    readings->list[readings->count++] = *reading;
}

static void read_phase(const struct rules *rules, enum reply_phase phase, enum situation situation,
                       struct readings *readings)
{
    for (unsigned status = 0; status < STATUS_KIND_COUNT; status++)
        for (unsigned proof = 0; proof < PROOF_KIND_COUNT; proof++)
            for (unsigned body = 0; body < BODY_KIND_COUNT; body++) {
                const struct reply_rule *rule;
                struct reading reading = {.situation = situation, .cells = 1};

                if (!reply_body_is_of_phase((enum body_kind)body, phase) ||
                    (phase == PHASE_SEND
                         ? situation_of_send((enum status_kind)status, (enum proof_kind)proof,
                                             (enum body_kind)body)
                         : situation_of_poll((enum status_kind)status, (enum body_kind)body)) !=
                        situation)
                    continue;
                rule = rule_of(rules, phase, (enum status_kind)status, (enum proof_kind)proof,
                               (enum body_kind)body);
                assert(rule != NULL);
                reading.event = rule->event;
                reading.reason = rule->reason;
                reading.rule = rule->name;
                reading.shows_key = phase == PHASE_SEND && proof == PROOF_JOB_ID;
                add(readings, &reading);
            }
}

void model_read_table(const struct rules *rules, struct readings *readings)
{
    readings->count = 0;
    for (unsigned situation = 0; situation < SITUATION_COUNT; situation++) {
        readings->first[situation] = readings->count;
        if (situation == NOT_SENT || situation == LOST)
            add(readings,
                &(struct reading){.situation = (enum situation)situation,
                                  .event = situation == LOST ? EVENT_LOST : EVENT_NOT_SENT,
                                  .rule = situation == LOST ? "lost" : "not_sent"});
        else
            read_phase(rules, situation < POLL_PENDING ? PHASE_SEND : PHASE_POLL,
                       (enum situation)situation, readings);
    }
    readings->first[SITUATION_COUNT] = readings->count;
}
