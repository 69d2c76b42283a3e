/* The states, the way to each, and whether an end can be reached from it.
 *
 * An item with all that belongs to it is kept once, in a table of its own; a state is the numbers
 * of its items and what they share, 12 bytes, and the number of the state that it came from.
 * Nothing is approximated: no two states are ever taken for one. Two items are alike, so their
 * order says nothing. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "model.h"
#include "purser/base/checksum.h"

#define NONE UINT32_MAX

/* A search of so many states takes minutes, so that it says on stderr how far it is. */
enum { TOLD_FROM = 10000000 };

struct state {
    uint32_t items[MODEL_ITEMS_MAX];
    uint32_t shared;
};

/* Open addressing over an array that grows at its end. */
struct index {
    uint32_t *slots;
    uint64_t mask;
    uint32_t count;
};

struct search {
    struct model *model;
    uint64_t states_max, locals_max;
    struct local *locals;
    struct index local_index;
    struct state *states;
    uint32_t *parents;
    struct index state_index;
    uint8_t *ends;      /* a bit for each state: an end can be reached */
    struct world world; /* that is expanded */
    struct state from;
    uint32_t from_number;
    uint64_t moves;
    bool is_full;
    const char *broken; /* with the first broken law … */
    /* … the move that broke it, or the move to `target` that was looked for */
    struct action action;
    struct world result;
    uint32_t target;
    bool found;
};

static void *reserve(uint64_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        perror("prove-model: memory");
        exit(2);
    }
    return memory;
}

static uint32_t pack_shared(const struct shared *shared)
{
    return (uint32_t)(shared->up | shared->clock_known << 1 | shared->clock_given_up << 2 |
                      shared->proof << 3 | shared->skew << 5 | shared->was_set << 7 |
                      shared->is_odd << 8);
}

static struct shared unpack_shared(uint32_t bits)
{
    return (struct shared){.up = bits & 1,
                           .clock_known = bits >> 1 & 1,
                           .clock_given_up = bits >> 2 & 1,
                           .proof = bits >> 3 & 3,
                           .skew = bits >> 5 & 3,
                           .was_set = bits >> 7 & 1,
                           .is_odd = bits >> 8 & 1};
}

/* --- the two tables --- */

static uint64_t hash_state(const struct state *state)
{
    uint64_t hash = ((uint64_t)state->items[0] << 32 | state->items[1]) ^
                    (uint64_t)state->shared * UINT64_C(0x9E3779B97F4A7C15);

    hash *= UINT64_C(0xBF58476D1CE4E5B9);
    hash ^= hash >> 29;
    hash *= UINT64_C(0x94D049BB133111EB);
    return hash ^ hash >> 32;
}

static void make_index(struct index *index, uint64_t size)
{
    index->slots = reserve(size * sizeof index->slots[0]);
    memset(index->slots, 0xff, size * sizeof index->slots[0]);
    index->mask = size - 1;
}

static void free_index(struct index *index)
{
    munmap(index->slots, (index->mask + 1) * sizeof index->slots[0]);
}

static void grow_states(struct search *search)
{
    struct index *index = &search->state_index;
    uint64_t size = (index->mask + 1) * 2;

    free_index(index);
    make_index(index, size);
    for (uint32_t i = 0; i < index->count; i++) {
        uint64_t at = hash_state(&search->states[i]) & index->mask;

        while (index->slots[at] != NONE)
            at = (at + 1) & index->mask;
        index->slots[at] = i;
    }
}

static void grow_locals(struct search *search)
{
    struct index *index = &search->local_index;
    uint64_t size = (index->mask + 1) * 2;

    free_index(index);
    make_index(index, size);
    for (uint32_t i = 0; i < index->count; i++) {
        uint64_t at = checksum64(&search->locals[i], sizeof search->locals[i]) & index->mask;

        while (index->slots[at] != NONE)
            at = (at + 1) & index->mask;
        index->slots[at] = i;
    }
}

