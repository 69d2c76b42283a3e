/* Strings of JSON text. */
#ifndef PURSER_CODEC_JSON_STRING_H
#define PURSER_CODEC_JSON_STRING_H

#include "purser/base/text.h"

/* Goes from the opening quote to behind the closing one. *raw_out is what lies between them and
 * *escaped_out says if anything in it is. NULL, or what is wrong at text->at. The text must be
 * UTF-8. */
const char *json_string_read(struct text_reader *text, struct slice *raw_out, bool *escaped_out);

/* Writes what `raw`, as above, stands for to `out`, which has room for raw.length bytes: the number
 * of bytes. Half of a surrogate pair becomes U+FFFD. */
size_t json_string_decode(struct slice raw, char *out);

#endif
