#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "json_schema_walk.h"
#include "purser/codec/decimal.h"

enum { WRONG_TYPE_FAULTS = 1000 };

/* `open`: a part of an allOf, which cannot know all members. */
static void check(struct walk *walk, const struct json_schema *schema, const struct value *value,
                  bool open);

static bool fits_types(unsigned types, const struct value *value)
{
    static const unsigned bits[] = {
        [VALUE_OMIT] = 0,
        [VALUE_NULL] = TYPE_NULL,
        [VALUE_BOOL] = TYPE_BOOLEAN,
        [VALUE_NUMBER] = TYPE_NUMBER,
        [VALUE_STRING] = TYPE_STRING,
        [VALUE_LIST] = TYPE_ARRAY,
        [VALUE_MAP] = TYPE_OBJECT,
        [VALUE_UNKNOWN] = 0, /* is not checked */
    };

    return types == 0 || (types & bits[value->kind]) != 0 ||
           (value->kind == VALUE_NUMBER && (types & TYPE_INTEGER) != 0 &&
            decimal_is_whole(value->text));
}

/* -- scalars --------------------------------------------------------------------------------- */

static size_t character_count(struct slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.bytes[i] & 0xc0) != 0x80;
    return count;
}

static void check_text(struct walk *walk, const struct json_schema *schema,
                       const struct value *value)
{
    if (schema->max_length.set || schema->min_length.set) {
        size_t count = character_count(value->text);

        if (schema->max_length.set && count > schema->max_length.count)
            walk_refuse(walk, NULL, "has %zu characters, at most %llu are taken", count,
                        (unsigned long long)schema->max_length.count);
        if (schema->min_length.set && count < schema->min_length.count)
            walk_refuse(walk, NULL, "has %zu characters, must have at least %llu", count,
                        (unsigned long long)schema->min_length.count);
    }
    if (schema->format != FORMAT_NONE && !json_format_fits(schema->format, value->text))
        walk_refuse(walk, NULL, "must be %s", json_format_help(schema->format));
    if (schema->pattern != NULL && !json_pattern_found(schema->pattern, value->text))
        walk_refuse(walk, NULL, "does not match the pattern %.*s",
                    (int)(schema->pattern_text.length < 128 ? schema->pattern_text.length : 128),
                    schema->pattern_text.bytes);
}

static void check_number(struct walk *walk, const struct json_schema *schema,
                         const struct value *value)
{
    const struct json_bound *bound = &schema->minimum;
    int order;

    if (bound->number.bytes != NULL) {
        order = decimal_compare(value->text, bound->number);
        if (order < 0 || (order == 0 && bound->exclusive))
            walk_refuse_bound(walk, bound, "at least", "more than", value);
    }
    bound = &schema->maximum;
    if (bound->number.bytes != NULL) {
        order = decimal_compare(value->text, bound->number);
        if (order > 0 || (order == 0 && bound->exclusive))
            walk_refuse_bound(walk, bound, "at most", "less than", value);
    }
}

static bool is_among(const struct value *choices, const struct value *value)
{
    for (size_t i = 0; i < choices->list.count; i++)
        if (json_schema_equal(&choices->list.items[i], value))
            return true;
    return false;
}

/* -- lists and maps -------------------------------------------------------------------------- */

/* Goes to a member or an item, and checks it there. */
static void check_below(struct walk *walk, struct path_step step, const struct json_schema *schema,
                        const struct value *value)
{
    if (walk->depth == sizeof walk->path / sizeof walk->path[0]) {
        walk->stopped = true;
        return;
    }
    walk->path[walk->depth++] = step;
    check(walk, schema, value, false);
    walk->depth--;
}

static void check_list(struct walk *walk, const struct json_schema *schema,
                       const struct value *value)
{
    size_t count = value->list.count;

    if (schema->min_items.set && count < schema->min_items.count)
        walk_refuse(walk, NULL, "has %zu items, must have at least %llu", count,
                    (unsigned long long)schema->min_items.count);
    if (schema->max_items.set && count > schema->max_items.count)
        walk_refuse(walk, NULL, "has %zu items, at most %llu are taken", count,
                    (unsigned long long)schema->max_items.count);
    for (size_t i = 0; schema->items != NULL && i < count && !walk_is_done(walk); i++)
        check_below(walk, (struct path_step){.index = i}, schema->items, &value->list.items[i]);
}

