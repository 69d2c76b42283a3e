#include "purser/core/estimate.h"

static int64_t at_most(uint64_t duration_ms)
{
    return duration_ms > (uint64_t)ESTIMATE_MAX_MS ? ESTIMATE_MAX_MS : (int64_t)duration_ms;
}

static int64_t by_rate_ms(uint64_t count, uint32_t rate_millis)
{
    if (rate_millis == 0)
        return 0;
    if (count > UINT64_MAX / 1000000)
        return ESTIMATE_MAX_MS;
    return at_most(count * 1000000 / rate_millis);
}

static int64_t by_places_ms(uint64_t count, uint32_t places, uint32_t exchange_ms)
{
    uint64_t rounds = places == 0 ? 0 : (count - 1) / places + 1;

    if (count == 0 || exchange_ms == 0)
        return 0;
    return rounds > (uint64_t)ESTIMATE_MAX_MS / exchange_ms ? ESTIMATE_MAX_MS
                                                            : at_most(rounds * exchange_ms);
}

static void take_longer(struct estimate *estimate, int64_t duration_ms, enum estimate_bound bound,
                        size_t lane)
{
    if (duration_ms <= estimate->duration_ms)
        return;
    *estimate = (struct estimate){.duration_ms = duration_ms, .bound = bound, .lane = lane};
}

struct estimate estimate_duration(const struct estimate_load *load)
{
    struct estimate estimate = {.bound = ESTIMATE_NOTHING};
    uint64_t all = load->polls > UINT64_MAX - load->sends ? UINT64_MAX : load->sends + load->polls;

    take_longer(&estimate, by_rate_ms(all, load->rate_millis), ESTIMATE_ALL_RATE, 0);
    for (size_t i = 0; i < load->lane_count; i++) {
        const struct estimate_lane *lane = &load->lanes[i];

        take_longer(&estimate, by_rate_ms(lane->sends, lane->rate_millis), ESTIMATE_LANE_RATE, i);
        take_longer(&estimate, by_places_ms(lane->sends, lane->in_flight, load->exchange_ms),
                    ESTIMATE_LANE_IN_FLIGHT, i);
    }
    take_longer(&estimate, by_places_ms(all, load->in_flight, load->exchange_ms),
                ESTIMATE_ALL_IN_FLIGHT, 0);
    return estimate;
}
