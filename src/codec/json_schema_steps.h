/* A compiled pattern: steps of a machine that is in several of them at once. */
#ifndef PURSER_CODEC_JSON_SCHEMA_STEPS_H
#define PURSER_CODEC_JSON_SCHEMA_STEPS_H

#include <stdint.h>

#include "json_schema_pattern.h"
#include "purser/core/limits.h"

enum { RANGES_MAX = 64 };

struct range {
    uint32_t first, last;
};

struct character_set {
    bool negated;
    size_t count;
    struct range ranges[RANGES_MAX];
};

enum step_kind { STEP_CHARACTER, STEP_SET, STEP_FORK, STEP_JUMP, STEP_BEGIN, STEP_END, STEP_FOUND };

/* Distances are relative, so that a piece can be moved and copied as it is. */
struct step {
    enum step_kind kind;
    uint32_t character;
    const struct character_set *set;
    int distance, other; /* JUMP: distance; FORK: both */
};

struct json_pattern {
    size_t count;
    struct step steps[];
};

#endif
