/* What a function would do that a preloaded library, or a test, has put itself in the place of. */
#ifndef PURSER_TESTS_REAL_CALL_H
#define PURSER_TESTS_REAL_CALL_H

#include <dlfcn.h>
#include <stdlib.h>

static inline void *real_call(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

#endif
