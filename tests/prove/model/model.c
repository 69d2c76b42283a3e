/* prove-model: see model.h for what is searched and how.
 *
 *     prove-model --short     one item, every kind of world; every mutant; the table's cells
 *     prove-model --mutants   the mutants alone, each with its history
 *     prove-model --long      two items on one connection, and one item with more of everything
 *     prove-model --search NAME   one search of these; a wrong name lists them
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { STATES_SHORT_MAX = 20000000, STATES_LONG_MAX = 500000000 };

/* --- the searches --- */

#define BIT_OF(kind) (1u << (kind))

static const struct {
    const char *name;
    struct model model;
    bool is_long, checks_ends;
} searches[] = {
    {"one item, keyed, doubled or late requests",
     {.items = 1, .kinds = BIT_OF(KIND_DOUBLED), .generations = 2, .copies = 2},
     .checks_ends = true},
    {"one item, keyed, refusals and persons",
     {.items = 1, .kinds = BIT_OF(KIND_KEYED), .generations = 2, .copies = 2, .with_bodies = true},
     .is_long = true,
     .checks_ends = true},
    {"one item, keyed, refusals",
     {.items = 1, .kinds = BIT_OF(KIND_KEYED), .generations = 2, .copies = 1, .with_bodies = true},
     .checks_ends = true},
    {"one item that waits, or has no key; its row changes",
     {.items = 1,
      .kinds = BIT_OF(KIND_NEEDY) | BIT_OF(KIND_UNKEYED),
      .generations = 1,
      .copies = 1,
      .with_bodies = true},
     .checks_ends = true},
    {"one item, other kinds",
     {.items = 1,
      .kinds = BIT_OF(KIND_PROVABLE) | BIT_OF(KIND_IMPATIENT) | BIT_OF(KIND_NATURAL),
      .generations = 1,
      .copies = 1},
     .checks_ends = true},
    {"one item, other kinds, more of everything",
     {.items = 1,
      .kinds = BIT_OF(KIND_NEEDY) | BIT_OF(KIND_UNKEYED) | BIT_OF(KIND_PROVABLE) |
               BIT_OF(KIND_TIMELESS) | BIT_OF(KIND_IMPATIENT) | BIT_OF(KIND_NATURAL),
      .generations = 2,
      .copies = 2,
      .with_bodies = true},
     .is_long = true,
     .checks_ends = true},
    {"one item, keyed, the host's clock is set",
     {.items = 1, .kinds = BIT_OF(KIND_KEYED), .generations = 2, .copies = 2, .with_clock = true},
     .is_long = true,
     .checks_ends = true},
    {"two items on one connection",
     {.items = 2, .kinds = BIT_OF(KIND_KEYED), .generations = 1, .copies = 1},
     .is_long = true},
};

static uint64_t cells[ITEM_STATE_COUNT][ITEM_EVENT_COUNT];

static void count_cells(const struct model *model)
{
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        for (unsigned event = 0; event < ITEM_EVENT_COUNT; event++)
            cells[state][event] += model->cells[state][event];
}

/* The number of states; 0 when a law is broken. */
static uint64_t search_true(size_t index, bool is_long)
{
    struct model model = searches[index].model;
    struct search_result result;

    model.rules = &model_true_rules;
    model.checks_projection = !is_long || model.items == 1;
    result = model_search(&model, is_long ? STATES_LONG_MAX : STATES_SHORT_MAX,
                          searches[index].checks_ends, true);
    count_cells(&model);
    printf("%s: %llu states, %llu moves, %llu steps of the life cycle, depth %llu, %llu MB%s: %s\n",
           searches[index].name, (unsigned long long)result.states,
           (unsigned long long)result.moves, (unsigned long long)model.steps,
           (unsigned long long)result.depth, (unsigned long long)(result.bytes >> 20),
           searches[index].checks_ends ? ", an end from each" : "",
           result.broken == NULL ? "all laws hold" : result.broken);
    fflush(stdout);
    return result.broken == NULL ? result.states : 0;
}

/* --- mutants --- */

static struct rules completed(const struct rules *given)
{
    struct rules rules = *given;

#define FILL(member)          \
    if (rules.member == NULL) \
    rules.member = model_true_rules.member
    FILL(step);
    FILL(must_be_stored);
    FILL(is_unused_intent);
    FILL(key_age);
    FILL(needs_server);
    FILL(correct_intent);
    FILL(send_rules);
    FILL(poll_rules);
    FILL(send_rule_count);
    FILL(poll_rule_count);
#undef FILL
    return rules;
}

