/* The regular expressions of `pattern`: the part of ECMA-262 that needs no going back, in time
 * linear in the text. Works on characters, not bytes.
 *
 * Understood: characters, escapes of punctuation, \d \D \w \W \s \S \t \n \r \f \v, the dot, [ ]
 * with ranges, ^ and $, groups ( ) and (?: ), |, * + ? {n} {n,} {n,m} and their lazy forms (which
 * find the same). Everything else (looking around, \b, back references, \u, \p) is not judged.
 * Source: ECMA-262, section 22.2, with the flag u. */
#ifndef PURSER_CODEC_JSON_SCHEMA_PATTERN_H
#define PURSER_CODEC_JSON_SCHEMA_PATTERN_H

#include <stdbool.h>

#include "purser/base/arena.h"
#include "purser/base/text.h"

struct json_pattern;

enum json_pattern_status { PATTERN_OK, PATTERN_NOT_JUDGED, PATTERN_NO_MEMORY };

/* Compiles into `arena`. PATTERN_NOT_JUDGED when something in it is not understood or it comes to
 * more than PATTERN_STEPS_MAX steps. */
enum json_pattern_status json_pattern_compile(struct arena *arena, struct slice text,
                                              const struct json_pattern **pattern_out);

/* True when the pattern is found anywhere in `text`, which must be UTF-8. */
bool json_pattern_found(const struct json_pattern *pattern, struct slice text);

#endif
