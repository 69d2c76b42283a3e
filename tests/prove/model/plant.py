#!/usr/bin/env python3
"""The rules of core and codec with one of them changed: copies of the sources for prove-model.

    plant.py --list               one line a mutant: name and file
    plant.py --table              C: what the program needs of each
    plant.py NAME SOURCE OUTPUT   OUTPUT becomes SOURCE with that rule changed

Each replacement must find its text exactly once. Assertions that would see the change from inside
are taken out with it: the laws must find it from outside. What the simulation plants into the life
cycle is used here as well.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sim"))
sys.dont_write_bytecode = True
from plant import LIFECYCLE, NO_AT_MOST_ONCE, NO_I3, NO_I11, PLANTS  # noqa: E402

ITEM = "src/core/item.c"
KEY_AGE = "src/core/key_age.c"
SEND = "src/codec/reply_send_rules.c"
POLL = "src/codec/reply_poll_rules.c"

# The public names of each file, to which a mutant's name is added.
NAMES = {
    LIFECYCLE: ["lifecycle_step", "lifecycle_is_legal", "lifecycle_must_be_stored",
                "item_event_name", "item_event_meaning"],
    ITEM: ["item_is_unused_intent", "item_state_name", "item_state_meaning", "item_state_parse",
           "item_state_is_final", "item_state_is_over", "item_state_is_active", "reason_code",
           "reason_meaning", "item_new"],
    KEY_AGE: ["key_age_ms", "key_age_correct_intent", "key_age_needs_server",
              "key_age_repeat_max_ms"],
    SEND: ["reply_send_rules", "reply_send_rule_count"],
    POLL: ["reply_poll_rules", "reply_poll_rule_count"],
}

# Which of them the search steps.
HOOKS = {
    LIFECYCLE: [("step", "lifecycle_step", ""), ("must_be_stored", "lifecycle_must_be_stored", "")],
    ITEM: [("is_unused_intent", "item_is_unused_intent", "")],
    KEY_AGE: [("key_age", "key_age_ms", ""), ("correct_intent", "key_age_correct_intent", ""),
              ("needs_server", "key_age_needs_server", "")],
    SEND: [("send_rules", "reply_send_rules", ""),
           ("send_rule_count", "reply_send_rule_count", "&")],
    POLL: [("poll_rules", "reply_poll_rules", ""),
           ("poll_rule_count", "reply_poll_rule_count", "&")],
}


def into_table(state, entry):
    return [(f"    [{state}] = {{", f"    [{state}] = {{{entry}, ")]


def rule(name, old, new):
    """The event of one rule; the text from its name to the event is found in the source."""
    return ("rule", name, old, new)


REFUSED = ".event = EVENT_REFUSED, .reason = REASON_REFUSED,"
JOB_REFUSED = ".event = EVENT_REFUSED, .reason = REASON_JOB_FAILED,"

# name: (file, replacements, world, what it changes)
OF_SIMULATION = {
    "refusal_after_unknown_send_is_final": "keyed",
    "rekey_keeps_the_generation": "keyed",
    "lost_send_takes_a_new_key": "keyed",
    "old_keys_are_repeated": "keyed",
    "restart_forgets_that_it_may_have_been_sent": "keyed",
    "missing_job_is_submitted_again": "keyed",
    "unsent_clears_an_earlier_unknown_send": "keyed",
    "throttling_clears_an_earlier_unknown_send": "keyed",
    "throttling_uses_up_attempts": "keyed",
    "unclear_answer_is_a_failure": "keyed",
    "without_a_key_it_is_sent_again": "unkeyed",
    "changed_row_keeps_a_used_key": "keyed",
    "trouble_counts_as_missing": "keyed",
}
MUTANTS = {name: (PLANTS[name][0], PLANTS[name][1], world)
           for name, world in OF_SIMULATION.items()}
MUTANTS.update({
    "window_is_a_tick_too_long": (LIFECYCLE, [
        ("event->key_age_ms >= policy->key_window_ms)", "event->key_age_ms > policy->key_window_ms)")],
        "keyed"),
    "window_is_closed_from_the_start": (LIFECYCLE, [
        ("event->key_age_ms >= policy->key_window_ms)", "event->key_age_ms >= 0)")], "keyed"),
    "retry_keeps_the_key_of_an_accepted_write": (LIFECYCLE, [
        ("    begin_again(item);\n    return make_sendable(item);",
         "    return make_sendable(item);")], "keyed"),
    "not_done_keeps_the_key": (LIFECYCLE, [
        ("    item->generation++;\n    make_sendable(item);", "    make_sendable(item);")], "keyed"),
    "cancelled_while_on_the_way": (LIFECYCLE, into_table(
        "ITEM_SENDING", "[EVENT_CANCELLED] = cancel"), "keyed"),
    "changed_while_on_the_way": (LIFECYCLE, into_table(
        "ITEM_SENDING", "[EVENT_CHANGED] = change"), "keyed"),
    "changed_while_the_job_runs": (LIFECYCLE, into_table(
        "ITEM_WAITING", "[EVENT_CHANGED] = change"), "keyed"),
    "retried_while_in_doubt": (LIFECYCLE, into_table(
        "ITEM_IN_DOUBT", "[EVENT_RETRY] = retry") + [NO_I3], "keyed"),
    "what_was_given_up_is_tried_again": (LIFECYCLE, [
        ("    if (item->reason == REASON_ABANDONED)\n        return EFFECT_NONE;\n", "")], "keyed"),
    "lost_send_is_not_remembered": (LIFECYCLE, [
        ("    keep_answer(item, event);\n    item->unknown_send = true;\n",
         "    keep_answer(item, event);\n")], "keyed"),
    "restart_sends_again_what_has_no_key": (LIFECYCLE, [
        ("    item->unknown_send = true;\n"
         "    if (!policy->repeatable)\n"
         "        return doubt(item, event, REASON_UNKEYED_UNKNOWN);\n"
         "    item->due_ms = event->now_ms;\n",
         "    item->unknown_send = true;\n"
         "    item->due_ms = event->now_ms;\n"), NO_AT_MOST_ONCE], "unkeyed"),
    "missing_job_has_failed": (LIFECYCLE, [
        ("        return doubt(item, event, REASON_SERVER_LOST_JOB);",
         "        return finish(item, event, ITEM_FAILED, REASON_JOB_FAILED);")], "keyed"),
    "trouble_of_a_poll_ends_the_item": (LIFECYCLE, [
        ("static enum effect poll_trouble(struct item *item, const struct item_event *event,\n"
         "                                const struct policy *policy)\n{\n"
         "    return wait_a_while(item, event, policy);",
         "static enum effect poll_trouble(struct item *item, const struct item_event *event,\n"
         "                                const struct policy *policy)\n{\n"
         "    (void)policy;\n"
         "    return doubt(item, event, REASON_SERVER_LOST_JOB);")], "keyed"),
    "stuck_job_is_in_doubt": (LIFECYCLE, [
        ("        item->reason = REASON_STUCK_PENDING;",
         "        return doubt(item, event, REASON_STUCK_PENDING);")], "keyed"),
    "new_keys_without_a_limit": (LIFECYCLE, [
        ("if (!policy->repeatable || item->generation > policy->rekey_limit)",
         "if (!policy->repeatable)")], "keyed"),
    "lost_send_is_ready_again": (LIFECYCLE, [
        ("        return doubt(item, event, REASON_RETRIES_EXHAUSTED);\n    return wait_a_while(",
         "        return doubt(item, event, REASON_RETRIES_EXHAUSTED);\n    make_ready(item);\n"
         "    return wait_a_while(")], "keyed"),
    "job_of_one_send_speaks_for_all": (LIFECYCLE, [
        ("    return policy->by_nature && item->unknown_send;",
         "    return policy->by_nature && item->generation == 0;")], "natural"),
    "state_alone_is_worth_a_write": (LIFECYCLE, [
        ("           before->reason != after->reason || before->unknown_send != "
         "after->unknown_send ||\n"
         "           before->waits_on != after->waits_on || before->waits_for != after->waits_for;",
         "           before->reason != after->reason;"),
        ("    return before->state != after->state || before->generation != after->generation ||",
         "    return before->state == ITEM_WAITING || before->generation != after->generation ||")],
        "keyed"),
    "age_by_the_hosts_clock": (KEY_AGE, [
        ("    return by_server_ms > by_wall_ms ? by_server_ms : by_wall_ms;",
         "    return by_wall_ms;"),
        ("        return by_server_ms;", "        return by_wall_ms;"),
        ("        return by_boot_ms > by_server_ms ? by_boot_ms : by_server_ms;",
         "        return by_boot_ms < by_wall_ms ? by_boot_ms : by_wall_ms;")], "clock"),
    "stamp_is_corrected_by_the_hosts_clock": (KEY_AGE, [
        ("    int64_t intent_ms = clock->server_ms - (clock->boot_ms - item->intent_boot_ms);",
         "    int64_t intent_ms = clock->server_ms - (clock->wall_ms - item->intent_ms);")],
        "clock"),
    "server_error_is_a_refusal": (SEND, [rule("server_error", ".event = EVENT_LOST,", REFUSED)],
                                  "keyed"),
    "timeout_of_the_server_is_a_refusal": (SEND, [
        rule("not_processed", ".event = EVENT_LOST,", REFUSED)], "keyed"),
    "undocumented_4xx_is_a_refusal": (SEND, [
        rule("unknown_refusal", ".event = EVENT_LOST,", REFUSED)], "keyed"),
    "error_of_an_accepted_write_is_a_refusal": (SEND, [
        rule("accepted_then_error", ".event = EVENT_ACCEPTED,", REFUSED)], "keyed"),
    "platform_error_is_a_refusal": (SEND, [
        rule("platform_error", ".event = EVENT_UNCLEAR,\n     .reason = REASON_PLATFORM_ERROR,",
             REFUSED)], "keyed"),
    "web_page_is_a_success": (SEND, [rule("web_page", ".event = EVENT_LOST,",
                                          ".event = EVENT_DONE,")], "keyed"),
    "unreadable_success_is_a_success": (SEND, [
        rule("unreadable_success", ".event = EVENT_LOST,", ".event = EVENT_DONE,")], "keyed"),
    "unreadable_success_was_not_sent": (SEND, [
        rule("unreadable_success", ".event = EVENT_LOST,", ".event = EVENT_NOT_SENT,")], "keyed"),
    "accepted_is_done": (SEND, [rule("accepted", ".event = EVENT_ACCEPTED,",
                                     ".event = EVENT_DONE,")], "keyed"),
    "unknown_job_is_a_refusal": (POLL, [
        rule("job_missing", ".event = EVENT_MISSING,", JOB_REFUSED)], "keyed"),
    "server_error_of_a_job_is_a_refusal": (POLL, [
        rule("job_server_error", ".event = EVENT_UNCLEAR,\n     .reason = REASON_SERVER_ERROR,",
             JOB_REFUSED)], "keyed"),
    "platform_error_of_a_job_is_throttling": (POLL, [
        rule("job_platform_error", ".event = EVENT_UNCLEAR,\n     .reason = REASON_PLATFORM_ERROR,",
             ".event = EVENT_JOB_THROTTLED,")], "keyed"),
    "part_of_a_success_is_a_refusal": (POLL, [
        rule("job_partial", ".event = EVENT_UNCLEAR,\n     .reason = REASON_PARTIAL_SUCCESS,",
             JOB_REFUSED)], "keyed"),
    "unknown_status_is_a_success": (POLL, [
        rule("job_status_unknown", ".event = EVENT_PENDING,", ".event = EVENT_DONE,")], "keyed"),
    "job_of_another_is_a_success": (POLL, [
        rule("wrong_job", ".event = EVENT_UNCLEAR,\n     .reason = REASON_WRONG_JOB,",
             ".event = EVENT_DONE,")], "keyed"),
})


def replacements_of(name, text):
    for change in MUTANTS[name][1]:
        if change[0] != "rule":
            yield change
            continue
        _, rule_name, old, new = change
        start = text.index(f'     "{rule_name}",\n')
        end = text.index(old, start) + len(old)
        if "{PHASE" in text[start:end]:
            sys.exit(f"plant.py: {name}: the rule {rule_name} has no {old}")
        whole = text[start:end]
        yield whole, whole[:-len(old)] + new


def plant(name, source, output):
    with open(source, encoding="utf-8") as file:
        text = file.read()
    for old, new in list(replacements_of(name, text)):
        if text.count(old) != 1:
            sys.exit(f"plant.py: {name}: its text is {text.count(old)} times in {source}, not once;"
                     f"\nwrite it anew for the source as it is now:\n{old}")
        text = text.replace(old, new)
    with open(output, "w", encoding="utf-8") as file:
        for public in NAMES[MUTANTS[name][0]]:
            file.write(f"#define {public} {public}_{name}\n")
        file.write(text)


def table():
    print('#include "model.h"\n')
    declared = {
        "lifecycle_step": "struct step {}(const struct item *, const struct item_event *,\n"
                          "    const struct policy *);",
        "lifecycle_must_be_stored": "bool {}(const struct item *, const struct item *);",
        "item_is_unused_intent": "bool {}(const struct item *);",
        "key_age_ms": "int64_t {}(const struct item *, bool, const struct key_clock *);",
        "key_age_correct_intent": "bool {}(struct item *, const struct key_clock *);",
        "key_age_needs_server": "bool {}(const struct item *, const struct key_clock *);",
        "reply_send_rules": "extern const struct reply_rule {}[];",
        "reply_poll_rules": "extern const struct reply_rule {}[];",
        "reply_send_rule_count": "extern const size_t {};",
        "reply_poll_rule_count": "extern const size_t {};",
    }
    for name, (path, _, _) in MUTANTS.items():
        for _, public, _ in HOOKS[path]:
            print(declared[public].format(f"{public}_{name}"))
    print("\nconst struct mutant model_planted[] = {")
    for name, (path, _, world) in MUTANTS.items():
        hooks = "".join(f", .rules.{hook} = {sign}{public}_{name}"
                        for hook, public, sign in HOOKS[path])
        print(f"    {{.rules.name = \"{name}\", .world = WORLD_{world.upper()}{hooks}}},")
    print("};\nconst size_t model_planted_count = sizeof model_planted / sizeof model_planted[0];")


def main(arguments):
    if arguments == ["--list"]:
        for name, (path, _, _) in MUTANTS.items():
            print(name, path)
    elif arguments == ["--table"]:
        table()
    elif len(arguments) == 3 and arguments[0] in MUTANTS:
        plant(*arguments)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
