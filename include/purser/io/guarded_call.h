/* A function in a process of its own, so that its death is an answer and not ours: for reading
 * what may be damaged through a library that trusts it. */
#ifndef PURSER_IO_GUARDED_CALL_H
#define PURSER_IO_GUARDED_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "purser/base/err.h"

enum guarded_end {
    GUARDED_RETURNED, /* the result is whole */
    GUARDED_DIED,     /* a signal or an assertion; the result is what was written until then */
    GUARDED_TOO_LONG  /* killed when its time was over; as above */
};

/* Calls `call` in a forked child, which prints nothing, and waits for its end, `limit_ms` at most.
 * `result` comes as zeros, and what the child has written there is copied to `result_out`: no
 * pointers. `signal_out` is the signal that ended it, 0 = none. The child ends with this process.
 * Only while this process has one thread. Errors: ERR_SYSTEM; no child is left,
 * and there is no result. */
enum err_code guarded_call(void (*call)(void *context, void *result), void *context,
                           void *result_out, size_t result_bytes, int64_t limit_ms,
                           enum guarded_end *end_out, int *signal_out, struct err *err) ERR_CHECKED;

#endif
