/* An OpenAPI 3 document: which operations an API has, and what their bodies must look like.
 *
 * Read are paths, methods, requestBody (application/json), x-supported-platforms and the schemas
 * that these lead to; everything else is passed over. An operation's schema is compiled when it is
 * first asked for, so a flaw in a schema that nobody uses does no harm.
 * Source: OpenAPI 3.1.0; Rutter's own document, of 2023-12, for x-supported-platforms. */
#ifndef PURSER_CODEC_OPENAPI_H
#define PURSER_CODEC_OPENAPI_H

#include "purser/base/diag.h"
#include "purser/codec/json_schema.h"
#include "purser/core/operation.h"

struct openapi;

struct openapi_operation {
    enum http_method method;
    struct slice path;              /* as the document writes it */
    const struct json_schema *body; /* of a JSON body; NULL = the document says nothing of one */
    bool body_required;
    const struct value *platforms; /* a list of texts; NULL = the document does not say */
};

/* Reads a document of JSON, or of YAML within the limits of codec/yaml. `file` and `bytes` are
 * borrowed and must outlive the document, which lives in `arena`. Errors: ERR_INPUT (YAML that is
 * not right has messages in `diagnostics`; anything else is in `err`), ERR_TOO_BIG, ERR_NO_MEMORY.
 */
enum err_code openapi_load(struct arena *arena, const char *file, const char *bytes, size_t length,
                           struct openapi **document_out, struct diagnostics *diagnostics,
                           struct err *err) ERR_CHECKED;

/* The operation for `path`, which is a path of a request or a template ("/products/{id}"). Segments
 * that a document writes {id} or :id stand for any; a path with fewer of them wins. *operation_out
 * is NULL when there is none. Errors: ERR_TOO_BIG, ERR_NO_MEMORY. */
enum err_code openapi_find(struct openapi *document, enum http_method method, struct slice path,
                           const struct openapi_operation **operation_out,
                           struct err *err) ERR_CHECKED;

/* True when the operation lists `platform`, or lists none. */
bool openapi_supports(const struct openapi_operation *operation, const char *platform);

/* The whole document, and its schemas. Borrowed. */
const struct value *openapi_value(const struct openapi *document);
struct json_schema_set *openapi_schemas(struct openapi *document);

#endif
