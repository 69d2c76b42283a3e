/* Time zones by name, from the system's database.
 *
 * The files are read here and not by the C library: that knows one zone at a time for the whole
 * process (TZ, tzset), takes an unknown name for UTC, and does not tell when its clocks change. */
#ifndef PURSER_IO_TIME_ZONE_H
#define PURSER_IO_TIME_ZONE_H

#include "purser/base/arena.h"
#include "purser/base/err.h"
#include "purser/core/schedule.h"

/* The zone called `name`; "UTC" needs no file. The database is $TZDIR, else /usr/share/zoneinfo.
 * *zone_out lives in `arena`. Errors: ERR_INPUT with a line "hint: …" that has the closest name,
 * ERR_NO_MEMORY. */
enum err_code time_zone_open(struct arena *arena, const char *name, const struct zone **zone_out,
                             struct err *err) ERR_CHECKED;

#endif