static uint32_t intern_local(struct search *search, const struct local *local)
{
    struct index *index = &search->local_index;
    uint64_t at = checksum64(local, sizeof *local) & index->mask;

    while (index->slots[at] != NONE) {
        if (memcmp(&search->locals[index->slots[at]], local, sizeof *local) == 0)
            return index->slots[at];
        at = (at + 1) & index->mask;
    }
    if (index->count == search->locals_max) {
        search->is_full = true;
        return 0;
    }
    search->locals[index->count] = *local;
    index->slots[at] = index->count;
    if (++index->count > index->mask / 2)
        grow_locals(search);
    return index->count - 1;
}

static struct state state_of(struct search *search, const struct world *world)
{
    struct state state = {.shared = pack_shared(&world->shared), .items = {0, NONE}};

    for (uint32_t i = 0; i < search->model->items; i++)
        state.items[i] = search->found || memcmp(&world->items[i], &search->world.items[i],
                                                 sizeof world->items[i]) != 0
                             ? intern_local(search, &world->items[i])
                             : search->from.items[i];
    if (search->model->items == 2 && state.items[0] > state.items[1]) {
        uint32_t first = state.items[0];

        state.items[0] = state.items[1];
        state.items[1] = first;
    }
    return state;
}

/* The number of the state; `is_wanted`: it is put in if it is not there. */
static uint32_t look_up(struct search *search, const struct state *state, bool is_wanted)
{
    struct index *index = &search->state_index;
    uint64_t at = hash_state(state) & index->mask;

    while (index->slots[at] != NONE) {
        const struct state *known = &search->states[index->slots[at]];

        if (known->items[0] == state->items[0] && known->items[1] == state->items[1] &&
            known->shared == state->shared)
            return index->slots[at];
        at = (at + 1) & index->mask;
    }
    if (!is_wanted)
        return NONE;
    if (index->count == search->states_max) {
        search->is_full = true;
        return NONE;
    }
    search->states[index->count] = *state;
    search->parents[index->count] = search->from_number;
    index->slots[at] = index->count;
    if (++index->count > index->mask / 3 * 2)
        grow_states(search);
    return index->count - 1;
}

/* --- expanding --- */

static void expand(struct search *search, uint32_t number, emit_fn *emit)
{
    struct model *model = search->model;

    search->from = search->states[number];
    search->from_number = number;
    search->world = (struct world){.shared = unpack_shared(search->from.shared)};
    for (uint32_t i = 0; i < model->items; i++)
        search->world.items[i] = search->locals[search->from.items[i]];
    model->from = &search->world;
    model->emit = emit;
    model->context = search;
    model_person_moves(model);
    model_process_moves(model);
    model_around_moves(model);
}

static void find_new(struct model *model, const struct world *next, const struct action *action)
{
    struct search *search = model->context;
    struct state state;

    search->moves++;
    if (search->broken != NULL)
        return;
    if (model->broken != NULL) {
        search->broken = model->broken;
        search->action = *action;
        search->result = *next;
        search->target = search->from_number;
        return;
    }
    state = state_of(search, next);
    look_up(search, &state, true);
}

static void find_end(struct model *model, const struct world *next, const struct action *action)
{
    struct search *search = model->context;
    struct state state;
    uint32_t number;

    if (action->is_fault || search->found)
        return;
    state = state_of(search, next);
    number = look_up(search, &state, false);
    assert(number != NONE);
    search->found = (search->ends[number / 8] >> number % 8 & 1) != 0;
}

static void find_target(struct model *model, const struct world *next, const struct action *action)
{
    struct search *search = model->context;
    struct state state;

    model->broken = NULL;
    if (search->found)
        return;
    state = state_of(search, next);
    if (look_up(search, &state, false) != search->target)
        return;
    search->found = true;
    search->action = *action;
    search->result = *next;
}

/* --- telling --- */

