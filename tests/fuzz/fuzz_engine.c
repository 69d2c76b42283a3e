/* The real engine in a world of prove-sim (tests/sim), whose draws are the bytes of the input, two
 * each: what the world is like, what goes wrong when, what the server answers, where the process
 * dies, what a person does. Behind the last byte a seed goes on. The laws are those of prove-sim.
 */
#include <string.h>

#include "fuzz.h"
#include "records.h"
#include "sim.h"

enum { DRAW_BYTES = 2 };

static struct sim *world;
static const uint8_t *left;
static size_t left_length;
static bool is_playing;

uint64_t __real_rng_below(struct rng *rng, uint64_t bound);
uint64_t __wrap_rng_below(struct rng *rng, uint64_t bound);
_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);

/* A draw that is a little larger gives a number that is a little larger. */
uint64_t __wrap_rng_below(struct rng *rng, uint64_t bound)
{
    uint64_t drawn;

    if (!is_playing || rng != &world->rng || left_length < DRAW_BYTES)
        return __real_rng_below(rng, bound);
    drawn = (uint64_t)left[0] << 8 | left[1];
    left += DRAW_BYTES;
    left_length -= DRAW_BYTES;
    return bound < UINT64_C(1) << 47 ? drawn * bound >> 16 : drawn % bound;
}

/* How the simulation ends when a law is broken. */
_Noreturn void __wrap_exit(int status)
{
    if (is_playing)
        abort();
    __real_exit(status);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size_max, unsigned seed)
{
    return records_mutate(bytes, length, size_max, DRAW_BYTES, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2 * DRAW_BYTES)
        return 0;
    if (world == NULL)
        world = calloc(1, sizeof *world);
    LAW(world != NULL);
    left = bytes + DRAW_BYTES;
    left_length = length - DRAW_BYTES;
    is_playing = true;
    (void)sim_play(world, bytes[0] * 256u + bytes[1], NULL, false);
    is_playing = false;
    return 0;
}
