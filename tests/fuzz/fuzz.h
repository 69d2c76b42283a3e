/* What all fuzz targets share. Each defines LLVMFuzzerTestOneInput, which libFuzzer calls with made
 * up bytes (preset asan), and replay.c with the kept ones (every other build). */
#ifndef PURSER_TESTS_FUZZ_H
#define PURSER_TESTS_FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "purser/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A stated law, checked in every build. */
#define LAW(condition)    \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

/* What was allocated since the start of the input must be freed at its end. */
#define LAW_NOTHING_LEFT() LAW(mem_test_live_count() == 0)

#endif
