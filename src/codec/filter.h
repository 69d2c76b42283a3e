/* The filters of expressions: value | name(arguments). A table; each filter is one function. */
#ifndef PURSER_CODEC_FILTER_H
#define PURSER_CODEC_FILTER_H

#include "expr_tree.h"

#include "purser/codec/decimal.h"

enum { FILTER_ARGUMENTS_MAX = 2 };

/* One use of a filter while it runs. */
struct filter_call {
    const struct expr *expr;
    const struct environment *environment;
    struct eval_error *error;
    struct value input;
    const struct value *divisor; /* of a quotient, whose dividend `input` is; else NULL */
    struct slice text;           /* the input as text, for filters that take text */
    struct value arguments[FILTER_ARGUMENTS_MAX];
    size_t argument_count;
    struct value *out;
};

/* What a filter works on. Missing values and null pass through all filters but TAKES_ANY. */
enum filter_takes {
    TAKES_TEXT, /* text; numbers, true and false as they are written */
    TAKES_LIST,
    TAKES_NUMBER,
    TAKES_VALUE, /* anything that is there */
    TAKES_ANY,
};

struct filter {
    const char *name;
    enum filter_takes takes;
    size_t arguments_min, arguments_max;
    const char *usage; /* for messages */
    bool (*run)(struct filter_call *call);
    /* Looks at the arguments alone: also called at load time, when all of them are written out.
     * NULL = any will do. */
    bool (*check)(struct filter_call *call);
};

/* The filter called `name`; NULL when there is none. */
const struct filter *filter_find(struct slice name);

/* Fills in the names of up to `count` filters, for messages; gives the number there is. */
enum { FILTER_NAMES_MAX = 48 };
size_t filter_names(struct slice *names_out, size_t count);

/* Runs the filter of an EXPR_FILTER on values that are ready. */
bool filter_run(struct filter_call *call);

/* For filters: fail with a message at the place of the use; give text; get a text or whole number
 * argument (false after a message). */
bool filter_fail(struct filter_call *call, const char *help, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool filter_give_text(struct filter_call *call, const char *bytes, size_t length);
bool filter_argument_text(struct filter_call *call, size_t index, struct slice *text_out);
bool filter_argument_whole(struct filter_call *call, size_t index, int64_t least, int64_t greatest,
                           int64_t *number_out);
/* Memory of the environment; NULL after a message. */
void *filter_memory(struct filter_call *call, size_t count, size_t size);

/* Makes *call->out the list of `count` values. */
bool filter_give_list(struct filter_call *call, const struct value *items, size_t count);
bool filter_give_truth(struct filter_call *call, bool truth);

/* filter_text.c */
bool filter_trim(struct filter_call *call);
bool filter_lower(struct filter_call *call);
bool filter_upper(struct filter_call *call);
bool filter_replace(struct filter_call *call);
bool filter_truncate(struct filter_call *call);
bool filter_slug(struct filter_call *call);
bool filter_starts_with(struct filter_call *call);
bool filter_ends_with(struct filter_call *call);
bool filter_pad(struct filter_call *call);
bool filter_check_pad(struct filter_call *call);
bool filter_check_replace(struct filter_call *call);
bool filter_check_truncate(struct filter_call *call);
bool filter_base64(struct filter_call *call);
bool filter_sha256(struct filter_call *call);
/* filter_list.c */
bool filter_split(struct filter_call *call);
bool filter_check_split(struct filter_call *call);
bool filter_join(struct filter_call *call);
bool filter_length(struct filter_call *call);
bool filter_first(struct filter_call *call);
bool filter_last(struct filter_call *call);
/* filter_entries.c */
bool filter_contains(struct filter_call *call);
bool filter_map(struct filter_call *call);
bool filter_where(struct filter_call *call);
bool filter_check_map(struct filter_call *call);
bool filter_sum(struct filter_call *call);
bool filter_min(struct filter_call *call);
bool filter_max(struct filter_call *call);
bool filter_sort(struct filter_call *call);
bool filter_unique(struct filter_call *call);
/* filter_convert.c */
bool filter_default(struct filter_call *call);
bool filter_number(struct filter_call *call);
bool filter_integer(struct filter_call *call);
bool filter_boolean(struct filter_call *call);
bool filter_string(struct filter_call *call);
bool filter_round(struct filter_call *call);
bool filter_check_round(struct filter_call *call);
bool filter_json(struct filter_call *call);
bool filter_abs(struct filter_call *call);
/* filter_date.c */
bool filter_date(struct filter_call *call);
bool filter_datetime(struct filter_call *call);
bool filter_add_days(struct filter_call *call);
bool filter_check_add_days(struct filter_call *call);
bool filter_add_months(struct filter_call *call);
bool filter_check_add_months(struct filter_call *call);
bool filter_timestamp(struct filter_call *call);
bool filter_format_date(struct filter_call *call);
bool filter_check_reading(struct filter_call *call);
bool filter_check_writing(struct filter_call *call);

#endif
