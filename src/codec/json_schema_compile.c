#include <stdlib.h>
#include <string.h>

#include "json_schema_internal.h"
#include "purser/codec/decimal.h"

typedef void keyword_fn(struct json_schema_set *set, struct json_schema *schema,
                        const struct value *value);

static void odd(struct json_schema_set *set, const char *keyword, const struct value *value)
{
    json_schema_note(set, true, "the keyword '%s' holds a %s: not judged", keyword,
                     value_kind_name(value->kind));
}

/* -- what a value is ------------------------------------------------------------------------- */

static unsigned type_named(struct slice name)
{
    static const char *const names[TYPE_COUNT] = {"string", "number", "integer", "boolean",
                                                  "array",  "object", "null"};

    for (unsigned i = 0; i < TYPE_COUNT; i++)
        if (slice_is(name, names[i]))
            return 1u << i;
    return 0;
}

static void read_type(struct json_schema_set *set, struct json_schema *schema,
                      const struct value *value)
{
    const struct value *items = value->kind == VALUE_LIST ? value->list.items : value;
    size_t count = value->kind == VALUE_LIST ? value->list.count : 1;
    unsigned types = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned type = items[i].kind == VALUE_STRING ? type_named(items[i].text) : 0;

        if (type == 0) {
            json_schema_note(set, true, "a type that is none is not judged");
            return;
        }
        types |= type;
    }
    schema->types = types;
}

static void read_nullable(struct json_schema_set *set, struct json_schema *schema,
                          const struct value *value)
{
    (void)set;
    schema->nullable = value->kind == VALUE_BOOL && value->boolean;
}

static void read_enum(struct json_schema_set *set, struct json_schema *schema,
                      const struct value *value)
{
    if (value->kind == VALUE_LIST)
        schema->choices = value;
    else
        odd(set, "enum", value);
}

static void read_const(struct json_schema_set *set, struct json_schema *schema,
                       const struct value *value)
{
    (void)set;
    schema->constant = value;
}

static void read_format(struct json_schema_set *set, struct json_schema *schema,
                        const struct value *value)
{
    if (value->kind != VALUE_STRING) {
        odd(set, "format", value);
        return;
    }
    schema->format = json_format_named(value->text);
    if (schema->format == FORMAT_NONE)
        json_schema_note(set, false, "the format '%.*s' is not judged", NOTE_NAME(value->text));
}

static void read_pattern(struct json_schema_set *set, struct json_schema *schema,
                         const struct value *value)
{
    if (value->kind != VALUE_STRING) {
        odd(set, "pattern", value);
        return;
    }
    schema->pattern_text = value->text;
    switch (json_pattern_compile(set->arena, value->text, &schema->pattern)) {
    case PATTERN_OK:
        break;
    case PATTERN_NOT_JUDGED:
        json_schema_note(set, true, "the pattern %.*s is not judged", NOTE_NAME(value->text));
        break;
    case PATTERN_NO_MEMORY:
        set->failed = ERR_NO_MEMORY;
        break;
    }
}

/* -- bounds ---------------------------------------------------------------------------------- */

static void read_bound(struct json_schema_set *set, const char *keyword, struct json_bound *bound,
                       const struct value *value)
{
    if (value->kind == VALUE_NUMBER)
        bound->number = value->text;
    else
        odd(set, keyword, value);
}

static void read_minimum(struct json_schema_set *set, struct json_schema *schema,
                         const struct value *value)
{
    read_bound(set, "minimum", &schema->minimum, value);
}

static void read_maximum(struct json_schema_set *set, struct json_schema *schema,
                         const struct value *value)
{
    read_bound(set, "maximum", &schema->maximum, value);
}

/* A number of its own, or (draft 4) whether the bound itself is outside. Comes after the bound:
 * with both numbers given, the narrower one counts. */
static void read_exclusive(struct json_schema_set *set, const char *keyword,
                           struct json_bound *bound, const struct value *value, int direction)
{
    if (value->kind == VALUE_BOOL) {
        bound->exclusive = value->boolean;
    } else if (value->kind != VALUE_NUMBER) {
        odd(set, keyword, value);
    } else if (bound->number.bytes == NULL ||
               decimal_compare(value->text, bound->number) * direction >= 0) {
        *bound = (struct json_bound){value->text, true};
    }
}

static void read_exclusive_minimum(struct json_schema_set *set, struct json_schema *schema,
                                   const struct value *value)
{
    read_exclusive(set, "exclusiveMinimum", &schema->minimum, value, 1);
}

