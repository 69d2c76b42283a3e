/* Prints the decision table of the answers as Markdown, from the code itself.
 *
 * A line is a rule and the set of cells that it decides. The rules do not overlap and leave nothing
 * out, which a unit test sees to, so the lines of a part are the whole truth about it.
 * --check FILE and --update FILE: see marked_text.h. */
#include <string.h>

#include "marked_text.h"
#include "purser/codec/reply_table.h"

enum { TABLE_BYTES_MAX = 1024 * 1024, STATUS_MAX = 999 };

/* The parts of the document; a rule belongs to the first that it fits. */
static const struct part {
    enum reply_phase phase;
    const char *title;
    bool no_proof, job; /* of rules for answers without job id; for jobs */
} parts[] = {
    {PHASE_SEND, "An answer to a write that was accepted", false, false},
    {PHASE_SEND, "An answer to a write without proof that it was accepted", true, false},
    {PHASE_POLL, "A poll that shows the remote job", false, true},
    {PHASE_POLL, "A poll that shows no job", false, false},
};

static bool is_job_rule(const struct reply_rule *rule)
{
    for (unsigned body = BODY_JOB_PENDING; body < BODY_KIND_COUNT; body++) {
        if (reply_rule_covers(rule, STATUS_OK, PROOF_NONE, (enum body_kind)body))
            return true;
    }
    return false;
}

static bool needs_no_proof(const struct reply_rule *rule)
{
    return rule->areas[0].proofs == 1u << PROOF_NONE;
}

static bool is_of_part(const struct reply_rule *rule, const struct part *part)
{
    if (rule->phase != part->phase)
        return false;
    return rule->phase == PHASE_SEND ? part->no_proof == needs_no_proof(rule)
                                     : part->job == is_job_rule(rule);
}

/* --- sets, as short as they can be said --- */

static void append_codes(struct buf *out, uint32_t statuses, bool inside)
{
    const char *between = "";

    for (int code = 0; code <= STATUS_MAX; code++) {
        int last = code;

        if (((statuses >> reply_status_kind(code, true)) & 1) != inside)
            continue;
        while (last < STATUS_MAX && ((statuses >> reply_status_kind(last + 1, true)) & 1) == inside)
            last++;
        buf_append_format(out, last > code ? "%s%d-%d" : "%s%d", between, code, last);
        between = ", ";
        code = last;
    }
}

static void append_statuses(struct buf *out, uint32_t statuses)
{
    struct buf inside, outside;

    buf_init(&inside, TABLE_BYTES_MAX);
    buf_init(&outside, TABLE_BYTES_MAX);
    append_codes(&inside, statuses, true);
    append_codes(&outside, statuses, false);
    if (outside.length == 0)
        buf_append_text(out, "any");
    else if (outside.length < inside.length / 2)
        buf_append_format(out, "all but %s", buf_text(&outside));
    else
        buf_append_text(out, buf_text(&inside));
    buf_deinit(&inside);
    buf_deinit(&outside);
}

static unsigned append_names(struct buf *out, enum reply_phase phase, uint64_t bodies, bool inside)
{
    unsigned count = 0;

    for (unsigned body = 0; body < BODY_KIND_COUNT; body++) {
        if (!reply_body_is_of_phase((enum body_kind)body, phase) ||
            ((bodies >> body) & 1) != inside)
            continue;
        buf_append_format(out, "%s%s", count > 0 ? ", " : "",
                          reply_body_name((enum body_kind)body));
        count++;
    }
    return count;
}

/* True if these are the errors whose code says more than the status, and no others. */
static bool are_codes(uint64_t bodies, enum reply_phase phase)
{
    for (unsigned body = 0; body < BODY_KIND_COUNT; body++) {
        bool is_code = body >= BODY_BAD_CREDENTIALS && body <= BODY_BAD_VERSION;

        if (reply_body_is_of_phase((enum body_kind)body, phase) &&
            (((bodies >> body) & 1) != 0) != is_code)
            return false;
    }
    return true;
}

static void append_bodies(struct buf *out, enum reply_phase phase, uint64_t bodies)
{
    struct buf inside, outside;
    unsigned inside_count, outside_count;

    buf_init(&inside, TABLE_BYTES_MAX);
    buf_init(&outside, TABLE_BYTES_MAX);
    inside_count = append_names(&inside, phase, bodies, true);
    outside_count = append_names(&outside, phase, bodies, false);
    if (outside_count == 0)
        buf_append_text(out, "any");
    else if (are_codes(~bodies, phase))
        buf_append_text(out, "any without a code");
    else if (outside_count < inside_count)
        buf_append_format(out, "all but %s", buf_text(&outside));
    else
        buf_append_text(out, buf_text(&inside));
    buf_deinit(&inside);
    buf_deinit(&outside);
}

