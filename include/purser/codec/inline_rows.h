/* Rows that stand in the spec, as CSV that can be given back: what `purser results` writes of them
 * and `purser retry --input` reads. */
#ifndef PURSER_CODEC_INLINE_ROWS_H
#define PURSER_CODEC_INLINE_ROWS_H

#include "purser/base/arena.h"
#include "purser/base/buf.h"
#include "purser/codec/spec.h"

/* The names of all rows of an inline source, in the order in which they come up, with the types
 * that their cells have in CSV: the spec's; else COLUMN_STRING where all values are texts, and
 * COLUMN_AS_WRITTEN where not. Names are borrowed. Errors: ERR_NO_MEMORY. */
enum err_code inline_rows_columns(struct arena *arena, const struct spec_source *source,
                                  struct spec_column **columns_out, size_t *count_out) ERR_CHECKED;

/* The names as a line of CSV, and the cells of one row: what is not there is empty. Nothing for no
 * columns. */
void inline_rows_append_header(const struct spec_column *columns, size_t count, char delimiter,
                               struct buf *out);
void inline_rows_append(const struct spec_column *columns, size_t count, const struct value *row,
                        char delimiter, struct buf *out);

/* Lets `source`, which is now a CSV file of such rows, type its cells as the rows in the spec
 * (`inline_source`) are typed. Errors: ERR_NO_MEMORY. */
enum err_code inline_rows_type(struct arena *arena, const struct spec_source *inline_source,
                               struct spec_source *source) ERR_CHECKED;

#endif
