/* The text of an OpenAPI document as a value: JSON or YAML. */
#ifndef PURSER_CODEC_OPENAPI_TEXT_H
#define PURSER_CODEC_OPENAPI_TEXT_H

#include "purser/base/diag.h"
#include "purser/codec/value.h"

/* Text that starts with a brace is JSON, other text YAML. As openapi_load(). */
enum err_code openapi_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
                            struct value *value_out, struct diagnostics *diagnostics,
                            struct err *err) ERR_CHECKED;

#endif
