#include "limit.h"

#include <string.h>

bool limit_rule_from_text(struct slice text, struct limit_rule *rule_out)
{
    const char *slash;
    struct slice window;
    uint64_t count, seconds = 1;

    if (slice_equal(text, SLICE("unlimited"))) {
        *rule_out = (struct limit_rule){0, 0};
        return true;
    }
    slash = text.length == 0 ? NULL : memchr(text.bytes, '/', text.length);
    if (slash == NULL || text.bytes[text.length - 1] != 's')
        return false;
    window = (struct slice){slash + 1, (size_t)(text.bytes + text.length - slash) - 2};
    if (!slice_to_number((struct slice){text.bytes, (size_t)(slash - text.bytes)}, LIMIT_COUNT_MAX,
                         &count) ||
        count == 0)
        return false;
    if (window.length > 0 && (!slice_to_number(window, 86400, &seconds) || seconds == 0))
        return false;
    *rule_out = (struct limit_rule){(uint32_t)count, (int64_t)seconds * 1000};
    return true;
}

int64_t limit_take(struct limit *limit, struct limit_rule rule, int64_t now_ms)
{
    if (rule.count == 0)
        return 0;
    if (limit->allowed_at == NULL)
        limit->allowed_at = memory_new(rule.count * sizeof *limit->allowed_at);
    if (limit->used == rule.count) {
        int64_t free_at = limit->allowed_at[limit->next] + rule.window_ms;

        if (free_at > now_ms)
            return free_at - now_ms;
    } else {
        limit->used++;
    }
    limit->allowed_at[limit->next] = now_ms;
    limit->next = (limit->next + 1) % rule.count;
    return 0;
}
