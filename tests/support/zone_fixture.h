/* A time zone out of a list of spans; the last one has no end. */
#ifndef PURSER_TESTS_ZONE_FIXTURE_H
#define PURSER_TESTS_ZONE_FIXTURE_H

#include "purser/core/schedule.h"

enum { SPANS_MAX = 8 };

struct fake_zone {
    struct zone zone;
    struct zone_span spans[SPANS_MAX];
};

static inline struct zone_span span_of(const struct zone *self, int64_t unix_s)
{
    const struct fake_zone *zone = (const struct fake_zone *)self;
    int i = 0;

    while (unix_s >= zone->spans[i].end_s)
        i++;
    assert_true(unix_s >= zone->spans[i].begin_s);
    return zone->spans[i];
}

#endif
