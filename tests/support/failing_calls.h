/* Calls that fail when a test says so, in its own process: the functions of failing_ledger_calls.h
 * and failing_system_calls.h take the place of those of LMDB and of libc, in all libraries too. A
 * program includes either of them, before anything else. */
#ifndef PURSER_TESTS_FAILING_CALLS_H
#define PURSER_TESTS_FAILING_CALLS_H

/* What takes the place of functions of libc must not be checked here as a call of them. */
#undef _FORTIFY_SOURCE

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "real_call.h"

/* In the place of an error: the call transfers half of its bytes. */
#define CALL_IS_SHORT 0

static struct {
    const char *name; /* of the calls that are counted; NULL = all */
    int error;
    _Atomic int64_t until; /* so many of them go well before; below 0 none fails */
    _Atomic int64_t count;
    const char *_Atomic failed; /* the name of the one that failed */
} failing_calls = {.until = -1};

/* From now on the call behind `until` others of that name fails, once. */
static inline void calls_fail(const char *name, int64_t until, int error)
{
    failing_calls.name = name;
    failing_calls.error = error;
    atomic_store(&failing_calls.count, 0);
    atomic_store(&failing_calls.failed, NULL);
    atomic_store(&failing_calls.until, until);
}

/* No more. The name of the call that has failed; NULL = there were not so many. */
static inline const char *calls_end(void)
{
    atomic_store(&failing_calls.until, -1);
    return atomic_load(&failing_calls.failed);
}

static inline bool call_fails(const char *name)
{
    int64_t until = atomic_load(&failing_calls.until);

    if (until < 0 || (failing_calls.name != NULL && strcmp(failing_calls.name, name) != 0) ||
        atomic_fetch_add(&failing_calls.count, 1) != until)
        return false;
    atomic_store(&failing_calls.failed, name);
    return true;
}

#endif
