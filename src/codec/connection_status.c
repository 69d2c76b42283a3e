#include "purser/codec/connection_status.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "purser/base/log.h"
#include "purser/core/limits.h"
#include "purser/core/platform.h"

/* --- the states --- */

static const struct {
    const char *name, *park_reason, *meaning;
} states[CONNECTION_STATE_COUNT] = {
    [CONNECTION_UNKNOWN] = {"unknown", NULL, "the API does not tell"},
    [CONNECTION_USABLE] = {"usable", NULL, "ready for writes"},
    [CONNECTION_NEEDS_UPDATE] = {"needs_update", "needs_update",
                                 "the merchant must sign in to the platform again"},
    [CONNECTION_DISABLED] = {"disabled", "disabled", "disabled; the merchant must act"},
    [CONNECTION_NOT_READY] = {"not_ready", "not_ready",
                              "the first synchronisation is not finished"},
    [CONNECTION_REFUSED] = {"refused", "unauthorized",
                            "the access token or the client's credentials are refused"},
    [CONNECTION_FORBIDDEN] = {"forbidden", "not_allowed",
                              "the API does not allow this to the connection"},
    [CONNECTION_OTHER_PLATFORM] = {"other_platform", "other_platform",
                                   "the access token is of another platform than the spec says"},
};

const char *connection_state_name(enum connection_state state)
{
    assert(state < CONNECTION_STATE_COUNT);
    return states[state].name;
}

const char *connection_state_meaning(enum connection_state state)
{
    assert(state < CONNECTION_STATE_COUNT);
    return states[state].meaning;
}

/* --- the fields --- */

/* In `status`, or flat; `connection` also names the platform. */
static struct value field(const struct value *root, const char *name)
{
    static const char *const places[] = {"status", "connection"};
    struct value found = {.kind = VALUE_OMIT};

    for (size_t i = 0; i < sizeof places / sizeof places[0] && found.kind == VALUE_OMIT; i++) {
        struct value place = value_member(root, slice_of(places[i]));

        found = value_member(&place, slice_of(name));
    }
    return found.kind == VALUE_OMIT ? value_member(root, slice_of(name)) : found;
}

static struct slice text_field(const struct value *root, const char *name)
{
    struct value found = field(root, name);

    return found.kind == VALUE_STRING ? found.text : (struct slice){0};
}

/* 1 or 0; -1 when it is not there or no boolean. */
static int flag(const struct value *map, const char *name)
{
    struct value member = value_member(map, slice_of(name));

    return member.kind == VALUE_BOOL ? member.boolean : -1;
}

/* It is shown to people and sent to merchants: nothing but a plain https URL passes. A link that
 * holds a secret of ours is no link to send around. */
static const char *safe_link(struct arena *arena, struct slice url)
{
    char *copy;

    if (url.length < 9 || url.length > LINK_URL_BYTES_MAX ||
        strncasecmp(url.bytes, "https://", 8) != 0 || url.bytes[8] == '/')
        return "";
    for (size_t i = 0; i < url.length; i++) {
        if (url.bytes[i] <= ' ' || url.bytes[i] > '~' || strchr("\"<>\\^`{|}", url.bytes[i]))
            return "";
    }
    /* The user part of a URL makes one host look like another. */
    for (size_t i = 8; i < url.length && strchr("/?#", url.bytes[i]) == NULL; i++) {
        if (url.bytes[i] == '@')
            return "";
    }
    copy = arena_copy_text(arena, url.bytes, url.length);
    if (copy == NULL || strcasestr(copy, "access_token") != NULL)
        return "";
    return log_redact(copy, url.length) == url.length && memcmp(copy, url.bytes, url.length) == 0
               ? copy
               : "";
}

/* "first: second", or `first` alone; "" without memory. */
static const char *joined(struct arena *arena, const char *first, const char *second)
{
    char text[ERROR_MESSAGE_BYTES_MAX + 1];
    const char *copy;
    int length =
        snprintf(text, sizeof text, "%s%s%s", first, second[0] == '\0' ? "" : ": ", second);

    if (length < 0 || (size_t)length >= sizeof text)
        return "";
    copy = arena_copy_text(arena, text, (size_t)length);
    return copy == NULL ? "" : copy;
}

/* --- the decision --- */

