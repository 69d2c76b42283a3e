#include "answer.h"

#include <string.h>
#include <strings.h>

#include "purser/base/calendar.h"
#include "purser/base/log.h"
#include "purser/codec/json.h"

enum { TEXT_LOOKED_AT_MAX = 64 * 1024, PLATFORM_TEXT_BYTES_MAX = 300, PLATFORM_DEPTH_MAX = 2 };

/* --- the form of a body --- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct slice answer_trimmed(struct slice text)
{
    while (text.length > 0 && is_space(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && is_space(text.bytes[text.length - 1]))
        text.length--;
    return text;
}

/* "application/json" and "application/anything+json", with parameters or without. No type at all is
 * given the benefit of the doubt; the parser decides. */
static bool is_json_type(const char *type)
{
    size_t length = strcspn(type, "; ");

    if (length == 0)
        return true;
    if (length == 16 && strncasecmp(type, "application/json", 16) == 0)
        return true;
    return length > 17 && strncasecmp(type, "application/", 12) == 0 &&
           strncasecmp(type + length - 5, "+json", 5) == 0;
}

static bool is_web_page(const char *type, struct slice body)
{
    return strcasestr(type, "html") != NULL || (body.length > 0 && body.bytes[0] == '<');
}

enum answer_form answer_parse(struct arena *arena, struct slice body, const char *type,
                              struct value *root_out)
{
    struct err ignored = {0};
    struct value root;

    if (type == NULL)
        type = "";
    body = answer_trimmed(body);
    if (body.length == 0)
        return ANSWER_EMPTY;
    if (is_json_type(type) &&
        json_parse(arena, body.bytes, body.length, &root, &ignored) == ERR_OK &&
        answer_is_map(&root)) {
        *root_out = root;
        return ANSWER_OBJECT;
    }
    return is_web_page(type, body) ? ANSWER_WEB_PAGE : ANSWER_UNREADABLE;
}

struct slice answer_text_member(const struct value *map, const char *name)
{
    struct value member = value_member(map, slice_of(name));

    return member.kind == VALUE_STRING ? member.text : (struct slice){0};
}

bool answer_is_map(const struct value *value)
{
    return value->kind == VALUE_MAP;
}

/* --- times --- */

/* A number of `count` digits at `text`, which has them. */
static int number_at(const char *text, int count)
{
    int number = 0;

    for (int i = 0; i < count; i++)
        number = number * 10 + (text[i] - '0');
    return number;
}

int64_t answer_time_ms(struct slice text)
{
    static const char form[] = "0000-00-00T00:00:00";
    struct calendar_date date;
    const char *at = text.bytes;
    size_t end = sizeof form - 1;
    int hour, minute, second;

    if (text.length <= end)
        return 0;
    for (size_t i = 0; i < end; i++) {
        if (form[i] == '0' ? at[i] < '0' || at[i] > '9' : at[i] != form[i])
            return 0;
    }
    if (at[end] == '.') {
        do
            end++;
        while (end < text.length && at[end] >= '0' && at[end] <= '9');
    }
    if (end + 1 != text.length || at[end] != 'Z')
        return 0;
    date = (struct calendar_date){
        .year = number_at(at, 4), .month = number_at(at + 5, 2), .day = number_at(at + 8, 2)};
    hour = number_at(at + 11, 2);
    minute = number_at(at + 14, 2);
    second = number_at(at + 17, 2);
    if (date.year < 1970 || !calendar_is_valid(date) || hour > 23 || minute > 59 || second > 60)
        return 0;
    return ((calendar_to_days(date) * 24 + hour) * 60 + minute) * 60000 + (int64_t)second * 1000;
}

/* --- errors --- */

static enum answer_error_kind kind_of(struct slice error_code)
{
    static const struct {
        const char *code;
        enum answer_error_kind kind;
    } known[] = {
        {"INVALID_CREDENTIALS", ANSWER_ERROR_BAD_CREDENTIALS},
        {"PRODUCT_NOT_ALLOWED", ANSWER_ERROR_NOT_ALLOWED},
        {"NEEDS_UPDATE", ANSWER_ERROR_NEEDS_UPDATE},
        {"CONNECTION_DISABLED", ANSWER_ERROR_DISABLED},
        {"PRODUCT_NOT_READY", ANSWER_ERROR_NOT_READY},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slice_is(error_code, known[i].code))
            return known[i].kind;
    }
    return ANSWER_ERROR_OTHER;
}

/* No document names the code of a version that is refused, and `VERSION` alone could be of an
 * entity; so the word for "not this one" and the word for whose version it is must be there too. */
static bool is_about_version(struct slice code)
{
    static const char *const firsts[] = {"INVALID_", "UNSUPPORTED_", "MISSING_",
                                         "UNKNOWN_", "DEPRECATED_",  "EXPIRED_"};
    static const char *const rests[] = {"VERSION", "API_VERSION", "RUTTER_VERSION",
                                        "X_RUTTER_VERSION", "VERSION_HEADER"};

    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        size_t length = strlen(firsts[i]);
        struct slice rest;

        if (code.length <= length || memcmp(code.bytes, firsts[i], length) != 0)
            continue;
        rest = (struct slice){code.bytes + length, code.length - length};
        for (size_t j = 0; j < sizeof rests / sizeof rests[0]; j++) {
            if (slice_is(rest, rests[j]))
                return true;
        }
    }
    return false;
}

