#include "entities.h"

#include "api.h"
#include "filter.h"
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMBERS_MAX (2 * SCAN_MEMBERS_MAX)
#define CURSOR_MAX (((uint64_t)UINT32_MAX << 8) | UINT8_MAX)

struct entity {
    const struct job *made;
    uint32_t copy;         /* a create that acted twice has made two */
    uint32_t first_update; /* numbers in `updates`, from 1; 0: none */
    uint32_t last_update;
    bool is_deleted;
    char id[UUID_LENGTH + 1];
    size_t id_length;
};

struct update {
    const struct job *job;
    uint32_t next; /* of the same object; 0: none */
};

/* A collection as one read sees it. */
struct collection {
    struct sim *sim;
    const struct operation *create;
    struct entity *all;
    size_t count;
    struct update *updates;
    uint32_t update_count;
    struct table by_id; /* hash of an id -> number */
};

/* One object, put together for a read. */
struct object {
    struct scan_member members[MEMBERS_MAX];
    size_t count;
    char made_at[SIM_TIME_BYTES]; /* raw JSON strings */
    char changed_at[SIM_TIME_BYTES];
    char id[UUID_LENGTH + 3];
};

static const struct operation *create_at(struct slice path)
{
    bool ignored;
    const struct operation *create = operation_match(METHOD_POST, path, &ignored);

    return create != NULL && create->wrapper[0] != '\0' && !create->without_token &&
                   (create->answer == ANSWER_ENTITY ||
                    create->answer == ANSWER_ENTITY_WITH_CONNECTION ||
                    create->answer == ANSWER_FEED_TRANSACTIONS)
               ? create
               : NULL;
}

bool entities_are_at(struct slice path)
{
    return create_at(path) != NULL;
}

/* Whether `path` names an object of the collection at `parent`. */
static bool is_inside(struct slice path, struct slice parent)
{
    return path.length > parent.length + 1 && slice_starts_with(path, parent) &&
           path.bytes[parent.length] == '/' &&
           memchr(path.bytes + parent.length + 1, '/', path.length - parent.length - 1) == NULL;
}

static uint64_t id_hash(struct slice id)
{
    return hash_bytes(9, id);
}

static void add_made(struct collection *collection, const struct job *job, uint32_t copy)
{
    struct entity *entity;
    struct slice own = scan_unquoted(job->own_id);

    if ((collection->count & (collection->count + 1)) == 0)
        collection->all =
            memory_grow(collection->all, (collection->count + 1) * 2 * sizeof(struct entity));
    entity = &collection->all[collection->count++];
    *entity = (struct entity){.made = job, .copy = copy};
    if (own.length > 0 && own.length <= UUID_LENGTH) {
        memcpy(entity->id, own.bytes, own.length);
        entity->id_length = own.length;
    } else {
        uuid_format(entity->id, job->entity[0], job->entity[1] + copy);
        entity->id_length = UUID_LENGTH;
    }
    table_at(&collection->by_id, id_hash((struct slice){entity->id, entity->id_length}))->value =
        (uint32_t)collection->count;
}

static void add_update(struct collection *collection, const struct job *job)
{
    struct slice id = path_segment_from_end(job->path, 0);
    struct table_slot *slot = table_find(&collection->by_id, id_hash(id));
    struct entity *entity;

    if (slot == NULL)
        return;
    entity = &collection->all[slot->value - 1];
    if (job->operation->method == METHOD_DELETE) {
        entity->is_deleted = true;
        return;
    }
    if ((collection->update_count & (collection->update_count + 1)) == 0)
        collection->updates =
            memory_grow(collection->updates,
                        ((size_t)collection->update_count + 1) * 2 * sizeof(struct update));
    collection->updates[collection->update_count++] = (struct update){.job = job};
    if (entity->last_update == 0)
        entity->first_update = collection->update_count;
    else
        collection->updates[entity->last_update - 1].next = collection->update_count;
    entity->last_update = collection->update_count;
}

/* Reads are of what was synchronised: nothing later is seen. */
static void collect(struct collection *collection, struct sim *sim,
                    const struct connection *connection, struct slice path)
{
    int64_t until_ms = sim_synced_ms(sim);

    *collection = (struct collection){.sim = sim, .create = create_at(path)};
    for (uint32_t number = sim->jobs.forgotten + 1; number <= sim->jobs.last; number++) {
        const struct job *job = jobs_at(&sim->jobs, number);

        if (job->effects == 0 || job->connection != connection || job->finished_ms > until_ms)
            continue;
        if (job->operation == collection->create && slice_equal(job->path, path)) {
            for (uint32_t copy = 0; copy < job->effects; copy++)
                add_made(collection, job, copy);
        } else if (job->operation->method != METHOD_POST && is_inside(job->path, path)) {
            add_update(collection, job);
        }
    }
}

