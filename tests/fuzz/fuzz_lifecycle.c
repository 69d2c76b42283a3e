/* The life of a few items as bytes tell it (life/life.h): what comes next, how long it takes, what
 * the server answers, what a person does. Inputs are mutated by whole moves as well. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "life/life.h"
#include "records.h"

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size_max, unsigned seed)
{
    return records_mutate(bytes, length, size_max, LIFE_MOVE_BYTES, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *broken = life_play(&model_true_rules, bytes, length);

    if (broken != NULL)
        (void)fprintf(stderr, "fuzz_lifecycle: %s\n", broken);
    LAW(broken == NULL);
    return 0;
}
