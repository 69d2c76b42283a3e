#include "purser/core/pace.h"

#include <assert.h>

enum {
    SECOND_MS = 1000,
    LEARNED_MIN_MILLIS = 200, /* one request in five seconds */
    GROWTH_SHARE = 50,
    SHARE_ONE = 65536, /* the whole */
    SHARE_MEMORY = 32, /* requests */
    SHARE_TO_LOWER = SHARE_ONE / 10,
};

static int64_t interval_us(const struct pace *pace)
{
    return 1000000000 / (int64_t)pace->rate_millis;
}

static uint32_t capped(const struct pace *pace, uint64_t rate_millis)
{
    uint32_t ceiling = pace->config.ceiling_millis;

    if (ceiling != 0 && rate_millis > ceiling)
        return ceiling;
    return rate_millis > 1000000000 ? 1000000000 : (uint32_t)rate_millis;
}

void pace_init(struct pace *pace, const struct pace_config *config, int64_t now_ms)
{
    assert(config->burst >= 1);
    *pace = (struct pace){.config = *config, .changed_ms = now_ms, .second_start_ms = now_ms};
    pace->rate_millis = capped(pace, config->start_millis);
}

void pace_recall(struct pace *pace, uint32_t rate_millis)
{
    if (!pace->config.learns || rate_millis == 0)
        return;
    pace->rate_millis = capped(pace, rate_millis);
    pace->throttled_once = true;
}

int64_t pace_ready_at_ms(const struct pace *pace, int64_t now_ms)
{
    int64_t earliest_ms = now_ms;

    if (pace->rate_millis != 0) {
        int64_t earliest_us =
            pace->full_at_us - ((int64_t)pace->config.burst - 1) * interval_us(pace);

        /* Rounded up: a wait that ends early would only wake for nothing. */
        if ((earliest_us + 999) / 1000 > earliest_ms)
            earliest_ms = (earliest_us + 999) / 1000;
    }
    return pace->paused_until_ms > earliest_ms ? pace->paused_until_ms : earliest_ms;
}

void pace_take(struct pace *pace, int64_t now_ms)
{
    assert(pace_ready_at_ms(pace, now_ms) <= now_ms);
    if (now_ms - pace->second_start_ms >= SECOND_MS) {
        int64_t span_ms = now_ms - pace->second_start_ms;

        pace->observed_millis =
            (uint32_t)((uint64_t)pace->second_count * 1000000 / (uint64_t)span_ms);
        pace->second_start_ms = now_ms;
        pace->second_count = 0;
    }
    pace->second_count++;
    pace->refused_share -= pace->refused_share / SHARE_MEMORY;
    if (pace->rate_millis == 0)
        return;
    if (pace->full_at_us < now_ms * 1000)
        pace->full_at_us = now_ms * 1000;
    pace->full_at_us += interval_us(pace);
}

/* What went out a second, by the fuller of the last two. */
static uint64_t sent_millis(const struct pace *pace)
{
    uint64_t now_millis = (uint64_t)pace->second_count * 1000;
    uint64_t sent = pace->observed_millis > now_millis ? pace->observed_millis : now_millis;

    return pace->rate_millis != 0 && sent > pace->rate_millis ? pace->rate_millis : sent;
}

/* What has been taken stays taken: it fills up again at the new rate. Without this a lower rate,
 * whose bursts last longer, would let one more go at once. */
static void set_rate(struct pace *pace, uint64_t rate_millis, int64_t now_ms)
{
    uint32_t before_millis = pace->rate_millis;
    int64_t taken_us = pace->full_at_us - now_ms * 1000;

    pace->rate_millis = capped(pace, rate_millis);
    pace->changed_ms = now_ms;
    if (taken_us > 0)
        pace->full_at_us =
            now_ms * 1000 + (int64_t)((__int128)taken_us * before_millis / pace->rate_millis);
}

void pace_throttled(struct pace *pace, int64_t now_ms, int64_t pause_ms)
{
    uint64_t lowered;

    if (pause_ms > 0 && now_ms + pause_ms > pace->paused_until_ms)
        pace->paused_until_ms = now_ms + pause_ms;
    pace->refused_share += (SHARE_ONE - pace->refused_share) / SHARE_MEMORY;
    if (!pace->config.learns || pace->refused_share < SHARE_TO_LOWER ||
        (pace->throttled_once && now_ms - pace->changed_ms < SECOND_MS))
        return;
    lowered = sent_millis(pace) * (SHARE_ONE - pace->refused_share) / SHARE_ONE * 9 / 10;
    if (lowered < LEARNED_MIN_MILLIS)
        lowered = LEARNED_MIN_MILLIS;
    set_rate(pace, lowered, now_ms);
    pace->throttled_once = true;
}

void pace_grow(struct pace *pace, int64_t now_ms)
{
    uint64_t grown;

    if (!pace->config.learns || pace->rate_millis == 0 || now_ms < pace->paused_until_ms ||
        now_ms - pace->changed_ms < SECOND_MS)
        return;
    if (pace->throttled_once)
        grown = (uint64_t)pace->rate_millis + pace->rate_millis / GROWTH_SHARE + 100;
    else
        grown = (uint64_t)pace->rate_millis * 2;
    set_rate(pace, grown, now_ms);
}

void window_init(struct window *window, uint32_t limit_max)
{
    assert(limit_max >= 1);
    *window = (struct window){.limit = limit_max, .limit_max = limit_max};
}

void window_recall(struct window *window, uint32_t limit)
{
    if (limit >= 1 && limit < window->limit_max)
        window->limit = limit;
}

bool window_has_room(const struct window *window)
{
    return window->in_use < window->limit;
}

void window_take(struct window *window)
{
    assert(window_has_room(window));
    window->in_use++;
}

void window_give_back(struct window *window)
{
    assert(window->in_use > 0);
    window->in_use--;
}

void window_succeeded(struct window *window)
{
    if (window->limit >= window->limit_max)
        return;
    if (++window->clean_count >= window->limit) {
        window->limit++;
        window->clean_count = 0;
    }
}

void window_throttled(struct window *window, int64_t now_ms)
{
    window->clean_count = 0;
    if (window->lowered_ms != 0 && now_ms - window->lowered_ms < SECOND_MS)
        return;
    window->lowered_ms = now_ms;
    window->limit = window->limit > 1 ? window->limit / 2 : 1;
}