const struct json_property *json_schema_property(const struct json_schema *schema,
                                                 struct slice name)
{
    size_t low = 0, high = schema->property_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = json_name_compare(name, schema->properties[middle].name);

        if (order == 0)
            return &schema->properties[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void check_undeclared(struct walk *walk, const struct json_schema *schema,
                             struct path_step step, const struct value *value)
{
    if (walk->depth == 0 && walk->undeclared != NULL && slice_is(step.name, walk->undeclared))
        return;
    if (!schema->additional->never) {
        check_below(walk, step, schema->additional, value);
        return;
    }
    if (walk->depth == sizeof walk->path / sizeof walk->path[0]) {
        walk->stopped = true;
        return;
    }
    walk->path[walk->depth++] = step;
    walk_refuse_member(walk, schema, step.name);
    walk->depth--;
}

static void check_map(struct walk *walk, const struct json_schema *schema,
                      const struct value *value, bool open)
{
    size_t required = 0;

    for (size_t i = 0; i < value->map.count && !walk_is_done(walk); i++) {
        struct path_step step = {.name = value->map.names[i]};
        const struct json_property *property = json_schema_property(schema, step.name);

        required += property != NULL && property->required;
        if (property != NULL && property->declared)
            check_below(walk, step, property->schema, &value->map.values[i]);
        else if (schema->additional != NULL && !open)
            check_undeclared(walk, schema, step, &value->map.values[i]);
    }
    if (required < schema->required_count && !walk_is_done(walk))
        walk_refuse_gaps(walk, schema, value);
}

/* -- forms ----------------------------------------------------------------------------------- */

static bool fits_form(struct walk *walk, const struct json_schema *form, const struct value *value,
                      bool open)
{
    enum walk_mode mode = walk->mode;
    unsigned faults = walk->faults;
    bool fits;

    walk->mode = WALK_ASK;
    walk->faults = 0;
    check(walk, form, value, open);
    fits = walk->faults == 0;
    walk->mode = mode;
    walk->faults = faults;
    return fits;
}

/* The types that the schema itself takes; 0 when it does not say. */
static unsigned types_of(const struct json_schema *schema)
{
    for (int i = 0; schema->types == 0 && schema->reference != NULL && i < 8; i++)
        schema = schema->reference;
    return schema->types == 0 ? 0 : schema->types | (schema->nullable ? TYPE_NULL : 0);
}

/* How far the value is from fitting. */
static unsigned distance(struct walk *walk, const struct json_schema *form,
                         const struct value *value, bool open)
{
    enum walk_mode mode = walk->mode;
    unsigned faults = walk->faults, found;

    walk->mode = WALK_COUNT;
    walk->faults = 0;
    check(walk, form, value, open);
    found = walk->faults + (fits_types(types_of(form), value) ? 0 : WRONG_TYPE_FAULTS);
    walk->mode = mode;
    walk->faults = faults;
    return found;
}

/* Says of each violation since `first` that there were other forms. */
static void mention_forms(struct walk *walk, size_t first, size_t form_count)
{
    for (size_t i = first; i < walk->verdict->count; i++) {
        struct json_schema_violation *violation = &walk->verdict->violations[i];

        if (violation->help[0] == '\0')
            (void)snprintf(violation->help, sizeof violation->help,
                           "none of %zu forms fits; this is said of the closest", form_count);
    }
}

static void refuse_forms(struct walk *walk, const struct json_forms *forms,
                         const struct value *value, bool open)
{
    unsigned types = 0, least = 0;
    size_t closest = 0, first = walk->verdict->count;
    bool by_type = true;

    for (size_t i = 0; i < forms->count && !walk->stopped; i++) {
        unsigned form_types = types_of(forms->items[i]);
        unsigned away = distance(walk, forms->items[i], value, open);

        by_type = by_type && !fits_types(form_types, value);
        types |= form_types;
        if (i == 0 || away < least) {
            least = away;
            closest = i;
        }
    }
    if (by_type) {
        walk_refuse_type(walk, types, value);
        return;
    }
    check(walk, forms->items[closest], value, open);
    if (walk->mode == WALK_TELL)
        mention_forms(walk, first, forms->count);
}

static void check_forms(struct walk *walk, const struct json_forms *forms,
                        const struct value *value, bool open)
{
    for (size_t i = 0; i < forms->count; i++)
        if (forms->items[i] == NULL || fits_form(walk, forms->items[i], value, open))
            return;
    if (forms->count == 0 || walk_is_done(walk))
        return;
    if (walk->mode == WALK_ASK)
        walk->faults++;
    else
        refuse_forms(walk, forms, value, open);
}

/* -- the whole ------------------------------------------------------------------------------- */

static void check_value(struct walk *walk, const struct json_schema *schema,
                        const struct value *value, bool open)
{
    switch (value->kind) {
    case VALUE_STRING:
        check_text(walk, schema, value);
        break;
    case VALUE_NUMBER:
        check_number(walk, schema, value);
        break;
    case VALUE_LIST:
        check_list(walk, schema, value);
        break;
    case VALUE_MAP:
        check_map(walk, schema, value, open);
        break;
    case VALUE_OMIT:
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_UNKNOWN:
        break;
    }
    if (schema->choices != NULL && !is_among(schema->choices, value))
        walk_refuse_choice(walk, schema->choices, value);
    if (schema->constant != NULL && !json_schema_equal(schema->constant, value))
        walk_refuse_choice(walk, &(struct value){.kind = VALUE_LIST, .list = {schema->constant, 1}},
                           value);
}

static void check_parts(struct walk *walk, const struct json_schema *schema,
                        const struct value *value, bool open)
{
    bool others =
        schema->property_count > 0 || schema->any_of.count > 0 || schema->one_of.count > 0;
    size_t parts = schema->all_of.count + (schema->reference != NULL);

    if (schema->reference != NULL)
        check(walk, schema->reference, value, open || others || parts > 1);
    for (size_t i = 0; i < schema->all_of.count; i++)
        check(walk, schema->all_of.items[i], value, open || others || parts > 1);
    check_forms(walk, &schema->any_of, value, open);
    check_forms(walk, &schema->one_of, value, open);
}

static void check(struct walk *walk, const struct json_schema *schema, const struct value *value,
                  bool open)
{
    if (schema == NULL || value->kind == VALUE_OMIT || value->kind == VALUE_UNKNOWN ||
        walk_is_done(walk) || (schema->nullable && value->kind == VALUE_NULL))
        return;
    if (walk->nested == SCHEMA_DEPTH_MAX || walk->steps == SCHEMA_STEPS_MAX) {
        walk->stopped = true;
        return;
    }
    walk->steps++;
    walk->nested++;
    if (schema->never)
        walk_refuse(walk, NULL, "is not allowed here");
    else if (!fits_types(schema->types, value))
        walk_refuse_type(walk, schema->types, value);
    else {
        check_value(walk, schema, value, open);
        check_parts(walk, schema, value, open);
    }
    walk->nested--;
}

bool json_schema_check(const struct json_schema *schema, const struct value *value,
                       const char *root, const char *undeclared,
                       struct json_schema_verdict *verdict_out)
{
    struct walk walk = {
        .mode = WALK_TELL, .root = root, .undeclared = undeclared, .verdict = verdict_out};

    verdict_out->count = 0;
    check(&walk, schema, value, false);
    if (walk.stopped) {
        verdict_out->count = 0;
        walk.depth = 0;
        walk_refuse(&walk, NULL,
                    "cannot be judged: that takes more than %u steps, or schemas that are more "
                    "than %d deep in one another",
                    SCHEMA_STEPS_MAX, SCHEMA_DEPTH_MAX);
    }
    return walk.faults == 0;
}
