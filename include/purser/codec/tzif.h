/* Time zone files, as zic writes them, → spans of time with one distance from UTC.
 *
 * Read are version 1 (32-bit times) and 2 to 4 (64-bit times and the rule for all later years). Of
 * a rule all forms are known, also times beyond a day. Leap seconds (the "right" zones) are
 * refused: no clock that purser asks counts them. Source: RFC 8536 and 9636; POSIX.1-2017, TZ. */
#ifndef PURSER_CODEC_TZIF_H
#define PURSER_CODEC_TZIF_H

#include "purser/base/arena.h"
#include "purser/base/err.h"
#include "purser/core/schedule.h"

/* *zone_out lives in `arena`; `bytes` are not needed afterwards. ERR_INPUT when they are no such
 * file, or ERR_NO_MEMORY. */
enum err_code tzif_load(struct arena *arena, const char *bytes, size_t length,
                        const struct zone **zone_out, struct err *err) ERR_CHECKED;

#endif