static const char *proof_text(uint32_t proofs)
{
    if (proofs == 1u << PROOF_JOB_ID)
        return "; with X-Rutter-Job-ID";
    return proofs == 1u << PROOF_BAD_JOB_ID ? "; X-Rutter-Job-ID cannot be used" : "";
}

/* --- a rule --- */

static void append_scope(struct buf *out, const struct reply_rule *rule)
{
    static const char *const texts[] = {
        [SCOPE_OF_ITEM] = "",
        [SCOPE_OF_CONNECTION] = "the connection slows down",
        [SCOPE_OF_ALL] = "everything slows down",
        [SCOPE_OF_RUN] = "the run stops",
        [SCOPE_OF_CREDENTIALS] = "the connection waits (unauthorized), or the run stops",
    };

    if (rule->scope == SCOPE_OF_CONNECTION && rule->park_reason != NULL)
        buf_append_format(out, "the connection waits (%s)", rule->park_reason);
    else
        buf_append_text(out, texts[rule->scope]);
}

static void append_rule(struct buf *out, const struct reply_rule *rule)
{
    buf_append_text(out, "| ");
    for (size_t i = 0; i < REPLY_AREAS_MAX && rule->areas[i].statuses != 0; i++) {
        buf_append_text(out, i > 0 ? "<br>" : "");
        append_statuses(out, rule->areas[i].statuses);
        buf_append_text(out, ": ");
        append_bodies(out, rule->phase, rule->areas[i].bodies);
        buf_append_text(out, proof_text(rule->areas[i].proofs));
    }
    buf_append_format(out, " | `%s` | %s", rule->name, item_event_name(rule->event));
    if (rule->reason != REASON_NONE)
        buf_append_format(out, " (%s)", reason_code(rule->reason));
    buf_append_text(out, " | ");
    append_scope(out, rule);
    buf_append_format(out, " | %s |\n", rule->meaning);
}

static void append_part(struct buf *out, const struct part *part)
{
    const struct reply_rule *rule;

    buf_append_format(out,
                      "## %s\n\n"
                      "| HTTP status: body | rule | becomes | beyond the item | because |\n"
                      "|---|---|---|---|---|\n",
                      part->title);
    for (size_t i = 0; (rule = reply_rule_at(i)) != NULL; i++) {
        if (is_of_part(rule, part))
            append_rule(out, rule);
    }
    buf_append_byte(out, '\n');
}

/* --- what the words mean --- */

static void append_status_words(struct buf *out)
{
    buf_append_text(out, "## HTTP statuses\n\n| status | is |\n|---|---|\n");
    for (unsigned status = 0; status < STATUS_KIND_COUNT; status++) {
        buf_append_text(out, "| ");
        append_codes(out, 1u << status, true);
        buf_append_format(out, " | %s |\n", reply_status_meaning((enum status_kind)status));
    }
    buf_append_byte(out, '\n');
}

static void append_body_words(struct buf *out)
{
    buf_append_text(out, "## Bodies\n\n| body | is |\n|---|---|\n");
    for (unsigned body = 0; body < BODY_KIND_COUNT; body++)
        buf_append_format(out, "| %s | %s |\n", reply_body_name((enum body_kind)body),
                          reply_body_meaning((enum body_kind)body));
    buf_append_byte(out, '\n');
}

static void append_event_words(struct buf *out)
{
    bool used[ITEM_EVENT_COUNT] = {false};
    const struct reply_rule *rule;

    for (size_t i = 0; (rule = reply_rule_at(i)) != NULL; i++)
        used[rule->event] = true;
    buf_append_text(out, "## What an answer becomes\n\n| event | is |\n|---|---|\n");
    for (unsigned kind = 0; kind < ITEM_EVENT_COUNT; kind++) {
        if (used[kind])
            buf_append_format(out, "| %s | %s |\n", item_event_name((enum item_event_kind)kind),
                              item_event_meaning((enum item_event_kind)kind));
    }
}

int main(int argc, char **argv)
{
    struct buf table;
    int status;

    buf_init(&table, TABLE_BYTES_MAX);
    buf_append_byte(&table, '\n');
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        append_part(&table, &parts[i]);
    append_status_words(&table);
    append_body_words(&table);
    append_event_words(&table);
    buf_append_byte(&table, '\n');
    status = marked_text_main(argc, argv, "answers-table", slice_of(buf_text(&table)));
    buf_deinit(&table);
    return status;
}