static void read_exclusive_maximum(struct json_schema_set *set, struct json_schema *schema,
                                   const struct value *value)
{
    read_exclusive(set, "exclusiveMaximum", &schema->maximum, value, -1);
}

static void read_length(struct json_schema_set *set, const char *keyword,
                        struct json_length *length, const struct value *value)
{
    int64_t count;

    if (value->kind != VALUE_NUMBER || !decimal_to_int64(value->text, &count) || count < 0) {
        odd(set, keyword, value);
        return;
    }
    *length = (struct json_length){true, (uint64_t)count};
}

static void read_min_length(struct json_schema_set *set, struct json_schema *schema,
                            const struct value *value)
{
    read_length(set, "minLength", &schema->min_length, value);
}

static void read_max_length(struct json_schema_set *set, struct json_schema *schema,
                            const struct value *value)
{
    read_length(set, "maxLength", &schema->max_length, value);
}

static void read_min_items(struct json_schema_set *set, struct json_schema *schema,
                           const struct value *value)
{
    read_length(set, "minItems", &schema->min_items, value);
}

static void read_max_items(struct json_schema_set *set, struct json_schema *schema,
                           const struct value *value)
{
    read_length(set, "maxItems", &schema->max_items, value);
}

/* -- schemas in schemas ---------------------------------------------------------------------- */

static void read_reference(struct json_schema_set *set, struct json_schema *schema,
                           const struct value *value)
{
    const struct value *target =
        value->kind == VALUE_STRING ? json_schema_resolve(set->document, value->text) : NULL;

    if (target == NULL && value->kind == VALUE_STRING)
        json_schema_note(set, true, "$ref: %.*s leads nowhere", NOTE_NAME(value->text));
    else if (target == NULL)
        odd(set, "$ref", value);
    else
        schema->reference = json_schema_of(set, target);
}

static void read_forms(struct json_schema_set *set, const char *keyword, struct json_forms *forms,
                       const struct value *value)
{
    if (value->kind != VALUE_LIST) {
        odd(set, keyword, value);
        return;
    }
    forms->items = json_schema_new(set, value->list.count, sizeof(const struct json_schema *));
    if (forms->items == NULL)
        return;
    for (size_t i = 0; i < value->list.count; i++)
        forms->items[i] = json_schema_of(set, &value->list.items[i]);
    forms->count = value->list.count;
}

static void read_all_of(struct json_schema_set *set, struct json_schema *schema,
                        const struct value *value)
{
    read_forms(set, "allOf", &schema->all_of, value);
}

static void read_any_of(struct json_schema_set *set, struct json_schema *schema,
                        const struct value *value)
{
    read_forms(set, "anyOf", &schema->any_of, value);
}

static void read_one_of(struct json_schema_set *set, struct json_schema *schema,
                        const struct value *value)
{
    read_forms(set, "oneOf", &schema->one_of, value);
}

static void read_items(struct json_schema_set *set, struct json_schema *schema,
                       const struct value *value)
{
    if (value->kind == VALUE_LIST) /* one schema for each place: older drafts */
        odd(set, "items", value);
    else
        schema->items = json_schema_of(set, value);
}

static void read_additional(struct json_schema_set *set, struct json_schema *schema,
                            const struct value *value)
{
    schema->additional = json_schema_of(set, value);
}

/* -- members --------------------------------------------------------------------------------- */

int json_name_compare(struct slice a, struct slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.bytes, b.bytes, shorter);

    if (order != 0)
        return order;
    return a.length < b.length ? -1 : a.length > b.length;
}

static int compare_properties(const void *left, const void *right)
{
    const struct json_property *a = left, *b = right;

    return json_name_compare(a->name, b->name);
}

/* Makes one of those that are equal: one from `properties`, some from `required`. */
static size_t merge(struct json_property *properties, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct json_property *last = kept == 0 ? NULL : &properties[kept - 1];

        if (last == NULL || !slice_equal(last->name, properties[i].name)) {
            properties[kept++] = properties[i];
            continue;
        }
        if (properties[i].declared)
            last->schema = properties[i].schema;
        last->declared = last->declared || properties[i].declared;
        last->required = last->required || properties[i].required;
    }
    return kept;
}

