/* The decision table: finding the rule of a cell. */
#include <assert.h>

#include "reply_sets.h"

const struct reply_rule *reply_rule_at(size_t index)
{
    if (index < reply_send_rule_count)
        return &reply_send_rules[index];
    index -= reply_send_rule_count;
    return index < reply_poll_rule_count ? &reply_poll_rules[index] : NULL;
}

bool reply_rule_covers(const struct reply_rule *rule, enum status_kind status,
                       enum proof_kind proof, enum body_kind body)
{
    assert(status < STATUS_KIND_COUNT && proof < PROOF_KIND_COUNT && body < BODY_KIND_COUNT);
    for (size_t i = 0; i < REPLY_AREAS_MAX; i++) {
        const struct reply_area *area = &rule->areas[i];

        if ((area->statuses & BIT(status)) != 0 && (area->proofs & BIT(proof)) != 0 &&
            (area->bodies & BODY(body)) != 0)
            return true;
    }
    return false;
}

const struct reply_rule *reply_rule_of(enum reply_phase phase, enum status_kind status,
                                       enum proof_kind proof, enum body_kind body)
{
    const struct reply_rule *rule;

    for (size_t i = 0; (rule = reply_rule_at(i)) != NULL; i++) {
        if (rule->phase == phase && reply_rule_covers(rule, status, proof, body))
            return rule;
    }
    return NULL;
}

const char *reply_rule_meaning(struct slice name)
{
    static const struct {
        const char *name, *meaning;
    } others[] = {
        {"lost", "bytes may have left and no complete answer came"},
        {"not_sent", "no byte of the request left, so it can be tried again at will"},
        {"untrusted", "the peer is not who it should be; no byte left, and none will"},
    };

    const struct reply_rule *rule;

    for (size_t i = 0; (rule = reply_rule_at(i)) != NULL; i++) {
        if (slice_is(name, rule->name))
            return rule->meaning;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (slice_is(name, others[i].name))
            return others[i].meaning;
    }
    return NULL;
}
