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

struct failing_call {
    const char *name; /* of the calls that are counted; NULL = all */
    int error;
    _Atomic int64_t left;       /* so many of them go well before; below 0 none fails */
    const char *_Atomic failed; /* the name of the one that failed */
};

static struct {
    struct failing_call first, second;
    int error; /* of the last one that failed */
} failing_calls = {.first.left = -1, .second.left = -1};

static inline void failing_call_choose(struct failing_call *call, const char *name, int64_t until,
                                       int error)
{
    call->name = name;
    call->error = error;
    atomic_store(&call->failed, NULL);
    atomic_store(&call->left, until);
}

/* From now on the call behind `until` others of that name fails, once. */
static inline void calls_fail(const char *name, int64_t until, int error)
{
    failing_call_choose(&failing_calls.second, NULL, -1, 0);
    failing_call_choose(&failing_calls.first, name, until, error);
}

/* Besides, another one. */
static inline void calls_fail_also(const char *name, int64_t until, int error)
{
    failing_call_choose(&failing_calls.second, name, until, error);
}

/* No more. The name of the (first) call that has failed; NULL = there were not so many. */
static inline const char *calls_end(void)
{
    atomic_store(&failing_calls.first.left, -1);
    atomic_store(&failing_calls.second.left, -1);
    return atomic_load(&failing_calls.first.failed);
}

static inline bool failing_call_is(struct failing_call *call, const char *name)
{
    if (atomic_load(&call->left) < 0 || (call->name != NULL && strcmp(call->name, name) != 0) ||
        atomic_fetch_sub(&call->left, 1) != 0)
        return false;
    failing_calls.error = call->error;
    atomic_store(&call->failed, name);
    return true;
}

static inline bool call_fails(const char *name)
{
    bool first = failing_call_is(&failing_calls.first, name);

    return failing_call_is(&failing_calls.second, name) || first;
}

#endif
