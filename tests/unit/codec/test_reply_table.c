/* The decision table has one rule for every cell, and keeps the laws whatever it says. */
#include "purser/codec/reply_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/core/limits.h"

struct cell {
    enum reply_phase phase;
    enum status_kind status;
    enum proof_kind proof;
    enum body_kind body;
};

/* The next cell in an order that visits all; false after the last. */
static bool next_cell(struct cell *cell)
{
    if (++cell->body < BODY_KIND_COUNT)
        return true;
    cell->body = 0;
    if (++cell->proof < PROOF_KIND_COUNT)
        return true;
    cell->proof = 0;
    if (++cell->status < STATUS_KIND_COUNT)
        return true;
    cell->status = 0;
    return ++cell->phase <= PHASE_POLL;
}

static const struct reply_rule *rule_of(const struct cell *cell)
{
    return reply_rule_of(cell->phase, cell->status, cell->proof, cell->body);
}

static void every_cell_is_decided_by_exactly_one_rule(void **state)
{
    struct cell cell = {0};
    size_t cells = 0;

    (void)state;
    do {
        unsigned expected = reply_body_is_of_phase(cell.body, cell.phase), found = 0;
        const struct reply_rule *rule;

        for (size_t i = 0; (rule = reply_rule_at(i)) != NULL; i++)
            found += rule->phase == cell.phase &&
                     reply_rule_covers(rule, cell.status, cell.proof, cell.body);
        if (found != expected)
            fail_msg("%u rules for %s, HTTP: %s, proof %d, body %s", found,
                     cell.phase == PHASE_SEND ? "a write" : "a poll",
                     reply_status_meaning(cell.status), cell.proof, reply_body_name(cell.body));
        cells++;
    } while (next_cell(&cell));
    assert_int_equal(cells, 2 * STATUS_KIND_COUNT * PROOF_KIND_COUNT * BODY_KIND_COUNT);
}

/* Not by what is left over: each kind of status has its numbers, and each number its kind. */
static void every_http_status_is_of_one_kind(void **state)
{
    size_t counts[STATUS_KIND_COUNT] = {0};
    int classes[STATUS_KIND_COUNT] = {0};

    (void)state;
    for (int status = 0; status <= 999; status++) {
        enum status_kind keyed = reply_status_kind(status, true);
        enum status_kind unkeyed = reply_status_kind(status, false);

        counts[keyed]++;
        if (status == 409) {
            assert_int_equal(keyed, STATUS_CONFLICT);
            assert_int_equal(unkeyed, STATUS_OTHER_4XX);
        } else {
            assert_int_equal(keyed, unkeyed);
        }
        assert_int_equal(keyed == STATUS_OK || keyed == STATUS_ODD_OK, status / 100 == 2);
        assert_int_equal(keyed == STATUS_MOVED || keyed == STATUS_REDIRECT, status / 100 == 3);
        assert_int_equal(keyed == STATUS_NONSENSE, status < 200 || status > 599);
        /* No kind is of two classes, so that no 5xx can pass as a refusal. */
        if (keyed == STATUS_NETWORK || keyed == STATUS_NONSENSE)
            continue;
        assert_true(classes[keyed] == 0 || classes[keyed] == status / 100);
        classes[keyed] = status / 100;
    }
    for (unsigned kind = 0; kind < STATUS_KIND_COUNT; kind++)
        assert_true(counts[kind] > 0);
    assert_int_equal(reply_status_kind(-1, true), STATUS_NONSENSE);
    assert_int_equal(reply_status_kind(65536 + 200, true), STATUS_NONSENSE);
}

