#include "purser/cli/check_report.h"

#include <string.h>

#include "purser/base/text.h"
#include "purser/cli/message_code.h"

enum { FIELD_BYTES_MAX = 64 * 1024 };

/* The path below the working directory; another one as it is. */
static const char *relative_path(const struct check_report *report, const char *path)
{
    size_t length = strlen(report->folder);

    if (length > 1 && strncmp(path, report->folder, length) == 0 && path[length] == '/')
        path += length + 1;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    return path;
}

static const char *word_of(enum diag_severity severity)
{
    return severity == DIAG_ERROR ? "error" : "warning";
}

/* Messages that were counted and not kept. */
static uint64_t left_out(const struct check_report *report)
{
    const struct diagnostics *diagnostics = report->diagnostics;

    return diagnostics->error_count + diagnostics->warning_count - diagnostics->count;
}

/* The end of the check is worth a word of its own where no message says why. */
static bool failure_is_unexplained(const struct check_report *report)
{
    return report->failure != NULL && !diagnostics_has_errors(report->diagnostics);
}

/* --- SARIF --- */

static void append_member(struct buf *out, const char *before, const char *text)
{
    buf_append_text(out, before);
    text_append_json(out, slice_of(text));
}

static void append_rule(struct buf *out, const struct message_code *code)
{
    struct buf help;

    buf_init(&help, FIELD_BYTES_MAX);
    message_code_explain(code, &help);
    append_member(out, "{\"id\":", code->code);
    append_member(out, ",\"shortDescription\":{\"text\":", code->meaning);
    append_member(out, "},\"fullDescription\":{\"text\":", code->explanation);
    append_member(out, "},\"help\":{\"text\":", buf_text(&help));
    buf_append_text(out, "}}");
    buf_deinit(&help);
}

static void append_rules(struct buf *out)
{
    const struct message_family *family;
    const char *between = "";

    for (unsigned i = 0; (family = message_family_at(i)) != NULL; i++)
        for (unsigned j = 0; j < family->count; j++) {
            buf_append_text(out, between);
            append_rule(out, &family->codes[j]);
            between = ",";
        }
}

/* Where a code stands among the rules; -1 when it does not. */
static int rule_index(const char *code)
{
    const struct message_family *family;
    int index = 0;

    for (unsigned i = 0; (family = message_family_at(i)) != NULL; i++)
        for (unsigned j = 0; j < family->count; j++, index++)
            if (strcmp(family->codes[j].code, code) == 0)
                return index;
    return -1;
}

/* Source: RFC 3986, sections 2.3 and 3.3. */
static void append_uri(struct buf *out, const char *path)
{
    buf_append_text(out, path[0] == '/' ? "\"file://" : "\"");
    for (; *path != '\0'; path++) {
        char byte = *path;
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || strchr("-._~/", byte) != NULL;

        if (plain)
            buf_append_byte(out, byte);
        else
            buf_append_format(out, "%%%02X", (unsigned char)byte);
    }
    buf_append_byte(out, '"');
}