static enum connection_state state_of_error(int http_status, enum answer_error_kind kind)
{
    switch (kind) {
    case ANSWER_ERROR_BAD_CREDENTIALS:
        return CONNECTION_REFUSED;
    case ANSWER_ERROR_NEEDS_UPDATE:
        return CONNECTION_NEEDS_UPDATE;
    case ANSWER_ERROR_DISABLED:
        return CONNECTION_DISABLED;
    case ANSWER_ERROR_NOT_READY:
        return CONNECTION_NOT_READY;
    case ANSWER_ERROR_NOT_ALLOWED:
        return CONNECTION_FORBIDDEN;
    case ANSWER_ERROR_BAD_VERSION:
    case ANSWER_ERROR_OTHER:
        break;
    }
    if (http_status == 401)
        return CONNECTION_REFUSED;
    if (http_status == 403)
        return CONNECTION_FORBIDDEN;
    return http_status == 451 ? CONNECTION_NEEDS_UPDATE : CONNECTION_UNKNOWN;
}

/* A flag of another kind than a boolean tells nothing; one that is left out is taken as "no". */
static enum connection_state state_of_fields(const struct value *root, const char **detail_out)
{
    struct value update = field(root, "needs_update_status");
    struct value disabled = field(root, "disabled_status");
    struct value ready = field(root, "is_ready");
    bool update_told = value_member(&update, SLICE("needs_update")).kind != VALUE_OMIT;
    bool disabled_told = value_member(&disabled, SLICE("is_disabled")).kind != VALUE_OMIT;

    if (flag(&update, "needs_update") == 1)
        return CONNECTION_NEEDS_UPDATE;
    if (flag(&disabled, "is_disabled") == 1)
        return CONNECTION_DISABLED;
    if (ready.kind == VALUE_BOOL && !ready.boolean)
        return CONNECTION_NOT_READY;
    if (ready.kind == VALUE_BOOL && (!update_told || flag(&update, "needs_update") == 0) &&
        (!disabled_told || flag(&disabled, "is_disabled") == 0))
        return CONNECTION_USABLE;
    *detail_out = "the answer does not say whether the connection is ready";
    return CONNECTION_UNKNOWN;
}

static void read_error_answer(struct arena *arena, const struct connection_status_input *input,
                              const struct answer_error *error, struct connection_status *status)
{
    char http[32];

    status->state = state_of_error(input->http_status, error->kind);
    (void)snprintf(http, sizeof http, "HTTP %d", input->http_status);
    status->detail =
        joined(arena, http, answer_safe_text(arena, error->message, ERROR_MESSAGE_BYTES_MAX / 2));
}

/* Two tokens that were mixed up would write into the books of another. A name that is not known on
 * either side says nothing. */
static bool is_other_platform(const char *asked, const char *told)
{
    enum platform one, other;

    return asked != NULL && platform_parse(slice_of(asked), &one) &&
           platform_parse(slice_of(told), &other) && one != other;
}

struct connection_status connection_status_read(struct arena *arena,
                                                const struct connection_status_input *input)
{
    struct connection_status status = {.link_url = "", .detail = "", .platform = ""};
    struct answer_error error = {0};
    struct value root = {.kind = VALUE_OMIT};
    enum answer_form form = answer_parse(arena, input->body, input->content_type, &root);
    bool is_ok = input->http_status >= 200 && input->http_status <= 299;

    if (form == ANSWER_OBJECT) {
        status.link_url = safe_link(arena, text_field(&root, "link_url"));
        status.platform =
            answer_safe_text(arena, text_field(&root, "platform"), ERROR_CODE_BYTES_MAX);
        status.last_sync_ms = answer_time_ms(text_field(&root, "last_sync_completed_at"));
    }
    if ((form == ANSWER_OBJECT && answer_read_error(&root, &error)) || !is_ok)
        read_error_answer(arena, input, &error, &status);
    else if (form == ANSWER_OBJECT)
        status.state = state_of_fields(&root, &status.detail);
    else
        status.detail = form == ANSWER_WEB_PAGE ? "a web page came instead of the API's answer"
                                                : "the answer cannot be understood";
    if (status.state == CONNECTION_USABLE && is_other_platform(input->platform, status.platform)) {
        status.state = CONNECTION_OTHER_PLATFORM;
        status.detail = joined(arena, "the API names another platform", status.platform);
    }
    if (status.state == CONNECTION_DISABLED && is_ok) {
        struct value disabled = field(&root, "disabled_status");

        status.detail =
            joined(arena, "disabled",
                   answer_safe_text(arena, answer_text_member(&disabled, "disabled_reason"),
                                    ERROR_CODE_BYTES_MAX));
    }
    status.park_reason = states[status.state].park_reason;
    return status;
}
