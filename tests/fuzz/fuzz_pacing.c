/* Pacing by bytes: a rate and a window of a connection, the breaker, the budget of repeats and the
 * plan of polls, over times that only go on. Laws: never more at once than allowed, never more in a
 * span than rate and burst give, a wait has an end, and what grew back is within its bounds. */
#include <string.h>

#include "fuzz.h"
#include "purser/core/backoff.h"
#include "purser/core/breaker.h"
#include "purser/core/pace.h"
#include "purser/core/poll_plan.h"
#include "purser/core/retry_budget.h"
#include "records.h"

enum { RECORD_BYTES = 4, DAY_MS = 24 * 3600 * 1000 };

struct pacing {
    struct pace pace;
    struct window window;
    struct breaker breaker;
    struct retry_budget budget;
    struct poll_plan plan;
    int64_t now_ms;
    /* The model: tokens as a double, which nothing here is. */
    double tokens, drift; /* drift: what whole microseconds give away, at most */
    int64_t filled_ms;
    uint32_t in_use, probes;
    double repeats;
    int64_t repeats_ms;
};

static double most(double a, double b)
{
    return a < b ? b : a;
}

/* A bucket that fills at the present rate; what a change of the rate does with it is of pace. */
static void fill(struct pacing *pacing)
{
    pacing->tokens +=
        (double)(pacing->now_ms - pacing->filled_ms) * (double)pacing->pace.rate_millis / 1000000.0;
    if (pacing->tokens >= pacing->pace.config.burst) {
        pacing->tokens = pacing->pace.config.burst;
        pacing->drift = 0;
    }
    pacing->filled_ms = pacing->now_ms;
}

static void take(struct pacing *pacing)
{
    int64_t ready_ms = pace_ready_at_ms(&pacing->pace, pacing->now_ms);

    fill(pacing);
    if (ready_ms > pacing->now_ms) {
        /* A wait ends: by the pause, or when the bucket has a token again. */
        LAW(pacing->pace.rate_millis != 0 || ready_ms == pacing->pace.paused_until_ms);
        LAW(ready_ms - pacing->now_ms <= (int64_t)DAY_MS * 366);
        return;
    }
    LAW(pacing->now_ms >= pacing->pace.paused_until_ms);
    if (pacing->pace.rate_millis != 0) {
        LAW(pacing->tokens >= 0.99 - pacing->drift);
        pacing->tokens--;
        pacing->drift += pacing->pace.rate_millis / 1000000000.0;
    }
    pace_take(&pacing->pace, pacing->now_ms);
}

static void check_rate(const struct pacing *pacing)
{
    const struct pace *pace = &pacing->pace;

    LAW(pace->config.ceiling_millis == 0 || pace->rate_millis <= pace->config.ceiling_millis ||
        (pace->config.ceiling_millis < 200 && pace->rate_millis <= 200));
    LAW(pace->config.learns || pace->rate_millis == pace->config.start_millis ||
        pace->config.ceiling_millis != 0);
    LAW(pace->refused_share <= 65536);
    LAW(pacing->window.limit >= 1 && pacing->window.limit <= pacing->window.limit_max);
    LAW(pacing->window.in_use == pacing->in_use);
}

/* A rate that changes keeps what was taken as it was, so the model takes the bucket over. */
static void take_over(struct pacing *pacing)
{
    double taken_us = (double)(pacing->pace.full_at_us - pacing->now_ms * 1000);

    if (pacing->pace.rate_millis == 0)
        return;
    pacing->tokens =
        pacing->pace.config.burst - most(0, taken_us) * pacing->pace.rate_millis / 1000000000.0;
    pacing->filled_ms = pacing->now_ms;
    pacing->drift = 0;
}

static void change_rate(struct pacing *pacing, bool grows, uint8_t pause)
{
    uint32_t before = pacing->pace.rate_millis;
    double tokens, drift;

    fill(pacing);
    tokens = pacing->tokens;
    drift = pacing->drift;
    if (grows)
        pace_grow(&pacing->pace, pacing->now_ms);
    else
        pace_throttled(&pacing->pace, pacing->now_ms, pause % 4 == 0 ? -1 : pause * 100);
    LAW(!grows || pacing->pace.rate_millis >= before);
    if (pacing->pace.rate_millis == before)
        return;
    take_over(pacing);
    /* Another rate never lets more go at this moment, but for a microsecond of each. */
    drift += (before + (double)pacing->pace.rate_millis) / 1000000000.0;
    LAW(before == 0 || pacing->tokens <= tokens + drift + 0.02);
}

static void use_window(struct pacing *pacing, uint8_t how)
{
    if (how % 2 == 0 && window_has_room(&pacing->window)) {
        LAW(pacing->in_use < pacing->window.limit_max);
        window_take(&pacing->window);
        pacing->in_use++;
    } else if (pacing->in_use > 0) {
        window_give_back(&pacing->window);
        pacing->in_use--;
        if (how % 8 == 1)
            window_throttled(&pacing->window, pacing->now_ms);
        else
            window_succeeded(&pacing->window);
    }
}

