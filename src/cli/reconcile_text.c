/* Findings, as text. */
#include <string.h>

#include "purser/cli/reconcile.h"

static const char *word_of(enum proposal proposal)
{
    return proposal == PROPOSE_DONE ? "done" : "not-done";
}

/* A word of a shell's command line. */
static void append_word(struct buf *out, struct slice word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./:@%+=,-";
    bool is_plain = word.length > 0;

    for (size_t i = 0; i < word.length && is_plain; i++)
        is_plain = word.bytes[i] != '\0' && strchr(plain, word.bytes[i]) != NULL;
    if (is_plain) {
        buf_append(out, word.bytes, word.length);
        return;
    }
    buf_append_byte(out, '\'');
    for (size_t i = 0; i < word.length; i++) {
        if (word.bytes[i] == '\'')
            buf_append_text(out, "'\\''");
        else
            buf_append_byte(out, word.bytes[i]);
    }
    buf_append_byte(out, '\'');
}

static void append_name(const struct finding *finding, struct buf *out)
{
    struct buf name;

    buf_init(&name, ITEM_KEY_BYTES_MAX + 1024);
    buf_append_format(&name, "%s/", finding->job);
    buf_append(&name, finding->key.bytes, finding->key.length);
    append_word(out, (struct slice){buf_text(&name), name.length});
    buf_deinit(&name);
}

/* What a person would type next. */
static void append_command(struct session *session, const struct finding *finding, struct buf *out)
{
    bool is_resolve = finding->proposal == PROPOSE_DONE || finding->proposal == PROPOSE_NOT_DONE;

    buf_append_text(out, is_resolve                           ? "purser resolve "
                         : finding->proposal == PROPOSE_LATER ? "purser reconcile "
                                                              : "purser explain ");
    append_word(out, slice_of(session->spec.file));
    if (finding->proposal != PROPOSE_LATER) {
        buf_append_byte(out, ' ');
        append_name(finding, out);
    }
    if (is_resolve)
        buf_append_format(out, " --as %s", word_of(finding->proposal));
    if (session->spec.connection_count > 1 && finding->proposal != PROPOSE_LATER) {
        buf_append_text(out, " --connection ");
        append_word(out, slice_of(finding->connection));
    }
    buf_append_text(out, session_state_words(session));
}

static void append_detail(const char *detail, struct buf *out)
{
    if (detail[0] == '\0')
        return;
    buf_append_text(out, ": ");
    text_append_printable(out, slice_of(detail));
}

static void append_job(const struct finding *finding, struct buf *out)
{
    const char *meaning = job_evidence_meaning(finding->evidence.job);
    const char *hole = strstr(meaning, "%s");

    if (hole == NULL) {
        buf_append_text(out, meaning);
    } else {
        buf_append(out, meaning, (size_t)(hole - meaning));
        buf_append_text(out, finding->item.remote_job);
        buf_append_text(out, hole + 2);
    }
    append_detail(finding->job_detail, out);
}

static void append_ids(const struct finding *finding, struct buf *out)
{
    for (size_t i = 0; i < finding->found_count && i < LOOKUP_IDS_MAX; i++) {
        buf_append_text(out, i == 0 ? "" : ", ");
        text_append_printable(out, finding->ids[i]);
    }
    if (finding->found_count > LOOKUP_IDS_MAX)
        buf_append_format(out, " and %zu more", finding->found_count - LOOKUP_IDS_MAX);
}

static void append_time(int64_t time_ms, struct buf *out)
{
    char text[TEXT_TIME_BYTES];

    text_from_time_ms(time_ms, text);
    buf_append_text(out, text);
}

/* How much it says that nothing was found. */
static void append_age_of_reads(const struct evidence *evidence, struct buf *out)
{
    buf_append_text(out, "; the connection was last synchronised ");
    if (evidence->last_sync_ms == 0) {
        buf_append_text(out, "at a time that the API does not tell");
        return;
    }
    append_time(evidence->last_sync_ms, out);
    if (!reconcile_reads_are_fresh(evidence))
        buf_append_text(out, ", so the list may be older than the write");
}

static void append_lookup(const struct finding *finding, struct buf *out)
{
    if (finding->evidence.lookup == LOOKUP_FOUND_ONE) {
        buf_append_text(out, "found ");
        append_ids(finding, out);
        return;
    }
    buf_append_text(out, lookup_evidence_meaning(finding->evidence.lookup));
    if (finding->evidence.lookup == LOOKUP_FOUND_SEVERAL ||
        finding->evidence.lookup == LOOKUP_FOUND_OLDER ||
        finding->evidence.lookup == LOOKUP_FOUND_TAKEN) {
        buf_append_text(out, ": ");
        append_ids(finding, out);
    }
    if (finding->evidence.lookup == LOOKUP_FOUND_NOTHING)
        append_age_of_reads(&finding->evidence, out);
    append_detail(finding->lookup_detail, out);
}

void reconcile_append_grounds(const struct finding *finding, struct buf *out)
{
    buf_append_text(out, "reconciled: ");
    if (finding->evidence.job == JOB_SUCCEEDED)
        append_job(finding, out);
    else
        append_lookup(finding, out);
}

