/* How fast: requests over time and requests at once, as values that learn from refusals.
 *
 * Pure arithmetic on the caller's clock (milliseconds, never going back). */
#ifndef PURSER_CORE_PACE_H
#define PURSER_CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace_config {
    bool learns;             /* the rate follows refusals; else it is fixed */
    uint32_t start_millis;   /* first rate, thousandths of a request a second; 0 = no limit */
    uint32_t ceiling_millis; /* never faster than this; 0 = no ceiling */
    uint32_t burst;          /* requests that may go at once, ≥ 1 */
};

/* A token bucket, kept as the time at which it will be full again (GCRA).
 * Source: ITU-T I.371, generic cell rate algorithm. */
struct pace {
    struct pace_config config;
    uint32_t rate_millis;     /* now; 0 = no limit */
    bool throttled_once;      /* from then on the rate grows by little steps */
    int64_t full_at_us;       /* theoretical arrival time */
    int64_t paused_until_ms;  /* nothing goes before; 0 = not paused */
    int64_t changed_ms;       /* of the last change of the rate */
    int64_t second_start_ms;  /* of the second being counted */
    uint32_t second_count;    /* requests taken in it */
    uint32_t observed_millis; /* taken in the second before it */
    uint32_t refused_share;   /* of about the last 32 requests, in 65536ths */
};

void pace_init(struct pace *pace, const struct pace_config *config, int64_t now_ms);

/* Goes on with a rate that an earlier run learned. Nothing for a rate that does not learn, or 0. */
void pace_recall(struct pace *pace, uint32_t rate_millis);

/* The earliest time at which one request may go; ≤ now_ms = at once. */
int64_t pace_ready_at_ms(const struct pace *pace, int64_t now_ms);

/* Takes one; pace_ready_at_ms() said that it may go. */
void pace_take(struct pace *pace, int64_t now_ms);

/* The other side refused: pause for `pause_ms` (< 0: none given). When more than a tenth of the
 * last requests were refused, a learning rate goes down to nine tenths of what was accepted, at
 * most once a second; a stray refusal among many answers says nothing about the rate. */
void pace_throttled(struct pace *pace, int64_t now_ms, int64_t pause_ms);

/* Lets a learning rate grow when a second has passed: it doubles until the first refusal, then adds
 * a fiftieth. Call once a turn. */
void pace_grow(struct pace *pace, int64_t now_ms);

/* How many at once: additive increase, multiplicative decrease. */
struct window {
    uint32_t limit, limit_max;
    uint32_t in_use;
    uint32_t clean_count; /* answered without refusal since the limit last changed */
    int64_t lowered_ms;
};

void window_init(struct window *window, uint32_t limit_max);
/* Goes on with a limit that an earlier run learned; 0 = none. */
void window_recall(struct window *window, uint32_t limit);
bool window_has_room(const struct window *window);
void window_take(struct window *window);
void window_give_back(struct window *window);
void window_succeeded(struct window *window);
void window_throttled(struct window *window, int64_t now_ms);

#endif
