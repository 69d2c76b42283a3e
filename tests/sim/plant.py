#!/usr/bin/env python3
"""Plants a bug into a copy of a source file: a test of the simulation.

    plant.py --list               one line a plant: name, file, and the seed to begin with
    plant.py NAME SOURCE OUTPUT   OUTPUT becomes SOURCE with that bug

Each replacement must find its text exactly once, else the plant no longer fits the source and has to
be written anew. Assertions that would see the bug from inside are taken out with it: the laws of the
simulation must find it from outside.
"""
import sys

LIFECYCLE = "src/core/lifecycle.c"
# Where to begin looking for what most worlds do not meet.
FIRST_SEEDS = {
    "repeated_before_the_servers_time_is_known": 9500,
    "clock_set_back_holds_missing_jobs": 69000,
    "unparking_forgets_what_was_taken_back": 38900,
    "a_restored_ledger_makes_new_keys": 13300,
}
NO_I3 = (
    "        assert(before->state == ITEM_WAITING || item_state_is_final(before->state));\n"
    "        assert(!after->accepted && after->attempt_count == 0 && !after->unknown_send);\n",
    "")
NO_I11 = (
    "    assert(after->state != ITEM_FAILED || !after->unknown_send || after->accepted); /* I11 */\n",
    "")
NO_AT_MOST_ONCE = (
    "    assert(policy->repeatable || !item->unknown_send); /* at most once */\n", "")