static void append_location(struct buf *out, const struct check_report *report, struct place place)
{
    const char *path = relative_path(report, place.file);

    buf_append_text(out, ",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
    append_uri(out, path);
    if (path[0] != '/')
        buf_append_text(out, ",\"uriBaseId\":\"%SRCROOT%\"");
    buf_append_byte(out, '}');
    if (place.line > 0)
        buf_append_format(out, ",\"region\":{\"startLine\":%u", place.line);
    if (place.line > 0 && place.column > 0)
        buf_append_format(out, ",\"startColumn\":%u,\"endColumn\":%u", place.column,
                          place.column + (place.width > 1 ? place.width : 1));
    buf_append_text(out, place.line > 0 ? "}}}]" : "}}]");
}

static void append_result(struct buf *out, const struct check_report *report,
                          const struct diag_view *message)
{
    struct buf text;
    int index = rule_index(message->code);

    buf_init(&text, FIELD_BYTES_MAX);
    buf_append_text(&text, message->text);
    if (message->help != NULL)
        buf_append_format(&text, "\nhelp: %s", message->help);
    append_member(out, "{\"ruleId\":", message->code);
    if (index >= 0)
        buf_append_format(out, ",\"ruleIndex\":%d", index);
    append_member(out, ",\"level\":", word_of(message->severity));
    append_member(out, ",\"message\":{\"text\":", buf_text(&text));
    buf_append_byte(out, '}');
    if (message->place.file != NULL)
        append_location(out, report, message->place);
    buf_append_byte(out, '}');
    buf_deinit(&text);
}

static void append_notification(struct buf *out, const char *level, const char *text)
{
    append_member(out, ",\"toolExecutionNotifications\":[{\"level\":", level);
    append_member(out, ",\"message\":{\"text\":", text);
    buf_append_text(out, "}}]");
}

static void append_invocation(struct buf *out, const struct check_report *report)
{
    struct buf text;

    buf_init(&text, FIELD_BYTES_MAX);
    buf_append_format(out, "{\"executionSuccessful\":%s,\"exitCode\":%d",
                      failure_is_unexplained(report) ? "false" : "true", report->exit_status);
    buf_append_format(&text, "%llu more messages", (unsigned long long)left_out(report));
    if (failure_is_unexplained(report))
        append_notification(out, "error", report->failure);
    else if (left_out(report) > 0)
        append_notification(out, "warning", buf_text(&text));
    buf_append_byte(out, '}');
    buf_deinit(&text);
}

void check_report_sarif(const struct check_report *report, struct buf *out)
{
    diagnostics_sort(report->diagnostics);
    buf_append_text(out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
                         "\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{"
                         "\"name\":\"purser\",\"version\":\"" PURSER_VERSION "\",\"rules\":[");
    append_rules(out);
    buf_append_text(out, "]}},\"columnKind\":\"unicodeCodePoints\",\"invocations\":[");
    append_invocation(out, report);
    buf_append_text(out, "],\"results\":[");
    for (uint32_t i = 0; i < report->diagnostics->count; i++) {
        struct diag_view message = diagnostics_view(report->diagnostics, i);

        if (i > 0)
            buf_append_byte(out, ',');
        append_result(out, report, &message);
    }
    buf_append_text(out, "]}]}\n");
}

/* --- workflow commands --- */

/* A line break would end the command, and what follows it could be another one. */
static void append_escaped(struct buf *out, const char *text, bool is_property)
{
    for (; *text != '\0'; text++)
        if (*text == '%' || *text == '\r' || *text == '\n' ||
            (is_property && (*text == ':' || *text == ',')))
            buf_append_format(out, "%%%02X", (unsigned char)*text);
        else
            buf_append_byte(out, *text);
}

static void append_property(struct buf *out, const char *before, const char *text)
{
    buf_append_text(out, before);
    append_escaped(out, text, true);
}

static void append_command(struct buf *out, const struct check_report *report,
                           const struct diag_view *message)
{
    struct place place = message->place;

    buf_append_format(out, "::%s ", word_of(message->severity));
    if (place.file != NULL)
        append_property(out, "file=", relative_path(report, place.file));
    if (place.file != NULL && place.line > 0)
        buf_append_format(out, ",line=%u", place.line);
    if (place.file != NULL && place.line > 0 && place.column > 0)
        buf_append_format(out, ",col=%u,endColumn=%u", place.column,
                          place.column + (place.width > 1 ? place.width : 1));
    append_property(out, place.file != NULL ? ",title=" : "title=", message->code);
    buf_append_text(out, "::");
    append_escaped(out, message->text, false);
    if (message->help != NULL) {
        buf_append_text(out, "%0Ahelp: ");
        append_escaped(out, message->help, false);
    }
    buf_append_byte(out, '\n');
}

void check_report_github(const struct check_report *report, struct buf *out)
{
    diagnostics_sort(report->diagnostics);
    for (uint32_t i = 0; i < report->diagnostics->count; i++) {
        struct diag_view message = diagnostics_view(report->diagnostics, i);

        append_command(out, report, &message);
    }
    if (left_out(report) > 0)
        buf_append_format(out, "::%s title=purser::%llu more messages\n",
                          diagnostics_has_errors(report->diagnostics) ? "error" : "warning",
                          (unsigned long long)left_out(report));
    if (failure_is_unexplained(report)) {
        buf_append_text(out, "::error title=purser::");
        append_escaped(out, report->failure, false);
        buf_append_byte(out, '\n');
    }
}