/* `properties` and `required` make one table. */
static void read_members(struct json_schema_set *set, struct json_schema *schema)
{
    struct value declared = value_member(schema->source, SLICE("properties"));
    struct value required = value_member(schema->source, SLICE("required"));
    size_t declared_count = declared.kind == VALUE_MAP ? declared.map.count : 0;
    size_t named_count = required.kind == VALUE_LIST ? required.list.count : 0, count = 0;
    struct json_property *properties;

    if (declared.kind != VALUE_MAP && declared.kind != VALUE_OMIT)
        odd(set, "properties", &declared);
    /* In a parameter, and by mistake elsewhere, `required` is true or false. */
    if (required.kind != VALUE_LIST && required.kind != VALUE_OMIT)
        odd(set, "required", &required);
    if (declared_count + named_count == 0)
        return;
    properties = json_schema_new(set, declared_count + named_count, sizeof *properties);
    if (properties == NULL)
        return;
    for (size_t i = 0; i < declared_count; i++)
        properties[count++] =
            (struct json_property){.name = declared.map.names[i],
                                   .schema = json_schema_of(set, &declared.map.values[i]),
                                   .declared = true};
    for (size_t i = 0; i < named_count; i++) {
        if (required.list.items[i].kind == VALUE_STRING)
            properties[count++] =
                (struct json_property){.name = required.list.items[i].text, .required = true};
        else
            odd(set, "required", &required.list.items[i]);
    }
    qsort(properties, count, sizeof *properties, compare_properties);
    schema->properties = properties;
    schema->property_count = merge(properties, count);
    for (size_t i = 0; i < schema->property_count; i++)
        schema->required_count += properties[i].required;
}

/* -- the whole ------------------------------------------------------------------------------- */

/* In the order in which they are read. */
static const struct keyword {
    const char *name;
    keyword_fn *read; /* NULL: read_members */
} keywords[] = {
    {"type", read_type},
    {"properties", NULL},
    {"required", NULL},
    {"additionalProperties", read_additional},
    {"$ref", read_reference},
    {"enum", read_enum},
    {"items", read_items},
    {"anyOf", read_any_of},
    {"allOf", read_all_of},
    {"oneOf", read_one_of},
    {"const", read_const},
    {"nullable", read_nullable},
    {"format", read_format},
    {"pattern", read_pattern},
    {"minimum", read_minimum},
    {"exclusiveMinimum", read_exclusive_minimum},
    {"maximum", read_maximum},
    {"exclusiveMaximum", read_exclusive_maximum},
    {"minLength", read_min_length},
    {"maxLength", read_max_length},
    {"minItems", read_min_items},
    {"maxItems", read_max_items},
};
enum { KEYWORD_COUNT = sizeof keywords / sizeof keywords[0] };

bool json_schema_is_annotation(struct slice keyword)
{
    static const char *const names[] = {"description", "title",         "default",  "example",
                                        "examples",    "deprecated",    "readOnly", "writeOnly",
                                        "xml",         "discriminator", "$comment", "$schema",
                                        "$id",         "externalDocs",  "$defs",    "definitions"};

    if (keyword.length >= 2 && keyword.bytes[0] == 'x' && keyword.bytes[1] == '-')
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_is(keyword, names[i]))
            return true;
    return false;
}

static void note_unknown(struct json_schema_set *set, struct json_schema *schema,
                         struct slice keyword)
{
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        if (slice_is(keyword, keywords[i].name))
            return;
    if (json_schema_is_annotation(keyword))
        return;
    json_schema_note(set, false, "the keyword '%.*s' is not judged", NOTE_NAME(keyword));
    /* These two say for which members and items the others do not speak. */
    if (slice_is(keyword, "patternProperties"))
        schema->additional = NULL;
    if (slice_is(keyword, "prefixItems"))
        schema->items = NULL;
}

void json_schema_fill(struct json_schema_set *set, struct json_schema *schema)
{
    const struct value *source = schema->source;

    if (source->kind == VALUE_BOOL) {
        schema->never = true;
        return;
    }
    read_members(set, schema);
    for (size_t i = 0; i < KEYWORD_COUNT; i++) {
        struct slice name = slice_of(keywords[i].name);

        for (size_t at = 0; keywords[i].read != NULL && at < source->map.count; at++)
            if (slice_equal(source->map.names[at], name))
                keywords[i].read(set, schema, &source->map.values[at]);
    }
    for (size_t i = 0; i < source->map.count; i++)
        note_unknown(set, schema, source->map.names[i]);
}
