#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

enum { HELP_BYTES = 256 };

bool spec_read_text(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                    const char **text_out)
{
    if (node->text.length == 0) {
        spec_error(reader, node->place, "spec.value", "write a value, or leave the key out",
                   "%s is empty", what);
        return false;
    }
    for (size_t i = 0; i < node->text.length; i++) {
        unsigned char byte = (unsigned char)node->text.bytes[i];

        if (byte >= 0x20 && byte != 0x7f)
            continue;
        spec_error(reader, node->place, "spec.value", "write it on one line, without escapes",
                   "%s has a line break or another control character", what);
        return false;
    }
    *text_out = node->text.bytes;
    return true;
}

bool spec_read_count(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                     uint32_t minimum, uint32_t maximum, uint32_t *count_out)
{
    uint64_t count;

    if (!text_to_u64(node->text, &count) || count < minimum || count > maximum) {
        spec_error(reader, node->place, "spec.value", NULL,
                   "%s is %s, must be a whole number from %u to %u", what, node->text.bytes,
                   minimum, maximum);
        return false;
    }
    *count_out = (uint32_t)count;
    return true;
}

/* Spans of time in the words of a spec: 90s, 12h. */
static void describe_duration(int64_t duration_ms, char *text, size_t bytes)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;

    while (duration_ms % units[i].ms != 0)
        i++;
    snprintf(text, bytes, "%lld%s", (long long)(duration_ms / units[i].ms), units[i].unit);
}

bool spec_read_duration(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                        int64_t minimum_ms, int64_t maximum_ms, int64_t *duration_ms_out)
{
    int64_t duration_ms;
    char from[32], to[32];

    if (!text_to_duration_ms(node->text, &duration_ms)) {
        spec_error(reader, node->place, "spec.value", "write 500ms, 2s, 5m, 6h or 7d",
                   "%s is '%s', which is no duration", what, node->text.bytes);
        return false;
    }
    if (duration_ms < minimum_ms || duration_ms > maximum_ms) {
        describe_duration(minimum_ms, from, sizeof from);
        describe_duration(maximum_ms, to, sizeof to);
        spec_error(reader, node->place, "spec.value", NULL, "%s is %s, must be from %s to %s", what,
                   node->text.bytes, from, to);
        return false;
    }
    *duration_ms_out = duration_ms;
    return true;
}

/* Digits with at most three decimals, as thousandths. */
static bool read_thousandths(struct slice text, uint64_t *thousandths_out)
{
    const char *point = memchr(text.bytes, '.', text.length);
    size_t whole = point != NULL ? (size_t)(point - text.bytes) : text.length;
    size_t decimals = point != NULL ? text.length - whole - 1 : 0;
    uint64_t number, fraction = 0;

    if (!text_to_u64((struct slice){text.bytes, whole}, &number) || number > 1000000000)
        return false;
    if (point != NULL && (decimals == 0 || decimals > 3 ||
                          !text_to_u64((struct slice){point + 1, decimals}, &fraction)))
        return false;
    for (size_t i = decimals; i < 3; i++)
        fraction *= 10;
    *thousandths_out = number * 1000 + fraction;
    return true;
}

/* "s", "10s", "m", "h" → milliseconds. */
static bool read_interval(struct slice text, int64_t *interval_ms_out)
{
    char with_number[16];
    int length;

    if (text.length == 0 || text.length > 8)
        return false;
    if (text.bytes[0] >= '0' && text.bytes[0] <= '9')
        return text_to_duration_ms(text, interval_ms_out) && *interval_ms_out > 0;
    length = snprintf(with_number, sizeof with_number, "1%.*s", (int)text.length, text.bytes);
    return text_to_duration_ms((struct slice){with_number, (size_t)length}, interval_ms_out);
}

/* 1/10s and slower is a rate too; what is slower than one in 1000 s is not kept apart from zero. */
static bool read_fixed_rate(struct slice text, struct rate *rate_out)
{
    const char *slash = memchr(text.bytes, '/', text.length);
    size_t before = slash != NULL ? (size_t)(slash - text.bytes) : 0;
    uint64_t thousandths, millis;
    int64_t interval_ms;

    if (slash == NULL || !read_thousandths((struct slice){text.bytes, before}, &thousandths) ||
        !read_interval((struct slice){slash + 1, text.length - before - 1}, &interval_ms))
        return false;
    millis = thousandths * 1000 / (uint64_t)interval_ms;
    if (millis < 1 || millis > 1000000000)
        return false;
    /* A tenth of a second's worth at once: paced, so that a short window is not overrun. */
    *rate_out = (struct rate){.kind = RATE_FIXED,
                              .millis_per_second = (uint32_t)millis,
                              .burst = millis >= 20000 ? (uint32_t)(millis / 10000) : 1};
    return true;
}

bool spec_read_rate(struct spec_reader *reader, const struct yaml_node *node, struct rate *rate_out)
{
    if (slice_is(node->text, "auto")) {
        *rate_out = (struct rate){.kind = RATE_AUTO, .burst = 1};
    } else if (slice_is(node->text, "unlimited")) {
        *rate_out = (struct rate){.kind = RATE_UNLIMITED, .burst = 1};
    } else if (!read_fixed_rate(node->text, rate_out)) {
        spec_error(reader, node->place, "spec.value",
                   "write auto, unlimited, 5/s, 300/m, 5000/h or 500/10s", "'%s' is no rate",
                   node->text.bytes);
        return false;
    }
    return true;
}

bool spec_read_max_failures(struct spec_reader *reader, const struct yaml_node *node,
                            struct max_failures *max_out)
{
    struct max_failures max = {.set = true};
    uint64_t thousandths;

    if (node->kind == YAML_INTEGER) {
        if (!spec_read_count(reader, node, "max_failures", 0, UINT32_MAX, &max.count))
            return false;
        *max_out = max;
        return true;
    }
    max.is_share = true;
    if (node->text.length < 2 || node->text.bytes[node->text.length - 1] != '%' ||
        !read_thousandths((struct slice){node->text.bytes, node->text.length - 1}, &thousandths) ||
        thousandths > 100000) {
        spec_error(reader, node->place, "spec.value", "write a count (50) or a share (5%)",
                   "max_failures is '%s'", node->text.bytes);
        return false;
    }
    max.share_millionth = (uint32_t)thousandths * 10;
    *max_out = max;
    return true;
}

bool spec_read_word(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                    const char *const *words, size_t word_count, unsigned *index_out)
{
    char list[HELP_BYTES];
    size_t length = 0;

    for (size_t i = 0; i < word_count; i++)
        if (slice_is(node->text, words[i])) {
            *index_out = (unsigned)i;
            return true;
        }
    for (size_t i = 0; i < word_count && length < sizeof list; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i > 0 ? ", " : "",
                                   words[i]);
    spec_error(reader, node->place, "spec.value", NULL, "%s is '%s', must be one of: %s", what,
               node->text.bytes, list);
    return false;
}
