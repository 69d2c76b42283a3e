/* The rules as they are, and those outside of core with one of them changed. */
#include "reply_sets.h"

#include "model.h"

const struct rules model_true_rules = {.name = "purser",
                                       .step = lifecycle_step,
                                       .must_be_stored = lifecycle_must_be_stored,
                                       .is_unused_intent = item_is_unused_intent,
                                       .key_age = key_age_ms,
                                       .needs_server = key_age_needs_server,
                                       .correct_intent = key_age_correct_intent,
                                       .send_rules = reply_send_rules,
                                       .poll_rules = reply_poll_rules,
                                       .send_rule_count = &reply_send_rule_count,
                                       .poll_rule_count = &reply_poll_rule_count};

const struct mutant model_switched[] = {
    {{.name = "sent_before_the_intent_is_durable", .sends_before_durable = true}, WORLD_KEYED},
    {{.name = "new_generation_is_sent_before_it_is_durable", .intent_of_rekey_is_open = true},
     WORLD_KEYED},
    {{.name = "key_is_random", .key_is_random = true}, WORLD_KEYED},
    {{.name = "late_answer_of_another_generation_counts", .takes_late_answers = true}, WORLD_KEYED},
    {{.name = "transport_repeats_by_itself", .transport_repeats = true}, WORLD_KEYED},
    {{.name = "end_is_shown_before_it_is_durable", .shows_before_durable = true}, WORLD_KEYED},
    {{.name = "failed_commit_is_ignored", .ignores_failed_commits = true}, WORLD_KEYED},
    {{.name = "nothing_is_asked_before_the_first_write", .asks_nothing_first = true}, WORLD_CLOCK},
};
const size_t model_switched_count = sizeof model_switched / sizeof model_switched[0];

const struct mutant model_assumptions[] = {
    {{.name = "A2_keys_are_forgotten_early", .forgets_early = true}, WORLD_KEYED},
    {{.name = "A3_requests_arrive_at_any_time", .delays_without_end = true}, WORLD_KEYED},
    {{.name = "A4_network_doubles_what_may_be_refused", .network_doubles = true}, WORLD_KEYED},
    {{.name = "persons_guess_what_became_of_a_write", .persons_guess = true}, WORLD_KEYED},
};
const size_t model_assumption_count = sizeof model_assumptions / sizeof model_assumptions[0];