static void every_rule_decides_something_and_says_why(void **state)
{
    const struct reply_rule *rule, *other;

    (void)state;
    for (size_t i = 0; (rule = reply_rule_at(i)) != NULL; i++) {
        struct cell cell = {0};
        size_t cells = 0;

        do {
            cells += rule_of(&cell) == rule;
        } while (next_cell(&cell));
        if (cells == 0)
            fail_msg("rule %s decides nothing", rule->name);
        assert_true(strlen(rule->name) <= RULE_NAME_BYTES_MAX);
        assert_int_equal(strspn(rule->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(rule->name));
        assert_true(rule->meaning != NULL && strlen(rule->meaning) > 10);
        assert_true(strlen(rule->meaning) <= 110);
        assert_ptr_equal(reply_rule_meaning(slice_of(rule->name)), rule->meaning);
        for (size_t j = 0; (other = reply_rule_at(j)) != rule; j++)
            assert_string_not_equal(other->name, rule->name);
    }
}

static void what_brought_no_answer_has_a_meaning_too(void **state)
{
    (void)state;
    assert_non_null(reply_rule_meaning(SLICE("lost")));
    assert_non_null(reply_rule_meaning(SLICE("not_sent")));
    assert_non_null(reply_rule_meaning(SLICE("untrusted")));
    assert_null(reply_rule_meaning(SLICE("")));
    assert_null(reply_rule_meaning(SLICE("accepte")));
}

static bool is_park_word(const char *word)
{
    static const char *const words[] = {"needs_update", "disabled", "not_ready", "not_allowed",
                                        "unauthorized"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static void every_rule_is_legal_in_its_phase(void **state)
{
    const struct reply_rule *rule;

    (void)state;
    for (size_t i = 0; (rule = reply_rule_at(i)) != NULL; i++) {
        bool needs_reason = rule->event == EVENT_REFUSED || rule->event == EVENT_UNCLEAR;

        assert_true(lifecycle_is_legal(rule->phase == PHASE_SEND ? ITEM_SENDING : ITEM_WAITING,
                                       rule->event));
        assert_int_equal(needs_reason, rule->reason != REASON_NONE);
        if (rule->park_reason != NULL)
            assert_true(is_park_word(rule->park_reason));
        if (rule->scope == SCOPE_OF_ITEM || rule->scope == SCOPE_OF_ALL)
            assert_null(rule->park_reason);
        if (rule->scope == SCOPE_OF_CREDENTIALS)
            assert_true(rule->phase == PHASE_SEND && rule->park_reason != NULL);
        /* Who stops a run or lets a connection wait tells people why. */
        if (rule->scope == SCOPE_OF_RUN || rule->park_reason != NULL)
            assert_non_null(rule->message);
    }
}

/* --- what no rule may ever say --- */

static bool is_4xx(enum status_kind status)
{
    for (int code = 400; code <= 499; code++) {
        if (reply_status_kind(code, true) == status)
            return true;
    }
    return false;
}

/* No copy of the send can have an effect: that needs a complete 4xx without proof of acceptance, or
 * the word that the same request belongs elsewhere. */
static bool denies_effect(enum item_event_kind event)
{
    return event == EVENT_REFUSED || event == EVENT_HELD || event == EVENT_THROTTLED;
}

static void no_write_is_called_undone_without_a_complete_refusal(void **state)
{
    struct cell cell = {0};

    (void)state;
    do {
        const struct reply_rule *rule = rule_of(&cell);

        if (rule == NULL || cell.phase != PHASE_SEND || !denies_effect(rule->event))
            continue;
        assert_int_equal(cell.proof, PROOF_NONE);
        assert_true(is_4xx(cell.status) || cell.status == STATUS_MOVED);
        if (rule->event == EVENT_REFUSED)
            assert_true(is_4xx(cell.status) && cell.status != STATUS_CONFLICT);
    } while (next_cell(&cell));
}

static void nothing_is_done_without_a_success(void **state)
{
    struct cell cell = {0};

    (void)state;
    do {
        const struct reply_rule *rule = rule_of(&cell);

        if (rule == NULL || rule->event != EVENT_DONE)
            continue;
        assert_true(cell.status == STATUS_OK || cell.status == STATUS_ODD_OK);
        assert_true(cell.body == BODY_ENTITY || cell.body == BODY_DELETED ||
                    cell.body == BODY_JOB_SUCCESS || cell.body == BODY_JOB_SUCCESS_ALONE);
    } while (next_cell(&cell));
}

static void a_usable_job_id_always_leads_to_the_job_or_to_its_result(void **state)
{
    struct cell cell = {0};

    (void)state;
    do {
        const struct reply_rule *rule = rule_of(&cell);

        if (rule != NULL && cell.phase == PHASE_SEND && cell.proof == PROOF_JOB_ID)
            assert_true(rule->event == EVENT_ACCEPTED || rule->event == EVENT_DONE);
    } while (next_cell(&cell));
}

static void only_a_job_that_is_shown_with_a_success_ends_a_waiting_item(void **state)
{
    struct cell cell = {0};

    (void)state;
    do {
        const struct reply_rule *rule = rule_of(&cell);
        bool ends =
            rule != NULL && (rule->event == EVENT_DONE || rule->event == EVENT_REFUSED ||
                             rule->event == EVENT_UNCLEAR || rule->event == EVENT_JOB_THROTTLED);

        if (cell.phase == PHASE_POLL && ends)
            assert_true(cell.status == STATUS_OK && cell.body >= BODY_JOB_PENDING);
    } while (next_cell(&cell));
}

/* A new key comes from one cell alone. */
static void only_a_452_of_a_job_brings_a_new_key(void **state)
{
    struct cell cell = {0};

    (void)state;
    do {
        const struct reply_rule *rule = rule_of(&cell);

        if (rule != NULL && rule->event == EVENT_JOB_THROTTLED)
            assert_true(cell.phase == PHASE_POLL && cell.body == BODY_JOB_THROTTLED);
    } while (next_cell(&cell));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_decided_by_exactly_one_rule),
        cmocka_unit_test(every_http_status_is_of_one_kind),
        cmocka_unit_test(every_rule_decides_something_and_says_why),
        cmocka_unit_test(what_brought_no_answer_has_a_meaning_too),
        cmocka_unit_test(every_rule_is_legal_in_its_phase),
        cmocka_unit_test(no_write_is_called_undone_without_a_complete_refusal),
        cmocka_unit_test(nothing_is_done_without_a_success),
        cmocka_unit_test(a_usable_job_id_always_leads_to_the_job_or_to_its_result),
        cmocka_unit_test(only_a_job_that_is_shown_with_a_success_ends_a_waiting_item),
        cmocka_unit_test(only_a_452_of_a_job_brings_a_new_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
