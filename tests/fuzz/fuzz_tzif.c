/* A time zone file is refused, or its spans have no gaps and slots in it go on. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/tzif.h"

static void check_spans(const struct zone *zone, int64_t from)
{
    struct zone_span span = zone->span(zone, from);

    for (int i = 0; i < 8 && span.end_s < INT64_MAX / 4; i++) {
        int64_t end_s = span.end_s;

        LAW(span.begin_s <= from && from < end_s);
        LAW(span.offset_s >= -ZONE_OFFSET_MAX_S && span.offset_s <= ZONE_OFFSET_MAX_S);
        span = zone->span(zone, end_s);
        LAW(span.begin_s <= end_s && end_s < span.end_s);
        from = end_s;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct zone *zone;
    struct cron_error error;
    struct cron cron;
    struct arena arena;
    struct err err = {0};

    if (length > 65536)
        return 0;
    arena_init(&arena, 8u * 1024 * 1024);
    if (tzif_load(&arena, (const char *)bytes, length, &zone, &err) != ERR_OK) {
        LAW(err.text[0] != '\0');
    } else if (cron_parse(SLICE("30 2 * * *"), &cron, &error)) {
        int64_t at = 1711584000; /* 2024-03-28 */

        check_spans(zone, at);
        check_spans(zone, 4000000000);
        for (int i = 0; i < 4; i++) {
            struct schedule_slot slot = schedule_next(&cron, zone, at);

            LAW(slot.due_s > at);
            at = slot.due_s;
        }
    }
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
