#include "json_schema_steps.h"

/* The steps that wait for the next character, each once. */
struct front {
    uint16_t steps[PATTERN_STEPS_MAX];
    size_t count;
};

struct search {
    const struct json_pattern *pattern;
    size_t at, length;
    uint32_t marks[PATTERN_STEPS_MAX]; /* = round: the step was visited in it */
    uint32_t round;
    uint16_t open[PATTERN_STEPS_MAX * 2];
    size_t open_count;
    bool found;
};

static void visit(struct search *search, size_t step)
{
    if (search->marks[step] == search->round)
        return;
    search->marks[step] = search->round;
    search->open[search->open_count++] = (uint16_t)step;
}

/* Goes from `start` through all that takes no character. */
static void follow(struct search *search, size_t start, struct front *front)
{
    visit(search, start);
    while (search->open_count > 0) {
        size_t at = search->open[--search->open_count];
        const struct step *step = &search->pattern->steps[at];

        switch (step->kind) {
        case STEP_CHARACTER:
        case STEP_SET:
            front->steps[front->count++] = (uint16_t)at;
            break;
        case STEP_FORK:
            visit(search, (size_t)((long)at + step->other));
            visit(search, (size_t)((long)at + step->distance));
            break;
        case STEP_JUMP:
            visit(search, (size_t)((long)at + step->distance));
            break;
        case STEP_BEGIN:
            if (search->at == 0)
                visit(search, at + 1);
            break;
        case STEP_END:
            if (search->at == search->length)
                visit(search, at + 1);
            break;
        case STEP_FOUND:
            search->found = true;
            break;
        }
    }
}

static bool step_takes(const struct step *step, uint32_t character)
{
    if (step->kind == STEP_CHARACTER)
        return step->character == character;
    for (size_t i = 0; i < step->set->count; i++)
        if (character >= step->set->ranges[i].first && character <= step->set->ranges[i].last)
            return !step->set->negated;
    return step->set->negated;
}

bool json_pattern_found(const struct json_pattern *pattern, struct slice text)
{
    struct search search = {.pattern = pattern, .length = text.length};
    struct front fronts[2], *now = &fronts[0], *next = &fronts[1];

    search.round = 1;
    now->count = 0;
    follow(&search, 0, now);
    while (!search.found && search.at < text.length) {
        uint32_t character;
        size_t length = text_decode((struct slice){text.bytes + search.at, text.length - search.at},
                                    &character);
        struct front *swap = now;

        if (length == 0)
            return false;
        search.at += length;
        search.round++;
        next->count = 0;
        for (size_t i = 0; i < now->count; i++)
            if (step_takes(&pattern->steps[now->steps[i]], character))
                follow(&search, now->steps[i] + 1u, next);
        follow(&search, 0, next); /* it may begin anywhere */
        now = next;
        next = swap;
    }
    return search.found;
}
