/* Seeded random numbers (xoshiro256**), no hidden global state. For jitter and tests, not for keys.
 * Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021. */
#ifndef PURSER_BASE_RNG_H
#define PURSER_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

/* The same seed gives the same numbers. */
void rng_init(struct rng *rng, uint64_t seed);

uint64_t rng_next(struct rng *rng);

/* 0 ≤ result < bound; bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

#endif