static void append_table(struct session *session, const struct finding *finding, bool applied,
                         struct buf *out)
{
    text_append_printable(out, slice_of(finding->job));
    buf_append_byte(out, '/');
    text_append_printable(out, finding->key);
    if (session->spec.connection_count > 1)
        buf_append_format(out, "  on %s", finding->connection);
    buf_append_format(out, "  %s\n", reason_code(finding->item.reason));
    buf_append_text(out, "  evidence    ");
    append_job(finding, out);
    buf_append_text(out, "\n  look-up     ");
    append_lookup(finding, out);
    if (applied) {
        buf_append_text(out, "\n  applied     done\n");
        return;
    }
    buf_append_format(out, "\n  proposal    %s: %s\n  command     ",
                      proposal_name(finding->proposal), proposal_meaning(finding->proposal));
    append_command(session, finding, out);
    buf_append_byte(out, '\n');
}

/* A text that one of the functions above writes, as JSON or CSV. */
typedef void append_fn(const struct finding *finding, struct buf *out);

static void append_quoted(const struct finding *finding, append_fn *append, bool csv,
                          struct buf *out)
{
    struct buf text;

    buf_init(&text, 64 * 1024);
    append(finding, &text);
    if (csv)
        text_append_csv(out, (struct slice){buf_text(&text), text.length}, ',', true);
    else
        text_append_json(out, (struct slice){buf_text(&text), text.length});
    buf_deinit(&text);
}

static void append_command_quoted(struct session *session, const struct finding *finding, bool csv,
                                  struct buf *out)
{
    struct buf text;

    buf_init(&text, 64 * 1024);
    append_command(session, finding, &text);
    if (csv)
        text_append_csv(out, (struct slice){buf_text(&text), text.length}, ',', true);
    else
        text_append_json(out, (struct slice){buf_text(&text), text.length});
    buf_deinit(&text);
}

static void append_member(struct buf *out, const char *name, struct slice text)
{
    buf_append_format(out, ",\"%s\":", name);
    text_append_json(out, text);
}

static void append_json(struct session *session, const struct finding *finding, bool applied,
                        struct buf *out)
{
    buf_append_text(out, "{\"v\":1,\"job\":");
    text_append_json(out, slice_of(finding->job));
    append_member(out, "connection", slice_of(finding->connection));
    append_member(out, "key", finding->key);
    append_member(out, "reason", slice_of(reason_code(finding->item.reason)));
    append_member(out, "remote_job", slice_of(finding->item.remote_job));
    append_member(out, "remote_job_evidence", slice_of(job_evidence_name(finding->evidence.job)));
    buf_append_text(out, ",\"remote_job_text\":");
    append_quoted(finding, append_job, false, out);
    append_member(out, "look_up", finding->lookup_path);
    append_member(out, "look_up_evidence",
                  slice_of(lookup_evidence_name(finding->evidence.lookup)));
    buf_append_text(out, ",\"look_up_text\":");
    append_quoted(finding, append_lookup, false, out);
    buf_append_format(out, ",\"found_count\":%zu,\"found\":[", finding->found_count);
    for (size_t i = 0; i < finding->found_count && i < LOOKUP_IDS_MAX; i++) {
        buf_append_text(out, i == 0 ? "" : ",");
        text_append_json(out, finding->ids[i]);
    }
    buf_append_byte(out, ']');
    append_member(out, "proposal", slice_of(proposal_name(finding->proposal)));
    buf_append_format(out, ",\"applied\":%s,\"command\":", applied ? "true" : "false");
    if (applied)
        buf_append_text(out, "null");
    else
        append_command_quoted(session, finding, false, out);
    buf_append_byte(out, '}');
}

static void append_csv(struct session *session, const struct finding *finding, bool applied,
                       struct buf *out)
{
    text_append_csv(out, slice_of(finding->job), ',', true);
    buf_append_byte(out, ',');
    text_append_csv(out, slice_of(finding->connection), ',', true);
    buf_append_byte(out, ',');
    text_append_csv(out, finding->key, ',', true);
    buf_append_format(out, ",%s,%s,", reason_code(finding->item.reason),
                      job_evidence_name(finding->evidence.job));
    append_quoted(finding, append_job, true, out);
    buf_append_format(out, ",%s,", lookup_evidence_name(finding->evidence.lookup));
    append_quoted(finding, append_lookup, true, out);
    buf_append_format(out, ",%s,%s,", proposal_name(finding->proposal), applied ? "true" : "false");
    if (!applied)
        append_command_quoted(session, finding, true, out);
    buf_append_byte(out, '\n');
}

void reconcile_append_begin(enum output_format format, struct buf *out)
{
    if (format == OUTPUT_CSV)
        buf_append_text(out, "job,connection,key,reason,remote_job_evidence,remote_job_text,"
                             "look_up_evidence,look_up_text,proposal,applied,command\n");
}

void reconcile_append_end(enum output_format format, bool is_empty, struct buf *out)
{
    if (format == OUTPUT_JSON)
        buf_append_text(out, is_empty ? "[]\n" : "\n]\n");
}

void reconcile_append(struct session *session, const struct finding *finding, bool is_first,
                      bool applied, struct buf *out)
{
    switch (session->options->output) {
    case OUTPUT_TABLE:
        append_table(session, finding, applied, out);
        break;
    case OUTPUT_CSV:
        append_csv(session, finding, applied, out);
        break;
    case OUTPUT_JSON:
        buf_append_text(out, is_first ? "[\n" : ",\n");
        append_json(session, finding, applied, out);
        break;
    case OUTPUT_NDJSON:
        append_json(session, finding, applied, out);
        buf_append_byte(out, '\n');
        break;
    }
}
