/* The rule at the end of a time zone file, in the words of the variable TZ:
 * CET-1CEST,M3.5.0,M10.5.0/3 */
#ifndef PURSER_CODEC_TZIF_RULE_H
#define PURSER_CODEC_TZIF_RULE_H

#include "purser/base/text.h"
#include "purser/core/schedule.h"

enum tzif_day_kind { TZIF_JULIAN, TZIF_ZERO_BASED, TZIF_MONTH_WEEK_DAY };

struct tzif_date {
    enum tzif_day_kind kind;
    int month, week, day; /* MONTH_WEEK_DAY; else the day of the year */
    int32_t time_s;       /* of the clocks until then, from midnight; −167 h to 167 h */
};

struct tzif_rule {
    int32_t standard_s, summer_s; /* east of UTC */
    bool has_summer;
    struct tzif_date start, end; /* of summer */
};

/* False when the text is no rule. */
bool tzif_rule_parse(struct slice text, struct tzif_rule *rule_out);

/* The span that `unix_s` is in. */
struct zone_span tzif_rule_span(const struct tzif_rule *rule, int64_t unix_s);

#endif
