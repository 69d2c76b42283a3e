#include "purser/core/key_age.h"

enum {
    CLOCK_TOLERANCE_MS = 5 * 60 * 1000,
    TRANSIT_MS = 15 * 60 * 1000,
    CLOCK_NOISE_MS = 2000, /* Date has whole seconds, and an answer is on its way for a while */
};

/* What an earlier process stamped may be by a host clock that was wrong, so the older of two ages
 * counts, and of an intent of the future nothing is known. */
int64_t key_age_ms(const struct item *item, bool stamped_by_server, const struct key_clock *clock)
{
    int64_t by_server_ms = clock->server_ms - item->intent_ms;
    int64_t by_wall_ms = clock->wall_ms - item->intent_ms;
    int64_t by_boot_ms = clock->boot_ms - item->intent_boot_ms;

    if (stamped_by_server)
        return by_server_ms;
    /* Nobody sets the boot clock, and it goes on while the machine sleeps. */
    if (item->intent_boot != 0 && item->intent_boot == clock->boot)
        return by_boot_ms > by_server_ms ? by_boot_ms : by_server_ms;
    if (by_server_ms < -CLOCK_TOLERANCE_MS && clock->server_known)
        return INT64_MAX;
    return by_server_ms > by_wall_ms ? by_server_ms : by_wall_ms;
}

bool key_age_correct_intent(struct item *item, const struct key_clock *clock)
{
    int64_t intent_ms = clock->server_ms - (clock->boot_ms - item->intent_boot_ms);
    int64_t moved_ms = intent_ms - item->intent_ms;

    item->intent_ms = intent_ms;
    return moved_ms < -CLOCK_NOISE_MS || moved_ms > CLOCK_NOISE_MS;
}

int64_t key_age_repeat_max_ms(int64_t remembered_ms)
{
    const int64_t margin_ms = TRANSIT_MS + CLOCK_TOLERANCE_MS;

    return remembered_ms / 2 > margin_ms ? remembered_ms - margin_ms : remembered_ms / 2;
}

bool key_age_needs_server(const struct item *item, const struct key_clock *clock)
{
    return item->unknown_send && !clock->server_known && !clock->given_up;
}
