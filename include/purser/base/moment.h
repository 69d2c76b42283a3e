/* Points in time as people and machines write them: ISO 8601 with a zone. */
#ifndef PURSER_BASE_MOMENT_H
#define PURSER_BASE_MOMENT_H

#include "purser/base/text.h"

/* 2026-11-27T05:15:00Z, 2026-11-27T05:15Z, 2026-11-27 06:15+01:00 → Unix time; a fraction of a
 * second is cut off. False when it is none of these: a time without its zone is not one moment. */
bool moment_parse(struct slice text, int64_t *unix_s_out);

/* 2026-11-27T06:15:00+01:00; with an offset of 0 a Z. For the years 0 to 9999. */
#define MOMENT_BYTES 40
void moment_print(int64_t unix_s, int32_t offset_s, char text_out[MOMENT_BYTES]);

#endif
