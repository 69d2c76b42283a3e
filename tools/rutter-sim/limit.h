/* Requests per interval, counted exactly: a request is allowed when fewer than `count` were
 * allowed in the `window_ms` before it. */
#ifndef RUTTER_SIM_LIMIT_H
#define RUTTER_SIM_LIMIT_H

#include "text.h"

#define LIMIT_COUNT_MAX 1000000

struct limit_rule {
    uint32_t count; /* 0: unlimited */
    int64_t window_ms;
};

/* A rule applied to one stream of requests. Zero-initialised is fresh. */
struct limit {
    int64_t *allowed_at; /* ring of the last `rule.count` allowed requests */
    uint32_t next;
    uint32_t used;
};

/* Reads "500/10s", "50/s" or "unlimited". */
bool limit_rule_from_text(struct slice text, struct limit_rule *rule_out);

/* Takes one request out of the limit: 0 when it is allowed, else milliseconds until one is. */
int64_t limit_take(struct limit *limit, struct limit_rule rule, int64_t now_ms);

#endif