static const struct model mutant_models[] = {
    [WORLD_KEYED] = {.items = 1,
                     .kinds = BIT_OF(KIND_KEYED),
                     .generations = 2,
                     .copies = 2,
                     .with_bodies = true},
    [WORLD_UNKEYED] = {.items = 1, .kinds = BIT_OF(KIND_UNKEYED), .generations = 2, .copies = 2},
    [WORLD_NATURAL] = {.items = 1, .kinds = BIT_OF(KIND_NATURAL), .generations = 2, .copies = 2},
    [WORLD_NEEDY] = {.items = 1, .kinds = BIT_OF(KIND_NEEDY), .generations = 2, .copies = 1},
    [WORLD_CLOCK] = {.items = 1,
                     .kinds = BIT_OF(KIND_KEYED),
                     .generations = 1,
                     .copies = 1,
                     .with_clock = true},
};

static bool is_caught(const struct mutant *mutant, bool trace)
{
    struct rules rules = completed(&mutant->rules);
    struct model model = mutant_models[mutant->world];
    struct search_result result;

    model.rules = &rules;
    model.checks_projection = true;
    if (trace)
        printf("%s\n", rules.name);
    result = model_search(&model, STATES_SHORT_MAX, true, trace);
    if (result.broken == NULL)
        printf("  %-50s NOT CAUGHT in %llu states\n", rules.name,
               (unsigned long long)result.states);
    else
        printf("  %-50s caught in %2u steps, %llu states: %s\n", rules.name, result.trace_length,
               (unsigned long long)result.states, result.broken);
    fflush(stdout);
    return result.broken != NULL;
}

static size_t count_caught(const struct mutant *mutants, size_t count, const char *only, bool trace)
{
    size_t caught = 0;

    for (size_t i = 0; i < count; i++)
        if (only == NULL || strcmp(only, mutants[i].rules.name) == 0)
            caught += is_caught(&mutants[i], trace);
    return caught;
}

/* --- the table --- */

static unsigned tell_cells(void)
{
    unsigned legal = 0, reached = 0;

    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        for (unsigned event = 0; event < ITEM_EVENT_COUNT; event++) {
            if (!lifecycle_is_legal((enum item_state)state, (enum item_event_kind)event))
                continue;
            legal++;
            reached += cells[state][event] > 0;
            if (cells[state][event] == 0)
                printf("not reached: %s on %s\n", item_state_name((enum item_state)state),
                       item_event_name((enum item_event_kind)event));
        }
    printf("cells of the life cycle reached: %u of %u\n", reached, legal);
    return legal - reached;
}

/* One search, and no mutants. */
static int prove_one(const char *name)
{
    for (size_t i = 0; i < sizeof searches / sizeof searches[0]; i++)
        if (strcmp(searches[i].name, name) == 0)
            return search_true(i, true) > 0 ? 0 : 1;
    fprintf(stderr, "prove-model: no search is called `%s`; the searches are\n", name);
    for (size_t i = 0; i < sizeof searches / sizeof searches[0]; i++)
        fprintf(stderr, "  %s\n", searches[i].name);
    return 2;
}

static int prove(bool is_long, bool trace)
{
    size_t mutants = model_planted_count + model_switched_count, caught;
    uint64_t states = 0;
    bool holds = true;
    size_t needed;

    for (size_t i = 0; i < sizeof searches / sizeof searches[0]; i++) {
        uint64_t found;

        if (searches[i].is_long && !is_long)
            continue;
        found = search_true(i, is_long);
        holds = holds && found > 0;
        states += found;
    }
    holds = tell_cells() == 0 && holds;
    caught = count_caught(model_planted, model_planted_count, NULL, trace) +
             count_caught(model_switched, model_switched_count, NULL, trace);
    printf("without one of the assumptions:\n");
    needed = count_caught(model_assumptions, model_assumption_count, NULL, trace);
    printf("prove-model: %llu states, %zu of %zu mutants caught, %zu of %zu assumptions needed%s\n",
           (unsigned long long)states, caught, mutants, needed, model_assumption_count,
           holds ? "" : ", A LAW IS BROKEN");
    return holds && caught == mutants && needed == model_assumption_count ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--short") == 0)
        return prove(false, false);
    if (argc == 2 && strcmp(argv[1], "--long") == 0)
        return prove(true, true);
    if (argc == 3 && strcmp(argv[1], "--search") == 0)
        return prove_one(argv[2]);
    if (argc >= 2 && strcmp(argv[1], "--mutants") == 0) {
        const char *only = argc > 2 ? argv[2] : NULL;

        (void)count_caught(model_planted, model_planted_count, only, true);
        (void)count_caught(model_switched, model_switched_count, only, true);
        (void)count_caught(model_assumptions, model_assumption_count, only, true);
        return 0;
    }
    fprintf(stderr, "usage: prove-model --short | --long | --search NAME | --mutants [NAME]\n");
    return 2;
}