static void answer(struct pacing *pacing, bool trouble, bool is_probe, uint8_t random)
{
    breaker_answered(&pacing->breaker, trouble, is_probe, pacing->now_ms, random * 0x01010101u);
    LAW(trouble || !pacing->breaker.open);
}

/* While it is open at most one probe is on its way, and each has an end or the wait for it. */
static void use_breaker(struct pacing *pacing, uint8_t how, uint8_t random)
{
    int64_t ready_ms = breaker_ready_at_ms(&pacing->breaker, pacing->now_ms);
    bool trouble = how % 4 != 0, is_probe;

    LAW(ready_ms == INT64_MAX ? pacing->probes == 1 : ready_ms <= pacing->now_ms + 61000);
    if (ready_ms <= pacing->now_ms) {
        is_probe = breaker_take(&pacing->breaker, pacing->now_ms);
        LAW(is_probe == pacing->breaker.open && (!is_probe || pacing->probes == 0));
        pacing->probes = is_probe && how >= 128; /* it is on its way */
        if (pacing->probes == 0)
            answer(pacing, trouble, is_probe, random);
    } else if (pacing->probes == 1) {
        pacing->probes = 0;
        answer(pacing, trouble, true, random);
    }
}

static void use_budget(struct pacing *pacing, uint8_t how)
{
    int64_t ready_ms = retry_budget_ready_at_ms(&pacing->budget, pacing->now_ms);
    bool taken;

    if (how % 4 == 0) {
        retry_budget_earn(&pacing->budget);
        pacing->repeats += 0.1;
        return;
    }
    pacing->repeats +=
        (double)(pacing->now_ms - pacing->repeats_ms) * pacing->budget.rate_millis / 1000000.0;
    pacing->repeats_ms = pacing->now_ms;
    if (pacing->repeats > 32.1)
        pacing->repeats = 32.1;
    taken = retry_budget_take(&pacing->budget, pacing->now_ms);
    LAW(taken == (ready_ms <= pacing->now_ms));
    LAW(ready_ms - pacing->now_ms <= 1000);
    pacing->repeats -= taken;
    LAW(pacing->repeats > -0.2);
}

static void use_plan(struct pacing *pacing, uint8_t how, int64_t age_ms)
{
    int64_t delay_ms;

    if (how % 2 == 0) {
        poll_plan_learn(&pacing->plan, how % 3 == 0 ? 0 : age_ms / 2, age_ms);
        return;
    }
    delay_ms = poll_plan_delay_ms(&pacing->plan, age_ms, how / 16u, how % 4 == 1);
    LAW(delay_ms >= 20 && delay_ms <= 30000);
}

static void begin(struct pacing *pacing, const uint8_t *form)
{
    static const uint32_t rates[] = {0, 200, 1000, 1500, 10000, 33333, 500000, 1000000};
    struct pace_config config = {.learns = (form[0] & 1) != 0,
                                 .start_millis = rates[form[0] >> 1 & 7],
                                 .ceiling_millis = (form[0] & 16) != 0 ? rates[form[0] >> 5] : 0,
                                 .burst = 1u + form[1] % 20};

    memset(pacing, 0, sizeof *pacing);
    pacing->now_ms = 1000 + form[2] * (int64_t)DAY_MS;
    pace_init(&pacing->pace, &config, pacing->now_ms);
    window_init(&pacing->window, 1u + form[3] % 12);
    breaker_init(&pacing->breaker);
    retry_budget_init(&pacing->budget, config.start_millis, pacing->now_ms);
    pacing->tokens = config.burst;
    pacing->filled_ms = pacing->repeats_ms = pacing->now_ms;
    pacing->repeats = 32;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size_max, unsigned seed)
{
    return records_mutate(bytes, length, size_max, RECORD_BYTES, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const int64_t units[] = {0, 1, 37, 1000, 60000, DAY_MS};
    struct pacing pacing;

    if (length < RECORD_BYTES)
        return 0;
    begin(&pacing, bytes);
    for (size_t at = RECORD_BYTES; at + RECORD_BYTES <= length; at += RECORD_BYTES) {
        const uint8_t *record = bytes + at;

        pacing.now_ms += units[record[1] % 6] * (record[1] / 6);
        switch (record[0] % 8) {
        case 0:
        case 1:
            take(&pacing);
            break;
        case 2:
        case 3:
            change_rate(&pacing, record[0] % 8 == 2, record[2]);
            break;
        case 4:
            use_window(&pacing, record[2]);
            break;
        case 5:
            use_breaker(&pacing, record[2], record[3]);
            break;
        case 6:
            use_budget(&pacing, record[2]);
            break;
        default:
            use_plan(&pacing, record[2], record[3] * units[record[2] % 6]);
        }
        check_rate(&pacing);
    }
    return 0;
}
