#include "purser/codec/tzif.h"

#include <string.h>

#include "tzif_rule.h"

enum {
    HEADER_BYTES = 44,
    TYPE_BYTES = 6,
    TRANSITIONS_MAX = 65536,
    TYPES_MAX = 256,
    RULE_BYTES_MAX = 256
};

struct tzif_zone {
    struct zone zone; /* the first member: what it is known by */
    const int64_t *transitions;
    const int32_t *offsets; /* from each transition on */
    size_t count;
    int32_t first_offset; /* before the first transition */
    bool has_rule;
    struct tzif_rule rule; /* from the last transition on */
};

/* Counts of the header, in its order. */
struct counts {
    uint32_t is_utc, is_standard, leaps, transitions, types, characters;
};

static uint32_t load_u32(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;

    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t load_time(const char *bytes, size_t size)
{
    if (size == 4)
        return (int32_t)load_u32(bytes);
    return (int64_t)((uint64_t)load_u32(bytes) << 32 | load_u32(bytes + 4));
}

static enum err_code damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "this is no time zone file that can be read: %s", what);
}

static bool read_header(struct slice bytes, struct counts *counts, char *version_out)
{
    uint32_t numbers[6];

    if (bytes.length < HEADER_BYTES || memcmp(bytes.bytes, "TZif", 4) != 0)
        return false;
    *version_out = bytes.bytes[4];
    for (int i = 0; i < 6; i++)
        numbers[i] = load_u32(bytes.bytes + 20 + 4 * i);
    *counts =
        (struct counts){numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    return counts->transitions <= TRANSITIONS_MAX && counts->types >= 1 &&
           counts->types <= TYPES_MAX && counts->is_utc <= TYPES_MAX &&
           counts->is_standard <= TYPES_MAX && counts->leaps <= TRANSITIONS_MAX &&
           counts->characters <= TRANSITIONS_MAX;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
    return counts->transitions * (time_bytes + 1) + counts->types * (size_t)TYPE_BYTES +
           counts->characters + counts->leaps * (time_bytes + 4) + counts->is_standard +
           counts->is_utc;
}

static bool read_block(struct arena *arena, const char *bytes, const struct counts *counts,
                       size_t time_bytes, struct tzif_zone *zone, struct err *err)
{
    const char *kinds = bytes + counts->transitions * time_bytes;
    const char *types = kinds + counts->transitions;
    int64_t *transitions = arena_new(arena, counts->transitions + 1, sizeof *transitions);
    int32_t *offsets = arena_new(arena, counts->transitions + 1, sizeof *offsets);

    if (transitions == NULL || offsets == NULL) {
        err_set(err, ERR_NO_MEMORY, "no memory for a time zone");
        return false;
    }
    for (size_t i = 0; i < counts->types; i++) {
        int32_t offset = (int32_t)load_u32(types + i * TYPE_BYTES);

        if (offset < -ZONE_OFFSET_MAX_S || offset > ZONE_OFFSET_MAX_S) {
            damaged(err, "an offset from UTC is too large");
            return false;
        }
    }
    zone->first_offset = (int32_t)load_u32(types);
    for (size_t i = 0; i < counts->transitions; i++) {
        unsigned char kind = (unsigned char)kinds[i];

        transitions[i] = load_time(bytes + i * time_bytes, time_bytes);
        if (kind >= counts->types || (i > 0 && transitions[i] <= transitions[i - 1])) {
            damaged(err, "its changes are out of order");
            return false;
        }
        offsets[i] = (int32_t)load_u32(types + (size_t)kind * TYPE_BYTES);
    }
    zone->transitions = transitions;
    zone->offsets = offsets;
    zone->count = counts->transitions;
    return true;
}

/* The rule stands between two line ends; empty = none. */
static bool read_rule(struct slice rest, struct tzif_zone *zone)
{
    const char *end = rest.length > 1 ? memchr(rest.bytes + 1, '\n', rest.length - 1) : NULL;
    struct slice text;

    if (end == NULL || rest.bytes[0] != '\n' || end - rest.bytes > RULE_BYTES_MAX)
        return false;
    text = (struct slice){rest.bytes + 1, (size_t)(end - rest.bytes) - 1};
    zone->has_rule = text.length > 0;
    return !zone->has_rule || tzif_rule_parse(text, &zone->rule);
}

static struct zone_span span_of(const struct zone *self, int64_t unix_s)
{
    const struct tzif_zone *zone = (const struct tzif_zone *)self;
    size_t low = 0, high = zone->count; /* transitions before `low` have been, from `high` not */
    struct zone_span span;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->transitions[middle] <= unix_s)
            low = middle + 1;
        else
            high = middle;
    }
    span = (struct zone_span){INT64_MIN, INT64_MAX, zone->first_offset};
    if (low > 0)
        span = (struct zone_span){zone->transitions[low - 1], INT64_MAX, zone->offsets[low - 1]};
    if (low < zone->count)
        span.end_s = zone->transitions[low];
    else if (zone->has_rule) {
        struct zone_span ruled = tzif_rule_span(&zone->rule, unix_s);

        ruled.begin_s = ruled.begin_s > span.begin_s ? ruled.begin_s : span.begin_s;
        span = ruled;
    }
    return span;
}

enum err_code tzif_load(struct arena *arena, const char *bytes, size_t length,
                        const struct zone **zone_out, struct err *err)
{
    struct slice rest = {bytes, length};
    struct tzif_zone *zone = arena_new(arena, 1, sizeof *zone);
    struct counts counts;
    size_t time_bytes = 4, size;
    char version;

    if (zone == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a time zone");
    if (!read_header(rest, &counts, &version) || block_bytes(&counts, 4) > length - HEADER_BYTES)
        return damaged(err, "its header is wrong");
    if (version >= '2') {
        size = HEADER_BYTES + block_bytes(&counts, 4);
        rest = (struct slice){bytes + size, length - size};
        time_bytes = 8;
        if (!read_header(rest, &counts, &version) ||
            block_bytes(&counts, 8) > rest.length - HEADER_BYTES)
            return damaged(err, "its second header is wrong");
    }
    if (counts.leaps > 0)
        return err_set(err, ERR_INPUT, "it counts leap seconds; zones of \"right\" are not used");
    *zone = (struct tzif_zone){.zone = {span_of}};
    if (!read_block(arena, rest.bytes + HEADER_BYTES, &counts, time_bytes, zone, err))
        return err->code;
    size = HEADER_BYTES + block_bytes(&counts, time_bytes);
    if (time_bytes == 8 && !read_rule((struct slice){rest.bytes + size, rest.length - size}, zone))
        return damaged(err, "the rule at its end is wrong");
    *zone_out = &zone->zone;
    return ERR_OK;
}
