/* The table of filters. */
#include "filter.h"

static const struct filter filters[] = {
    {"trim", TAKES_TEXT, 0, 0, "… | trim", filter_trim, NULL},
    {"lower", TAKES_TEXT, 0, 0, "… | lower", filter_lower, NULL},
    {"upper", TAKES_TEXT, 0, 0, "… | upper", filter_upper, NULL},
    {"replace", TAKES_TEXT, 2, 2, "… | replace(\"old\", \"new\")", filter_replace,
     filter_check_replace},
    {"truncate", TAKES_TEXT, 1, 1, "… | truncate(80)", filter_truncate, filter_check_truncate},
    {"pad", TAKES_TEXT, 2, 2, "… | pad(8, \"0\")", filter_pad, filter_check_pad},
    {"slug", TAKES_TEXT, 0, 0, "… | slug", filter_slug, NULL},
    {"starts_with", TAKES_TEXT, 1, 1, "… | starts_with(\"A-\")", filter_starts_with, NULL},
    {"ends_with", TAKES_TEXT, 1, 1, "… | ends_with(\"-7\")", filter_ends_with, NULL},
    {"contains", TAKES_VALUE, 1, 1, "… | contains(\"red\")", filter_contains, NULL},
    {"split", TAKES_TEXT, 1, 1, "… | split(\",\")", filter_split, filter_check_split},
    {"json", TAKES_VALUE, 0, 0, "… | json", filter_json, NULL},
    {"base64", TAKES_TEXT, 0, 0, "… | base64", filter_base64, NULL},
    {"sha256", TAKES_TEXT, 0, 0, "… | sha256", filter_sha256, NULL},
    {"string", TAKES_VALUE, 0, 0, "… | string", filter_string, NULL},
    {"number", TAKES_VALUE, 0, 0, "… | number", filter_number, NULL},
    {"integer", TAKES_VALUE, 0, 0, "… | integer", filter_integer, NULL},
    {"boolean", TAKES_VALUE, 0, 0, "… | boolean", filter_boolean, NULL},
    {"default", TAKES_ANY, 1, 1, "… | default(\"EUR\")", filter_default, NULL},
    {"round", TAKES_NUMBER, 0, 2, "… | round, … | round(2) or … | round(2, \"half_even\")",
     filter_round, filter_check_round},
    {"abs", TAKES_NUMBER, 0, 0, "… | abs", filter_abs, NULL},
    {"date", TAKES_TEXT, 0, 1, "… | date or … | date(\"%d.%m.%Y\")", filter_date,
     filter_check_reading},
    {"datetime", TAKES_TEXT, 0, 1, "… | datetime or … | datetime(\"%d.%m.%Y %H:%M\")",
     filter_datetime, filter_check_reading},
    {"add_days", TAKES_TEXT, 1, 1, "… | add_days(14)", filter_add_days, filter_check_add_days},
    {"add_months", TAKES_TEXT, 1, 1, "… | add_months(1)", filter_add_months,
     filter_check_add_months},
    {"format_date", TAKES_TEXT, 1, 1, "… | format_date(\"%d.%m.%Y\")", filter_format_date,
     filter_check_writing},
    {"timestamp", TAKES_TEXT, 0, 0, "… | timestamp", filter_timestamp, NULL},
    {"length", TAKES_VALUE, 0, 0, "… | length", filter_length, NULL},
    {"first", TAKES_LIST, 0, 0, "… | first", filter_first, NULL},
    {"last", TAKES_LIST, 0, 0, "… | last", filter_last, NULL},
    {"join", TAKES_LIST, 1, 1, "… | join(\", \")", filter_join, NULL},
    {"map", TAKES_LIST, 1, 2,
     "… | map(\"amount\"), … | map(\"amount\", 0) or … | map(x => x.amount * 2)", filter_map,
     filter_check_map},
    {"where", TAKES_LIST, 1, 1, "… | where(x => x.amount > 0)", filter_where, NULL},
    {"sum", TAKES_LIST, 0, 0, "… | sum", filter_sum, NULL},
    {"min", TAKES_LIST, 0, 0, "… | min", filter_min, NULL},
    {"max", TAKES_LIST, 0, 0, "… | max", filter_max, NULL},
    {"sort", TAKES_LIST, 0, 0, "… | sort", filter_sort, NULL},
    {"unique", TAKES_LIST, 0, 0, "… | unique", filter_unique, NULL},
};

enum { FILTER_COUNT = sizeof filters / sizeof *filters };

_Static_assert((int)FILTER_COUNT <= (int)FILTER_NAMES_MAX, "messages name all filters");

const struct filter *filter_find(struct slice name)
{
    for (size_t i = 0; i < FILTER_COUNT; i++)
        if (slice_is(name, filters[i].name))
            return &filters[i];
    return NULL;
}

size_t filter_names(struct slice *names_out, size_t count)
{
    for (size_t i = 0; i < FILTER_COUNT && i < count; i++)
        names_out[i] = slice_of(filters[i].name);
    return FILTER_COUNT;
}
