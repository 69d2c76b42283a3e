/* JSON text ↔ values. Owner of json-c.
 *
 * Strict: one value, no trailing bytes but white space, no comments, no duplicate names, valid
 * UTF-8, nesting ≤ JSON_DEPTH_MAX. A decimal keeps its own text; whole numbers are exact up to
 * ±2^63 / 2^64-1, longer ones are refused. */
#ifndef PURSER_CODEC_JSON_H
#define PURSER_CODEC_JSON_H

#include "purser/base/err.h"
#include "purser/codec/value.h"

/* Parses into values that live in `arena`. Errors: ERR_INPUT (what and at which byte), ERR_TOO_BIG,
 * ERR_NO_MEMORY; *value_out is then untouched. */
enum err_code json_parse(struct arena *arena, const char *bytes, size_t length,
                         struct value *value_out, struct err *err) ERR_CHECKED;

#endif
