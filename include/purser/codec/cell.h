/* The text of a cell → a value of its column's type.
 *
 * Numbers keep their digits as written but must be JSON numbers, so that what is sent is what
 * stands in the file: 12.340 stays, 12,34 and 007 are refused instead of guessed at. Strings are
 * taken as they stand; around all other types blanks are ignored. An empty cell of any type is
 * OMIT. */
#ifndef PURSER_CODEC_CELL_H
#define PURSER_CODEC_CELL_H

#include "purser/base/err.h"
#include "purser/codec/spec.h"

/* Why a cell is not what its column is: `what` follows the cell's text ("is not a decimal"). */
struct cell_problem {
    const char *what;
    const char *help;
};

/* `column` NULL = a string. `text` must be UTF-8; the value borrows it. Returns ERR_OK, ERR_INPUT
 * with *problem_out set, or ERR_NO_MEMORY; *value_out is only set by ERR_OK. */
enum err_code cell_from_text(struct arena *arena, const struct spec_column *column,
                             struct slice text, struct value *value_out,
                             struct cell_problem *problem_out) ERR_CHECKED;

/* The same for a cell that has a type already (JSON, YAML). Text and numbers go through
 * cell_from_text(); a boolean fits a boolean column, a list a list column, null and OMIT any. */
enum err_code cell_from_value(struct arena *arena, const struct spec_column *column,
                              const struct value *value, struct value *value_out,
                              struct cell_problem *problem_out) ERR_CHECKED;

#endif