static const char *const job_words[] = {[JOB_NONE] = "no job",
                                        [JOB_RUNNING] = "job runs",
                                        [JOB_SUCCEEDED] = "job succeeded",
                                        [JOB_PARTIAL] = "job succeeded in part",
                                        [JOB_REFUSED] = "job refused",
                                        [JOB_THROTTLED] = "job met the limit",
                                        [JOB_ERROR] = "job failed"};

static void tell_item(const struct local *local)
{
    printf("ledger %s g%u", item_state_name((enum item_state)local->disk.state),
           local->disk.generation);
    if (local->place != PLACE_NOWHERE)
        printf(", process %s g%u%s", item_state_name((enum item_state)local->memory.state),
               local->memory.generation, local->place == PLACE_ON_WIRE ? " on the wire" : "");
    for (uint32_t key = 1; key <= GENERATIONS_MAX; key++)
        if (local->remotes[key].status != JOB_NONE)
            printf(", server g%u %s%s", key, job_words[local->remotes[key].status],
                   local->remotes[key].is_forgotten ? ", key forgotten" : "");
    printf(", effects %u", local->effects);
}

static void tell(const struct model *model, uint32_t step, const struct action *action,
                 const struct world *after)
{
    char what[200];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(what, sizeof what, action->text, action->detail);
#pragma GCC diagnostic pop
    printf("  %2u. ", step);
    if (model->items > 1 && action->item != SHARED_ACTION)
        printf("item %u: ", action->item + 1u);
    printf("%-58s ", what);
    for (uint32_t i = 0; i < model->items; i++) {
        printf("%s", i == 0 ? "| " : " | ");
        tell_item(&after->items[i]);
    }
    printf("\n");
}

static uint32_t depth_of(const struct search *search, uint32_t number)
{
    uint32_t depth = 0;

    while (search->parents[number] != NONE) {
        number = search->parents[number];
        depth++;
    }
    return depth;
}

static void tell_way(struct search *search, uint32_t target)
{
    static const char *const kinds[] = {[KIND_DOUBLED] = "by its key, the network doubles requests",
                                        [KIND_KEYED] = "by its key",
                                        [KIND_TIMELESS] = "by its key, the server tells no time",
                                        [KIND_IMPATIENT] = "by its key, given up early",
                                        [KIND_NEEDY] = "by its key, needs another item",
                                        [KIND_PROVABLE] = "by its key once that is proven",
                                        [KIND_UNKEYED] = "at most once",
                                        [KIND_NATURAL] = "by nature"};
    uint32_t depth = depth_of(search, target);
    uint32_t *way = calloc(depth + 1, sizeof way[0]);

    if (way == NULL)
        exit(2);
    for (uint32_t i = depth; i < depth + 1; i--) {
        way[i] = target;
        target = search->parents[target];
    }
    printf("  repeated %s\n", kinds[search->locals[search->states[way[0]].items[0]].kind]);
    for (uint32_t i = 1; i <= depth; i++) {
        search->target = way[i];
        search->found = false;
        expand(search, way[i - 1], find_target);
        assert(search->found);
        tell(search->model, i, &search->action, &search->result);
    }
    free(way);
}

/* --- the whole --- */

static void begin(struct search *search)
{
    search->from_number = NONE;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        struct world world = {.shared.skew = SKEW_TICKS};
        struct state state;

        if ((search->model->kinds >> kind & 1) == 0)
            continue;
        for (uint32_t i = 0; i < search->model->items; i++) {
            world.items[i].kind = (uint8_t)kind;
            world.items[i].disk = model_new_value((enum kind)kind);
        }
        search->found = true; /* nothing is expanded that it could share items with */
        state = state_of(search, &world);
        search->found = false;
        look_up(search, &state, true);
    }
}

