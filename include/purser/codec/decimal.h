/* Exact decimal numbers, as text: JSON numbers in, JSON numbers out.
 *
 * Comparing and rounding work on the digits and have no limit of size; adding, multiplying and
 * dividing work on 128 bits and say when these do not suffice. No double anywhere: 19.99
 * stays 19.99. */
#ifndef PURSER_CODEC_DECIMAL_H
#define PURSER_CODEC_DECIMAL_H

#include "purser/base/arena.h"
#include "purser/base/text.h"
#include "purser/core/limits.h"

enum decimal_operator { DECIMAL_ADD, DECIMAL_SUBTRACT, DECIMAL_MULTIPLY };

enum decimal_status { DECIMAL_OK, DECIMAL_OVERFLOW, DECIMAL_DIVISION_BY_ZERO, DECIMAL_NO_MEMORY };

/* Where a number goes that lies between two: to the nearer one, half of the way away from zero or
 * to the even one; towards zero or away from it; to the smaller or the larger one. */
enum decimal_rounding {
    DECIMAL_HALF_UP,
    DECIMAL_HALF_EVEN,
    DECIMAL_DOWN,
    DECIMAL_UP,
    DECIMAL_FLOOR,
    DECIMAL_CEILING,
};

/* True for a number as JSON writes it: -12, 0.5, 1e3; not 012, .5, 1., +1. */
bool decimal_is_json(struct slice text);

/* -1, 0 or 1; both must be JSON numbers. 1.50, 1.5 and 15e-1 are equal. */
int decimal_compare(struct slice a, struct slice b);

/* True for a JSON number without a fraction, however it is written: 12, 1.0, 1e400. */
bool decimal_is_whole(struct slice number);

/* A number as people write it ("+007", ".5", " 12.50 ") as a JSON number; digits behind the point
 * are kept. False when it is none; *number_out is then untouched. NULL bytes in *number_out mean
 * that there was no memory. */
bool decimal_from_text(struct arena *arena, struct slice text, struct slice *number_out);

/* The rounding called `name` ("half_up", "half_even" …); false when there is none. */
bool decimal_rounding_find(struct slice name, enum decimal_rounding *rounding_out);

/* Rounds a JSON number to `places` digits behind the point, 0 to DECIMAL_PLACES_MAX. The result has
 * exactly so many: 1.5 to two places is 1.50. DECIMAL_OVERFLOW for an exponent beyond
 * DECIMAL_EXPONENT_MAX. */
enum decimal_status decimal_round(struct arena *arena, struct slice number, int places,
                                  enum decimal_rounding rounding, struct slice *rounded_out);

/* Adds, subtracts or multiplies two JSON numbers, exactly. The result has as many digits behind the
 * point as the longer of the two, and more only where it needs them. */
enum decimal_status decimal_calculate(struct arena *arena, enum decimal_operator symbol,
                                      struct slice left, struct slice right,
                                      struct slice *result_out);

/* Divides two JSON numbers and rounds once, by the exact quotient; `places` as above. */
enum decimal_status decimal_divide(struct arena *arena, struct slice dividend, struct slice divisor,
                                   int places, enum decimal_rounding rounding,
                                   struct slice *quotient_out);

/* The value of a JSON number that is whole and fits, however it is written (1.0, 1e2). */
bool decimal_to_int64(struct slice number, int64_t *value_out);

#endif