PLANTS = {
    "refusal_after_unknown_send_is_final": (LIFECYCLE, [
        ("    if (item->unknown_send)\n"
         "        return doubt(item, event, REASON_REFUSED_AFTER_UNKNOWN);\n", ""),
        NO_I11]),
    "rekey_keeps_the_generation": (LIFECYCLE, [
        ("    wait_for(item, event, policy, item->generation);\n"
         "    item->generation++;\n",
         "    wait_for(item, event, policy, item->generation);\n")]),
    "lost_send_takes_a_new_key": (LIFECYCLE, [
        ("    if (item->attempt_count >= policy->attempt_limit)\n"
         "        return doubt(item, event, REASON_RETRIES_EXHAUSTED);\n",
         "    if (item->attempt_count >= policy->attempt_limit)\n"
         "        return doubt(item, event, REASON_RETRIES_EXHAUSTED);\n"
         "    item->generation++;\n"),
        NO_I3]),
    "old_keys_are_repeated": (LIFECYCLE, [
        ("    if (item->unknown_send && event->key_age_ms >= policy->key_window_ms)\n"
         "        return doubt(item, event, too_old(item));\n",
         "    if (item->unknown_send && event->key_age_ms == INT64_MIN)\n"
         "        return doubt(item, event, REASON_WINDOW_PASSED);\n")]),
    "restart_forgets_that_it_may_have_been_sent": (LIFECYCLE, [
        ("    item->unknown_send = true;\n"
         "    if (!policy->repeatable)\n"
         "        return doubt(item, event, REASON_UNKEYED_UNKNOWN);\n"
         "    item->due_ms = event->now_ms;\n",
         "    if (!policy->repeatable)\n"
         "        return doubt(item, event, REASON_UNKEYED_UNKNOWN);\n"
         "    item->due_ms = event->now_ms;\n")]),
    "missing_job_is_submitted_again": (LIFECYCLE, [
        ("        return doubt(item, event, REASON_SERVER_LOST_JOB);\n",
         "        make_ready(item);\n"
         "        item->state = ITEM_SENDING;\n"
         "        item->intent_ms = event->server_now_ms;\n"
         "        item->generation++;\n"
         "        return EFFECT_NONE;\n")]),
    "unsent_clears_an_earlier_unknown_send": (LIFECYCLE, [
        ("    item->attempt_total--;\n",
         "    item->attempt_total--;\n    item->unknown_send = false;\n")]),
    "throttling_clears_an_earlier_unknown_send": (LIFECYCLE, [
        ("    keep_answer(item, event);\n    return take_back(",
         "    keep_answer(item, event);\n    item->unknown_send = false;\n"
         "    return take_back(")]),
    "throttling_uses_up_attempts": (LIFECYCLE, [
        ("    item->attempt_count--;\n", "")]),
    "unclear_answer_is_a_failure": (LIFECYCLE, [
        ("    return doubt(item, event, event->reason);\n",
         "    return finish(item, event, ITEM_FAILED, event->reason);\n"),
        NO_I11]),
    "without_a_key_it_is_sent_again": (LIFECYCLE, [
        ("    item->unknown_send = true;\n"
         "    if (!policy->repeatable)\n"
         "        return doubt(item, event, REASON_UNKEYED_UNKNOWN);\n"
         "    if (item->attempt_count",
         "    item->unknown_send = true;\n"
         "    if (item->attempt_count"),
        NO_AT_MOST_ONCE]),
    "changed_row_keeps_a_used_key": (LIFECYCLE, [
        ("    if (item->accepted)\n        item->generation++;\n", "")]),
    "trouble_counts_as_missing": (LIFECYCLE, [
        ("    if (item->missing_count >= policy->missing_limit &&",
         "    if (item->trouble_count + 1 >= policy->missing_limit &&")]),
    "clock_set_back_holds_missing_jobs": (LIFECYCLE, [
        ("    if (event->now_ms < item->accepted_ms)\n", "    if (event->now_ms < 0)\n")]),
    "unkeyed_intents_are_made_far_ahead": ("src/engine/engine_admit.c", [
        ("engine->unkeyed_ahead > 0) {", "engine->unkeyed_ahead > 3) {")]),
    "an_unproven_key_is_trusted": ("src/engine/engine_trust.c", [
        ("is_proven(engine, job->operation) ? TRUST_GIVEN : TRUST_OPEN",
         "is_proven(engine, job->operation) ? TRUST_GIVEN : TRUST_GIVEN")]),
    "a_good_status_ends_parking_at_once": ("src/engine/engine_health.c", [
        ("    if (engine->now.boot_ms >= connection->unpark_after_ms)\n", "    if (true)\n")]),
    "doubted_credentials_hold_nothing_up": ("src/engine/engine_pacing.c", [
        ("engine->credentials_doubted ||", "false ||")]),
    "writes_go_before_the_status_is_known": ("src/engine/engine_pacing.c", [
        ("(given->asks_status && !connection->checked)", "given->in_flight == 0")]),
    "unparking_forgets_what_was_taken_back": ("src/engine/engine_health.c", [
        ("    connection->ready_after = 0;\n", "")]),
    "the_organisations_rate_is_forgotten": ("src/engine/engine_pacing.c", [
        ("    pace_take(&engine->pace, engine->now.boot_ms);\n",
         "    if (engine->progress.polls % 2 == 0)\n"
         "        pace_take(&engine->pace, engine->now.boot_ms);\n")]),
    "pauses_are_ignored": ("src/engine/engine_answer.c", [
        ("        pace_throttled(&engine->pace, engine->now.boot_ms, reading->pause_ms);\n",
         "        pace_throttled(&engine->pace, engine->now.boot_ms, reading->pause_ms / 2);\n")]),
    "sent_before_it_is_durable": ("src/engine/engine_send.c", [
        ("    assert(slot->intent_batch <= engine->batch_durable); /* I1 */\n", ""),
        ("    return head->intent_batch <= engine->batch_durable && ", "    return ")]),
    "repeated_before_the_servers_time_is_known": ("src/engine/engine_send.c", [
        (" && !engine_must_know_clock(engine, head) &&", " &&")]),
    "nobody_wakes_who_could_admit": ("src/engine/engine_admit.c", [
        ("    if (engine->restarting)\n        return engine->free_count > 0;\n",
         "    if (engine->now.boot_ms >= 0)\n        return false;\n")]),
    "a_canary_lets_one_more_go": ("src/engine/engine_canary.c", [
        ("engine->jobs[job].canaries < engine->options.canary ||",
         "engine->jobs[job].canaries <= engine->options.canary ||")]),
    "a_canary_is_over_before_its_end": ("src/engine/engine_canary.c", [
        ("job->canaries_open == 0 && job->canaries_failed", "job->canaries_failed")]),
    "a_failed_canary_stops_nothing": ("src/engine/engine_canary.c", [
        ("            engine->jobs[i].stopped = true;\n",
         "            engine->jobs[i].stopped = false;\n")]),
    "what_an_earlier_run_left_is_no_canary": ("src/engine/engine_admit.c", [
        ("        engine->waiting_count++;\n    engine_canary_begins(engine, slot);\n",
         "        engine->waiting_count++;\n")]),
    "draining_leaves_what_was_turned_away": ("src/engine/engine_admit.c", [
        ("    if ((engine->withdrawn || ", "    if ((")]),
    "a_child_goes_before_its_parents_success_is_durable": ("src/engine/engine_needs.c", [
        ("    if (code == ERR_NOT_FOUND)\n"
         "        *wait_out = (struct wait){.kind = WAIT_UNKNOWN_ITEM};\n",
         "    if (slot_find(engine, number) != NULL)\n"
         "        item = slot_find(engine, number)->item;\n"
         "    if (code == ERR_NOT_FOUND)\n"
         "        *wait_out = (struct wait){.kind = WAIT_UNKNOWN_ITEM};\n")]),
    "a_cancelled_parent_will_do": ("src/engine/engine_needs.c", [
        ("code == ERR_OK && item.state == ITEM_SUCCEEDED)\n"
         "        *wait_out = (struct wait){.is_met = true};\n",
         "code == ERR_OK && item_state_is_over(item.state))\n"
         "        *wait_out = (struct wait){.is_met = true};\n")]),
    "a_gate_ignores_what_failed_or_is_in_doubt": ("src/engine/engine_needs.c", [
        ("counts.by_state[state] > 0 && !item_state_is_over((enum item_state)state)",
         "counts.by_state[state] > 0 && !item_state_is_final((enum item_state)state)")]),
    "a_gate_is_asked_only_once": ("src/engine/engine_scan.c", [
        ("        job->gate = GATE_UNKNOWN;\n    if (!slot", "        job->gate = GATE_SHUT;\n    if (!slot")]),
    "an_order_goes_on_behind_what_failed": ("src/engine/engine_needs.c", [
        ("code == ERR_OK && !item_state_is_over(item.state)) {",
         "code == ERR_OK && !item_state_is_final(item.state)) {")]),
    "a_cancelled_item_hands_its_place_to_nobody": ("src/engine/engine_needs.c", [
        ("(item.state == ITEM_SUCCEEDED || !item.has_needs))",
         "(item_state_is_over(item.state) || !item.has_needs))")]),
    "an_order_that_was_met_is_kept": ("src/engine/engine_needs.c", [
        ("        take_out(needs, order);\n        *changed_out = true;\n", "")]),
    "a_retry_does_not_look_at_the_needs": (LIFECYCLE, [
        ("    return item->has_needs ? wait_on(item, WAIT_NONE, 0) : make_ready(item);\n",
         "    return make_ready(item);\n")]),
    "a_restart_forgets_the_releases_that_were_due": ("src/engine/engine_scan.c", [
        ("    while (!engine->releases_taken_up && engine->free_count > 0) {\n",
         "    engine->releases_taken_up |= engine->restarting;\n"
         "    while (!engine->releases_taken_up && engine->free_count > 0) {\n")]),
    "nobody_waits_for_what_was_skipped": ("src/engine/engine_release.c", [
        ("        engine->unslotted_batch = engine->batch_open;\n", "")]),
    "nobody_looks_at_what_a_person_tried_again": ("src/engine/engine_scan.c", [
        ("        begin_scan(engine, WAIT_NONE, 0);\n",
         "        begin_scan(engine, WAIT_UNKNOWN_ITEM, 1);\n")]),
    "gates_are_not_looked_at_when_a_run_begins": ("src/engine/engine_scan.c", [
        ("        engine->jobs[index].is_needed = true;\n        return ERR_OK;\n",
         "        return ERR_OK;\n")]),
    "a_cursor_misses_what_was_released_behind_it": ("src/engine/engine_scan.c", [
        ("            connection->ready_after = connection->released_closing - 1;\n",
         "            connection->ready_after = connection->ready_after + 0;\n")]),
    "what_rests_in_a_slot_is_started_once_more": ("src/engine/engine_admit.c", [
        ("    if (slot_find(engine, number) != NULL) {", "    if (false) {")]),
    "a_ready_item_is_not_asked_for_its_needs": ("src/engine/engine_admit.c", [
        ("item.has_needs && engine_check_needs(", "engine->failed && engine_check_needs(")]),
    "a_run_ends_while_an_end_is_not_durable": ("src/engine/engine_scan.c", [
        ("engine->awaited_count > 0 ||", "false ||"),
        ("(engine->progress.blocked > 0 &&", "(false &&")]),
    "a_release_is_over_before_all_were_looked_at": ("src/engine/engine_scan.c", [
        ("    engine->scan.after = number;\n    return engine_look_at(engine, number, &item, err);\n",
         "    engine->scan.after = UINT64_MAX - 1;\n    return engine_look_at(engine, number, &item, err);\n")]),
    "a_restored_ledger_makes_new_keys": ("src/engine/engine_step.c", [
        ("    event->lost_since_ms = engine->options.lost_since_ms;\n",
         "    if (event->kind == EVENT_START)\n"
         "        event->lost_since_ms = engine->options.lost_since_ms;\n")]),
    "a_restored_item_is_sent_as_new": (LIFECYCLE, [
        ("    return lost_since_ms(item, event) != 0 && item->reason != REASON_RESOLVED;\n",
         "    return lost_since_ms(item, event) == INT64_MIN;\n")]),
    "what_was_lost_is_forgotten_after_a_run": ("src/engine/ledger.c", [
        ("    item->lost_since_ms = lost_since_ms;\n    return true;\n",
         "    return lost_since_ms == 0;\n")]),
    "a_word_in_a_backup_counts": ("src/engine/ledger.c", [
        ("    item->reason = REASON_NONE;\n    return true;\n", "    return false;\n")]),
    "what_was_lost_of_it_stays_in_sending": ("src/engine/engine_admit.c", [
        ("item_is_unused_intent(&slot->item) || is_lost_intent", "item_is_unused_intent(&slot->item)"),
        ("    bool is_lost_intent = ", "    bool is_lost_intent __attribute__((unused)) = ")]),
    "effects_before_the_commit_is_checked": ("src/engine/engine_commit.c", [
        ("        if (engine->ledger->ops->commit_poll(engine->ledger, false, &durable, err) "
         "!= ERR_OK) {\n"
         "            engine->failed = true; /* I7 */\n"
         "            return err->code;\n"
         "        }\n",
         "        if (engine->ledger->ops->commit_poll(engine->ledger, false, &durable, err) "
         "!= ERR_OK)\n"
         "            err->code = ERR_OK;\n")]),
}


def main(arguments):
    if arguments == ["--list"]:
        for name, (path, _) in PLANTS.items():
            print(name, path, FIRST_SEEDS.get(name, 1))
        return 0
    if len(arguments) != 3 or arguments[0] not in PLANTS:
        print(__doc__, file=sys.stderr)
        return 2
    name, source, output = arguments
    with open(source, encoding="utf-8") as file:
        text = file.read()
    for old, new in PLANTS[name][1]:
        if text.count(old) != 1:
            print(f"plant.py: {name}: its text is {text.count(old)} times in {source}, not once;\n"
                  f"write the plant anew for the source as it is now:\n{old}", file=sys.stderr)
            return 1
        text = text.replace(old, new)
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
