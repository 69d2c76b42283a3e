/* The path of a request against the table of operations.
 *
 * A path is compared by its shape: a ~ stands for each segment that is not fixed. What fits no
 * operation is reported with the one that was probably meant. */
#ifndef PURSER_CODEC_SPEC_PATH_H
#define PURSER_CODEC_SPEC_PATH_H

#include "purser/codec/spec_check.h"

/* The fixed text of a path, with ~ for each ${…}; NULL when memory ran out. */
const char *spec_path_fixed_text(struct spec_reader *reader, struct slice path);

/* "/products/a-~.x/variants" → "/products/~/variants"; NULL when memory ran out. */
const char *spec_path_shape(struct spec_reader *reader, const char *text);

/* "/products/~/variants" → "/products/{value}/variants"; NULL when memory ran out. */
const char *spec_path_template(struct spec_reader *reader, const char *shape);

/* Adds an error for a path that fits no operation. */
void spec_path_report_unknown(struct spec_reader *reader, const struct yaml_node *request,
                              enum http_method method, struct slice path, const char *shape);

/* Adds a warning when `operation` takes every name and this one is a few letters off a known path.
 */
void spec_path_warn_of_custom_object(struct spec_reader *reader, const struct yaml_node *request,
                                     const struct operation *operation, const char *shape);

#endif
