/* A schedule is refused with a place inside it, or its next matches are what looking at them says.
 */
#include <string.h>

#include "fuzz.h"
#include "purser/core/schedule.h"

static void check_next(const struct cron *cron, int64_t from)
{
    int64_t next = cron_next(cron, from);

    LAW(next > from && cron_matches(cron, next));
    for (int64_t minute = from + 1; minute < next && minute < from + 500; minute++)
        LAW(!cron_matches(cron, minute));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct slice text = {(const char *)bytes, length};
    struct cron_error error;
    struct cron cron;

    if (!cron_parse(text, &cron, &error)) {
        LAW(error.problem.text[0] != '\0');
        LAW(error.offset <= length && error.length <= length - error.offset);
        return 0;
    }
    check_next(&cron, 0);
    check_next(&cron, 29654000);  /* 2026 */
    check_next(&cron, -29654000); /* 1913 */
    LAW(schedule_next(&cron, &zone_utc, 1795756500).due_s > 1795756500);
    return 0;
}