static void forget(struct collection *collection)
{
    free(collection->all);
    free(collection->updates);
    table_reset(&collection->by_id);
}

static void set_member(struct object *object, struct slice name, struct slice value)
{
    for (size_t i = 0; i < object->count; i++) {
        if (slice_equal(object->members[i].name, name)) {
            object->members[i].value = value;
            return;
        }
    }
    if (object->count < MEMBERS_MAX)
        object->members[object->count++] = (struct scan_member){name, value};
}

static void set_members(struct object *object, struct slice fields)
{
    static struct scan scan;

    if (fields.length == 0)
        return;
    scan_body(fields, (struct slice){NULL, 0}, &scan);
    for (size_t i = 0; i < scan.member_count; i++)
        set_member(object, scan.members[i].name, scan.members[i].value);
}

static int64_t wall_of(const struct sim *sim, int64_t at_ms)
{
    return sim_wall_ms(sim) - sim->now_ms + at_ms;
}

static int64_t changed_ms(const struct collection *collection, const struct entity *entity)
{
    return entity->last_update == 0 ? entity->made->finished_ms
                                    : collection->updates[entity->last_update - 1].job->finished_ms;
}

static void put_together(struct object *object, const struct collection *collection,
                         const struct entity *entity)
{
    const struct sim *sim = collection->sim;
    uint32_t update;
    int length;

    object->count = 0;
    length =
        snprintf(object->id, sizeof object->id, "\"%.*s\"", (int)entity->id_length, entity->id);
    set_member(object, SLICE("id"), (struct slice){object->id, (size_t)length});
    sim_format_time(wall_of(sim, entity->made->finished_ms), object->made_at);
    set_member(object, SLICE("created_at"), slice_of(object->made_at));
    sim_format_time(wall_of(sim, changed_ms(collection, entity)), object->changed_at);
    set_member(object, SLICE("updated_at"), slice_of(object->changed_at));
    set_members(object, entity->made->wrapper);
    for (update = entity->first_update; update != 0; update = collection->updates[update - 1].next)
        set_members(object, collection->updates[update - 1].job->wrapper);
}

static struct slice object_member(const void *object, struct slice name)
{
    const struct object *self = object;

    for (size_t i = 0; i < self->count; i++)
        if (slice_equal(self->members[i].name, name))
            return self->members[i].value;
    return (struct slice){NULL, 0};
}

static void add_object(struct text *text, const struct object *object)
{
    for (size_t i = 0; i < object->count; i++) {
        text_add(text, i == 0 ? SLICE("{\"") : SLICE(",\""));
        text_add(text, object->members[i].name);
        text_add(text, SLICE("\":"));
        text_add(text, object->members[i].value);
    }
    text_add(text, SLICE("}"));
}

/* --- one page --- */

struct page {
    uint64_t limit;
    uint64_t after; /* place of the last object of the page before */
    struct text filter;
};

static uint64_t place_of(const struct entity *entity)
{
    return (uint64_t)entity->made->number << 8 | entity->copy;
}

static void add_condition(struct text *filter, const char *name, const char *operator,
                          struct slice value)
{
    if (filter->length > 0)
        text_add(filter, SLICE(" AND "));
    text_addf(filter, "%s %s \"", name, operator);
    for (size_t i = 0; i < value.length; i++) {
        if (value.bytes[i] == '"' || value.bytes[i] == '\\')
            text_add(filter, SLICE("\\"));
        text_add(filter, (struct slice){value.bytes + i, 1});
    }
    text_add(filter, SLICE("\""));
}

/* The parameters that ask for one value of one member, and those that bound a time. */
static const char *add_parameters(struct slice query, struct text *filter)
{
    static const char *const members[] = {"name",  "status",       "order_number", "email",
                                          "phone", "account_type", "expense_type"};
    static const struct {
        const char *parameter;
        const char *member;
        const char *operator;
    } bounds[] = {{"created_at_min", "created_at", ">="},
                  {"created_at_max", "created_at", "<="},
                  {"updated_at_min", "updated_at", ">="},
                  {"updated_at_max", "updated_at", "<="}};

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct slice raw = query_value(query, slice_of(members[i]));
        struct text value = {0};

        if (raw.length == 0)
            continue;
        text_add_decoded(&value, raw);
        add_condition(filter, members[i], "=", text_slice(&value));
        text_free(&value);
    }
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct slice raw = query_value(query, slice_of(bounds[i].parameter));
        char when[SIM_TIME_BYTES];
        uint64_t ms;

        if (raw.length == 0)
            continue;
        if (!slice_to_number(raw, 253402300799999, &ms))
            return "a time is not a number of milliseconds";
        sim_format_time((int64_t)ms, when);
        add_condition(filter, bounds[i].member, bounds[i].operator, scan_unquoted(slice_of(when)));
    }
    return NULL;
}

