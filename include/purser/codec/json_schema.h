/* JSON Schema: the schemas of a document, compiled, and values checked against them.
 *
 * Judged: type, enum, const, required, properties, additionalProperties, items, $ref within the
 * document, allOf, anyOf, oneOf, nullable, minimum, maximum, exclusiveMinimum and exclusiveMaximum
 * (numbers, and the booleans of older drafts), minLength, maxLength, minItems, maxItems, pattern,
 * format (uuid, uri, email). Numbers are compared as decimals, by their text. What a schema says
 * beyond that is passed over and noted, and never makes a value wrong. Four rules are more lenient
 * than the standard, because documents in use do not mean its letter:
 *   - `nullable: true` lets null pass whatever else the schema says;
 *   - oneOf is satisfied by one form or more;
 *   - additionalProperties: false in a part of an allOf does not refuse what other parts declare:
 *     it refuses nothing there;
 *   - null in the place of a schema, and a $ref that leads nowhere, let everything pass.
 *
 * Schemas may refer to each other in circles. Checking is bounded by SCHEMA_DEPTH_MAX and
 * SCHEMA_STEPS_MAX; a value that would take more is wrong with a message that says so.
 * Source: JSON Schema 2020-12; OpenAPI 3.1.0, section 4.8.24; OpenAPI 3.0.3 (nullable). */
#ifndef PURSER_CODEC_JSON_SCHEMA_H
#define PURSER_CODEC_JSON_SCHEMA_H

#include "purser/base/arena.h"
#include "purser/base/err.h"
#include "purser/codec/value.h"

struct json_schema;     /* one schema, compiled */
struct json_schema_set; /* those of one document */

/* Something in the schemas compiled so far that is not judged. */
struct json_schema_note {
    const char *text; /* "the keyword 'not' is not judged" */
    uint64_t count;   /* times met */
    bool is_flaw;     /* of the document; else only a keyword or format that is not judged */
};

#define JSON_SCHEMA_NOTES_MAX 32 /* different ones; more are dropped */

/* One thing that is wrong with a value. Texts are cut where they do not fit. */
struct json_schema_violation {
    char path[256];         /* "body.invoice.line_items[2].quantity" */
    char text[256];         /* "is text, must be a number" */
    char help[384];         /* "" = none */
    bool is_number_as_text; /* a number is wanted, and text is there */
};

#define JSON_SCHEMA_VIOLATIONS_MAX 8

struct json_schema_verdict {
    struct json_schema_violation violations[JSON_SCHEMA_VIOLATIONS_MAX];
    size_t count; /* of those kept; there may have been more */
};

/* An empty set for the schemas in `document`, which is borrowed and must outlive the set. Memory
 * comes from `arena`, now and whenever a schema is compiled. ERR_NO_MEMORY. */
enum err_code json_schema_set_new(struct arena *arena, const struct value *document,
                                  struct json_schema_set **set_out, struct err *err) ERR_CHECKED;

/* Compiles a schema that is a part of the document, and all that it leads to; what was compiled
 * before is found again. Errors: ERR_TOO_BIG (over SCHEMAS_MAX, or the arena is full),
 * ERR_NO_MEMORY; the set can then only be thrown away. */
enum err_code json_schema_compile(struct json_schema_set *set, const struct value *schema,
                                  const struct json_schema **schema_out,
                                  struct err *err) ERR_CHECKED;

/* What was noted so far. Borrowed until the next compilation. */
const struct json_schema_note *json_schema_notes(const struct json_schema_set *set,
                                                 size_t *count_out);

/* The part of the document that a JSON pointer in a fragment ("#/components/schemas/A~1B") names,
 * with %xx decoded; NULL when there is none or the reference leads out of the document.
 * Source: RFC 6901, section 6. */
const struct value *json_schema_resolve(const struct value *document, struct slice reference);

/* True when the schema asks for the member `name` in the map that its member `wrapper` is, or, with
 * an empty `wrapper`, in the map itself. */
bool json_schema_requires(const struct json_schema *schema, struct slice wrapper,
                          struct slice name);

/* True when `value` (as json_parse makes it) fits. A member that holds OMIT is there, what it holds
 * is not known, and fits everything. Otherwise what is wrong with it is in
 * *verdict_out, in the order of the value, under paths that start with `root`. The member
 * `undeclared` of the outermost map (NULL: none) may be there without being declared. */
bool json_schema_check(const struct json_schema *schema, const struct value *value,
                       const char *root, const char *undeclared,
                       struct json_schema_verdict *verdict_out);

#endif