/* {"source":"rutter"|"platform","human_readable":…,"platform":{…}}; called experimental. */
static void read_metadata(const struct value *root, struct answer_error *error)
{
    struct value metadata = value_member(root, SLICE("error_metadata"));
    struct slice explanation = answer_text_member(&metadata, "human_readable");

    if (!slice_equal(explanation, error->message))
        error->explanation = explanation;
    error->platform = value_member(&metadata, SLICE("platform"));
    /* A platform's versions are not ours. */
    if (error->kind == ANSWER_ERROR_OTHER && is_about_version(error->code) &&
        !slice_is(answer_text_member(&metadata, "source"), "platform"))
        error->kind = ANSWER_ERROR_BAD_VERSION;
}

/* {"errors":[{"code":…,"slug":…,"description":…,"source":…}]}, an older form. */
static bool read_error_list(const struct value *root, struct answer_error *error)
{
    struct value list = value_member(root, SLICE("errors"));
    const struct value *first;
    struct value code;

    if (list.kind != VALUE_LIST || list.list.count == 0 || !answer_is_map(&list.list.items[0]))
        return false;
    first = &list.list.items[0];
    code = value_member(first, SLICE("code"));
    error->type = answer_text_member(first, "source");
    error->code = answer_text_member(first, "slug");
    if (error->code.length == 0 && (code.kind == VALUE_NUMBER || code.kind == VALUE_STRING))
        error->code = code.text;
    error->message = answer_text_member(first, "description");
    return true;
}

bool answer_read_error(const struct value *root, struct answer_error *error_out)
{
    bool found;

    *error_out = (struct answer_error){0};
    if (!answer_is_map(root))
        return false;
    error_out->type = answer_text_member(root, "error_type");
    error_out->code = answer_text_member(root, "error_code");
    error_out->message = answer_text_member(root, "error_message");
    found = error_out->type.length > 0 || error_out->code.length > 0 ||
            read_error_list(root, error_out);
    error_out->kind = kind_of(error_out->code);
    read_metadata(root, error_out);
    return found;
}

/* --- texts --- */

/* Headers of the platform may be among them. */
static bool is_private_name(struct slice name)
{
    static const char *const words[] = {"auth", "cookie", "token", "secret", "key", "password"};
    char copy[64];

    if (name.length >= sizeof copy)
        return true;
    memcpy(copy, name.bytes, name.length);
    copy[name.length] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasestr(copy, words[i]) != NULL)
            return true;
    }
    return false;
}

static void append_members(struct buf *buf, const struct value *map, int depth)
{
    for (size_t i = 0; i < map->map.count; i++) {
        const struct value *member = &map->map.values[i];

        if (is_private_name(map->map.names[i]))
            continue;
        if (answer_is_map(member) && depth < PLATFORM_DEPTH_MAX) {
            append_members(buf, member, depth + 1);
        } else if (member->kind == VALUE_STRING || member->kind == VALUE_NUMBER) {
            buf_append_text(buf, buf->length > 0 ? ", " : "");
            buf_append(buf, map->map.names[i].bytes, map->map.names[i].length);
            buf_append_byte(buf, '=');
            buf_append(buf, member->text.bytes, member->text.length);
        }
    }
}

const char *answer_platform_text(struct arena *arena, const struct value *platform)
{
    const char *text;
    struct buf buf;

    if (platform->kind == VALUE_STRING)
        return answer_safe_text(arena, platform->text, PLATFORM_TEXT_BYTES_MAX);
    if (!answer_is_map(platform))
        return "";
    buf_init(&buf, TEXT_LOOKED_AT_MAX);
    append_members(&buf, platform, 0);
    text = answer_safe_text(arena, (struct slice){buf_text(&buf), buf.length},
                            PLATFORM_TEXT_BYTES_MAX);
    buf_deinit(&buf);
    return text;
}

const char *answer_safe_text(struct arena *arena, struct slice text, size_t bytes_max)
{
    /* Far more than is shown, so that a secret that is cut here is not shown either. */
    const size_t looked_at = text.length < TEXT_LOOKED_AT_MAX ? text.length : TEXT_LOOKED_AT_MAX;
    struct buf buf;
    char *copy;

    buf_init(&buf, 4 * (size_t)TEXT_LOOKED_AT_MAX);
    buf_append(&buf, text.bytes, looked_at);
    if (buf.failed == ERR_OK && buf.length > 0) {
        struct buf printable;

        buf_truncate(&buf, log_redact(buf.bytes, buf.length));
        buf_init(&printable, buf.max_bytes);
        text_append_printable(&printable, (struct slice){buf.bytes, buf.length});
        buf_deinit(&buf);
        buf = printable;
    }
    if (buf.length > bytes_max) {
        size_t length = bytes_max;

        while (length > 0 && ((unsigned char)buf.bytes[length] & 0xc0) == 0x80)
            length--;
        buf_truncate(&buf, length);
    }
    copy = buf.length == 0 ? NULL : arena_copy_text(arena, buf.bytes, buf.length);
    buf_deinit(&buf);
    return copy == NULL ? "" : copy;
}