static uint64_t mark_ends(struct search *search)
{
    uint64_t count = search->state_index.count, left = 0, before;

    search->ends = reserve(count / 8 + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct state *state = &search->states[i];
        struct world world = {.items[0] = search->locals[state->items[0]]};

        if (search->model->items == 2)
            world.items[1] = search->locals[state->items[1]];
        if (model_is_at_end(search->model, &world))
            search->ends[i / 8] |= (uint8_t)(1u << i % 8);
        else
            left++;
    }
    do {
        before = left;
        for (uint64_t i = count; i-- > 0;) {
            if ((search->ends[i / 8] >> i % 8 & 1) != 0)
                continue;
            search->found = false;
            expand(search, (uint32_t)i, find_end);
            if (search->found) {
                search->ends[i / 8] |= (uint8_t)(1u << i % 8);
                left--;
            }
        }
    } while (left != before && left > 0);
    search->found = false;
    return left;
}

static uint32_t first_dead_end(const struct search *search)
{
    for (uint32_t i = 0; i < search->state_index.count; i++)
        if ((search->ends[i / 8] >> i % 8 & 1) == 0)
            return i;
    return NONE;
}

static void look_for_ends(struct search *search, struct search_result *result, bool trace)
{
    uint64_t moves = search->moves;

    result->dead_ends = mark_ends(search);
    search->moves = moves;
    if (result->dead_ends == 0)
        return;
    result->broken = "no end can be reached any more";
    search->target = first_dead_end(search);
    result->trace_length = depth_of(search, search->target);
    if (trace) {
        printf("  LAW BROKEN: %s\n", result->broken);
        tell_way(search, search->target);
    }
}

static void tell_broken(struct search *search, struct search_result *result, bool trace)
{
    struct action action = search->action;
    struct world world = search->result;

    result->broken = search->broken;
    result->trace_length = depth_of(search, search->target) + 1;
    if (!trace)
        return;
    printf("  LAW BROKEN: %s\n", search->broken);
    tell_way(search, search->target);
    tell(search->model, result->trace_length, &action, &world);
}

struct search_result model_search(struct model *model, uint64_t states_max, bool checks_ends,
                                  bool trace)
{
    struct search search = {.model = model,
                            .states_max = states_max,
                            .locals_max = states_max / (model->items == 1 ? 1 : 4) + 1000};
    struct search_result result = {0};
    uint64_t level_end;

    model->broken = NULL;
    model_read_table(model->rules, &model->readings);
    search.locals = reserve(search.locals_max * sizeof search.locals[0]);
    search.states = reserve(states_max * sizeof search.states[0]);
    search.parents = reserve(states_max * sizeof search.parents[0]);
    make_index(&search.local_index, 1u << 16);
    make_index(&search.state_index, 1u << 16);
    begin(&search);
    level_end = search.state_index.count;
    for (uint32_t i = 0; i < search.state_index.count && search.broken == NULL && !search.is_full;
         i++) {
        if (i == level_end) {
            level_end = search.state_index.count;
            result.depth++;
            if (search.state_index.count >= TOLD_FROM)
                (void)fprintf(stderr, "depth %llu: %u states, %u of them expanded\n",
                              (unsigned long long)result.depth, search.state_index.count, i);
        }
        expand(&search, i, find_new);
    }
    if (search.is_full)
        result.broken = "there are more states than the search may hold";
    else if (search.broken != NULL)
        tell_broken(&search, &result, trace);
    else if (checks_ends)
        look_for_ends(&search, &result, trace);
    result.states = search.state_index.count;
    result.locals = search.local_index.count;
    result.moves = search.moves;
    result.bytes = result.states * (sizeof search.states[0] + sizeof search.parents[0]) +
                   result.locals * sizeof search.locals[0] +
                   (search.state_index.mask + 1 + search.local_index.mask + 1) * sizeof(uint32_t) +
                   (checks_ends ? result.states / 8 : 0);
    munmap(search.locals, search.locals_max * sizeof search.locals[0]);
    munmap(search.states, states_max * sizeof search.states[0]);
    munmap(search.parents, states_max * sizeof search.parents[0]);
    if (search.ends != NULL)
        munmap(search.ends, result.states / 8 + 1);
    free_index(&search.local_index);
    free_index(&search.state_index);
    return result;
}
