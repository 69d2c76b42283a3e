/* A JSON number taken apart, for the files of decimal. */
#ifndef PURSER_CODEC_DECIMAL_PARTS_H
#define PURSER_CODEC_DECIMAL_PARTS_H

#include "purser/codec/decimal.h"

/* Digits of integer and fraction in one row, times a power of ten. */
struct decimal_parts {
    bool negative;
    struct slice integer, fraction;
    int64_t exponent;
};

/* Takes a JSON number apart. */
struct decimal_parts decimal_take_apart(struct slice number);

/* Digits in the row. */
size_t decimal_digit_count(const struct decimal_parts *parts);

/* The i-th digit of the row, '0' behind its end. */
char decimal_digit_at(const struct decimal_parts *parts, size_t i);

/* Writes `count` digits, the last `places` of them behind the point: zeros are put in front where
 * digits are missing and taken away where they are needless. No "-0". */
enum decimal_status decimal_write(struct arena *arena, bool negative, const char *digits,
                                  size_t count, size_t places, struct slice *number_out);

/* What is cut off by rounding, in units of the last digit kept. */
enum decimal_rest { REST_NOTHING, REST_BELOW_HALF, REST_HALF, REST_ABOVE_HALF };

/* The rest when `digit` is cut off in front of it. */
enum decimal_rest decimal_rest_of(unsigned digit, enum decimal_rest rest);

/* True if the last digit kept becomes one larger, away from zero. */
bool decimal_rounds_away(enum decimal_rounding rounding, bool negative, bool is_odd,
                         enum decimal_rest rest);

#endif
