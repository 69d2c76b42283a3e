/* Structured mutation of inputs that are records of a fixed size: what libFuzzer does to bytes is
 * done to whole records, so that one that is put in or taken out leaves the rest as it was. */
#ifndef PURSER_TESTS_FUZZ_RECORDS_H
#define PURSER_TESTS_FUZZ_RECORDS_H

#include <stdint.h>
#include <string.h>

/* Of libFuzzer; elsewhere there is none, and only the records are mutated. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size_max, unsigned seed);

static inline uint32_t records_draw(uint32_t *state, size_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return below == 0 ? 0 : (uint32_t)(*state % below);
}

/* Changes the records once; gives their new number. `room`: how many fit. */
static inline size_t records_change(uint8_t *bytes, size_t count, size_t room, size_t record,
                                    uint32_t *state)
{
    size_t at = records_draw(state, count), from = records_draw(state, count);
    uint8_t copy[16];

    switch (records_draw(state, 5)) {
    case 0: /* a new one */
        if (count == room)
            break;
        memmove(bytes + (at + 1) * record, bytes + at * record, (count - at) * record);
        for (size_t i = 0; i < record; i++)
            bytes[at * record + i] = (uint8_t)records_draw(state, 256);
        return count + 1;
    case 1: /* one less */
        if (count < 2)
            break;
        memmove(bytes + at * record, bytes + (at + 1) * record, (count - at - 1) * record);
        return count - 1;
    case 2: /* one once more, elsewhere */
        if (count == room || count == 0)
            break;
        memcpy(copy, bytes + from * record, record);
        memmove(bytes + (at + 1) * record, bytes + at * record, (count - at) * record);
        memcpy(bytes + at * record, copy, record);
        return count + 1;
    case 3: /* cut off */
        return records_draw(state, 4) == 0 && count > 4 ? at + 1 : count;
    default: /* a byte of one */
        if (count > 0)
            bytes[at * record + records_draw(state, record)] = (uint8_t)records_draw(state, 256);
    }
    return count;
}

/* `record`: bytes of one, at most 16. */
static inline size_t records_mutate(uint8_t *bytes, size_t length, size_t size_max, size_t record,
                                    unsigned seed)
{
    uint32_t state = seed * 2654435761u | 1u;
    size_t count = length / record;

    if (LLVMFuzzerMutate != NULL && records_draw(&state, 3) == 0)
        return LLVMFuzzerMutate(bytes, length, size_max);
    for (uint32_t n = 1 + records_draw(&state, 4); n > 0; n--)
        count = records_change(bytes, count, size_max / record, record, &state);
    return count * record;
}

#endif
