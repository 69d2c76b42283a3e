/* What is judged about the bytes of a YAML file before libyaml sees them. */
#ifndef PURSER_CODEC_YAML_INPUT_H
#define PURSER_CODEC_YAML_INPUT_H

#include "purser/base/diag.h"

/* False after adding an error: over SPEC_BYTES_MAX, UTF-16, invalid UTF-8, NUL, a %TAG line
 * (libyaml compares each with all before it). */
bool yaml_input_is_usable(const char *file, const char *bytes, size_t length,
                          struct diagnostics *diagnostics);

/* Bytes of the UTF-8 byte order mark at the start: 3 or 0. */
size_t yaml_input_mark_length(const char *bytes, size_t length);

#endif
