#include "purser/core/key_age.h"

enum { CLOCK_TOLERANCE_MS = 5 * 60 * 1000 };

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

bool key_age_needs_server(const struct item *item, const struct key_clock *clock)
{
    return item->unknown_send && !clock->server_known && !clock->given_up;
}
