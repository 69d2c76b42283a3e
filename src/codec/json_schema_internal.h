/* A compiled schema, and what the files that make and use it share. */
#ifndef PURSER_CODEC_JSON_SCHEMA_INTERNAL_H
#define PURSER_CODEC_JSON_SCHEMA_INTERNAL_H

#include "json_schema_pattern.h"
#include "purser/codec/json_schema.h"

/* Bits of json_schema.types, in the order in which messages name them. */
enum json_type {
    TYPE_STRING = 1 << 0,
    TYPE_NUMBER = 1 << 1,
    TYPE_INTEGER = 1 << 2,
    TYPE_BOOLEAN = 1 << 3,
    TYPE_ARRAY = 1 << 4,
    TYPE_OBJECT = 1 << 5,
    TYPE_NULL = 1 << 6,
};
enum { TYPE_COUNT = 7 };

enum json_format { FORMAT_NONE, FORMAT_UUID, FORMAT_URI, FORMAT_EMAIL };

struct json_property {
    struct slice name;
    const struct json_schema *schema; /* NULL = anything */
    bool declared;                    /* in properties; else only in required */
    bool required;
};

/* Schemas that apply to the same value. */
struct json_forms {
    const struct json_schema **items;
    size_t count;
};

struct json_bound {
    struct slice number; /* bytes NULL = none */
    bool exclusive;
};

struct json_length {
    bool set;
    uint64_t count;
};

struct json_schema {
    const struct value *source;
    struct json_schema *next_pending;
    bool never;     /* the schema `false` */
    bool nullable;  /* null fits, whatever else is said */
    unsigned types; /* 0 = any */
    enum json_format format;
    const struct json_schema *reference;    /* NULL = none */
    const struct json_property *properties; /* sorted by name */
    size_t property_count, required_count;
    const struct json_schema *additional; /* NULL = anything */
    const struct json_schema *items;      /* NULL = anything */
    struct json_forms all_of, any_of, one_of;
    const struct value *choices; /* a list: enum; NULL = none */
    const struct value *constant;
    struct json_bound minimum, maximum;
    struct json_length min_length, max_length, min_items, max_items;
    const struct json_pattern *pattern;
    struct slice pattern_text;
};

struct json_schema_set {
    struct arena *arena;
    const struct value *document;
    struct json_schema **table; /* by source; open addressing */
    size_t capacity, count;
    struct json_schema *pending; /* named, not yet filled */
    struct json_schema_note notes[JSON_SCHEMA_NOTES_MAX];
    size_t note_count;
    enum err_code failed; /* sticky */
};

/* The order of property names. */
int json_name_compare(struct slice a, struct slice b);

/* A name from the document as arguments of "%.*s", at most 64 bytes of it. */
#define NOTE_NAME(slice) ((slice).length < 64 ? (int)(slice).length : 64), (slice).bytes

/* json_schema_check.c: NULL when the schema itself says nothing of the name. */
const struct json_property *json_schema_property(const struct json_schema *schema,
                                                 struct slice name);

/* json_schema_set.c: the schema of `source`, to be filled later; NULL for one that anything fits,
 * and when set->failed. Leads through schemas that are nothing but a $ref. */
const struct json_schema *json_schema_of(struct json_schema_set *set, const struct value *source);
void *json_schema_new(struct json_schema_set *set, size_t count, size_t size);
/* Counts a note. */
void json_schema_note(struct json_schema_set *set, bool is_flaw, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* json_schema_compile.c: reads the keywords of schema->source. */
void json_schema_fill(struct json_schema_set *set, struct json_schema *schema);
/* True for a keyword that tells people something and judges nothing: description, default … */
bool json_schema_is_annotation(struct slice keyword);

/* json_schema_format.c */
enum json_format json_format_named(struct slice name);
bool json_format_fits(enum json_format format, struct slice text);
const char *json_format_help(enum json_format format); /* "a UUID, as in …" */

/* json_schema_equal.c: the equality of enum and const: numbers by their worth, maps in any order.
 */
bool json_schema_equal(const struct value *a, const struct value *b);

#endif