static const char *read_page(struct slice query, struct page *page)
{
    struct slice limit = query_value(query, SLICE("limit"));
    struct slice cursor = query_value(query, SLICE("cursor"));
    struct slice filter = query_value(query, SLICE("filter"));
    const char *problem;

    *page = (struct page){.limit = LIST_LIMIT};
    if (limit.length > 0 &&
        (!slice_to_number(limit, LIST_LIMIT_MAX, &page->limit) || page->limit == 0))
        return "limit is not a number from 1 to 500";
    if (cursor.length > 0 && !slice_to_number(cursor, CURSOR_MAX, &page->after))
        return "cursor is none that was given out";
    if (filter.length > 0) {
        text_add(&page->filter, SLICE("("));
        text_add_decoded(&page->filter, filter);
        text_add(&page->filter, SLICE(")"));
    }
    problem = add_parameters(query, &page->filter);
    if (problem == NULL && page->filter.length > 0)
        problem = filter_problem(text_slice(&page->filter));
    return problem;
}

/* Adds the objects of the page; returns the place of the last, 0 when none follows. */
static uint64_t add_objects(struct text *text, const struct collection *collection,
                            const struct page *page)
{
    static struct object object; /* one thread; large */
    uint64_t added = 0, last = 0;

    for (size_t i = 0; i < collection->count; i++) {
        const struct entity *entity = &collection->all[i];

        if (entity->is_deleted || place_of(entity) <= page->after)
            continue;
        put_together(&object, collection, entity);
        if (page->filter.length > 0 &&
            !filter_fits(text_slice(&page->filter), object_member, &object))
            continue;
        if (added == page->limit)
            return last;
        if (added++ > 0)
            text_add(text, SLICE(","));
        add_object(text, &object);
        last = place_of(entity);
    }
    return 0;
}

static void add_plural(struct text *text, const struct operation *create, struct slice path)
{
    if (strncmp(create->wrapper, "bank_feed_", 10) == 0)
        text_add(text, SLICE("bank_feed_"));
    text_add(text, path_segment_from_end(path, 0));
}

const char *entities_add_list(struct text *text, struct sim *sim,
                              const struct connection *connection, struct slice path,
                              struct slice query)
{
    struct collection collection;
    struct page page;
    const char *problem = read_page(query, &page);
    uint64_t next;

    if (problem == NULL) {
        collect(&collection, sim, connection, path);
        text_add(text, SLICE("{\"connection\":"));
        add_connection(text, sim, connection);
        text_add(text, SLICE(",\""));
        add_plural(text, collection.create, path);
        text_add(text, SLICE("\":["));
        next = add_objects(text, &collection, &page);
        if (next == 0)
            text_add(text, SLICE("],\"next_cursor\":null}"));
        else
            text_addf(text, "],\"next_cursor\":\"%llu\"}", (unsigned long long)next);
        forget(&collection);
    }
    text_free(&page.filter);
    return problem;
}

bool entities_add_one(struct text *text, struct sim *sim, const struct connection *connection,
                      struct slice path)
{
    static struct object object; /* one thread; large */
    struct slice id = path_segment_from_end(path, 0);
    struct slice parent = {path.bytes, path.length - id.length - (id.length < path.length)};
    struct collection collection;
    const struct table_slot *slot;
    bool is_found;

    if (!entities_are_at(parent))
        return false;
    collect(&collection, sim, connection, parent);
    slot = table_find(&collection.by_id, id_hash(id));
    is_found = slot != NULL && !collection.all[slot->value - 1].is_deleted;
    if (is_found) {
        put_together(&object, &collection, &collection.all[slot->value - 1]);
        text_add(text, SLICE("{\"connection\":"));
        add_connection(text, sim, connection);
        text_addf(text, ",\"%s\":", collection.create->answered);
        add_object(text, &object);
        text_add(text, SLICE("}"));
    }
    forget(&collection);
    return is_found;
}
