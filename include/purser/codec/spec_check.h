/* What the parts of the spec loader share: maps checked against a table of known keys, and readers
 * of single values. Everything that is wrong becomes a message at its place, and reading goes on,
 * so that all errors of a file come together.
 *
 * Readers return false when they added a message (or memory ran out: reader->no_memory); their
 * output is then untouched. */
#ifndef PURSER_CODEC_SPEC_CHECK_H
#define PURSER_CODEC_SPEC_CHECK_H

#include "purser/codec/spec.h"

struct spec_reader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct spec *spec; /* being filled; its vars are complete before anything may use them */
    bool no_memory;    /* sticky */
};

/* Values for every job that does not set its own. */
struct spec_defaults {
    const struct yaml_node *connection; /* NULL = none */
    struct spec_retry retry;
    struct max_failures max_failures;
    enum when_empty when_empty;
    enum response_mode mode;
    bool has_when_changed;
    enum when_changed when_changed;
};

#define CONNECTION_IN_FLIGHT_DEFAULT 4

/* spec_error(reader, place, code, help, format, …). Nothing once memory ran out: what was not read
 * for that may look like a mistake. */
#define spec_error(reader, ...)    \
    ((reader)->no_memory ? (void)0 \
                         : diagnostics_add((reader)->diagnostics, DIAG_ERROR, __VA_ARGS__))

#define KIND_BIT(kind) (1u << (kind))
#define KINDS_TEXT KIND_BIT(YAML_STRING)
#define KINDS_BOOL KIND_BIT(YAML_BOOL)
#define KINDS_WHOLE KIND_BIT(YAML_INTEGER)
#define KINDS_LIST KIND_BIT(YAML_LIST)
#define KINDS_MAP KIND_BIT(YAML_MAP)
#define KINDS_ANY 0u /* its reader judges */

/* One row of a table of known keys. */
struct spec_key {
    const char *name;
    unsigned kinds;
    bool required;
    const char *unsupported; /* known, but refused by this version: what to do instead; else NULL */
};

/* Checks `map` against `keys`: unknown keys (with a guess), keys that this version does not do,
 * wrong kinds, missing keys. found_out[i] is the usable value of keys[i], or NULL. `what` names the
 * map in messages: "job 'products'". False when `map` is no map. */
bool spec_read_map(struct spec_reader *reader, const struct yaml_node *map, const char *what,
                   const struct spec_key *keys, size_t key_count,
                   const struct yaml_node **found_out);

/* "did you mean 'x'?" into `help` for the candidate that is closest to `text`; NULL when none is.
 */
const char *spec_guess(char *help, size_t help_bytes, const char *text,
                       const char *const *candidates, size_t candidate_count);

/* Memory from the arena; NULL sets no_memory. */
void *spec_new(struct spec_reader *reader, size_t count, size_t size);
const char *spec_copy(struct spec_reader *reader, const char *text, size_t length);
/* A formatted copy. */
const char *spec_format(struct spec_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Letters, digits, _ . - ; starting with a letter or digit; at most SPEC_NAME_BYTES_MAX. */
bool spec_name_is_valid(struct slice name);

/* Text that is not empty and has no control characters. */
bool spec_read_text(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                    const char **text_out);
bool spec_read_count(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                     uint32_t minimum, uint32_t maximum, uint32_t *count_out);
bool spec_read_duration(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                        int64_t minimum_ms, int64_t maximum_ms, int64_t *duration_ms_out);
/* auto, unlimited, 5/s, 300/m, 500/10s */
bool spec_read_rate(struct spec_reader *reader, const struct yaml_node *node,
                    struct rate *rate_out);
/* 50 or 5% */
bool spec_read_max_failures(struct spec_reader *reader, const struct yaml_node *node,
                            struct max_failures *max_out);
/* One of `words`; its index. */
bool spec_read_word(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                    const char *const *words, size_t word_count, unsigned *index_out);

/* {env: …}, {file: …} or {credential: …}. A literal is refused and never shown. */
bool spec_read_secret(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                      struct secret_reference *reference_out);

/* Text in which ${vars.…} and ${env.…} are already put in. */
bool spec_read_evaluated(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                         const char **text_out);
/* As above; a relative path is taken from the folder of the spec. */
bool spec_read_path(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                    const char **path_out);

/* `path` as it is opened from where purser runs: `path` itself, or in the arena; NULL without
 * memory. */
const char *spec_join_path(struct arena *arena, const char *folder, const char *path);

/* A YAML tree as a value. With `evaluate`, ${…} in its texts are replaced (env, and vars that are
 * known already). */
bool spec_read_value(struct spec_reader *reader, const struct yaml_node *node, bool evaluate,
                     struct value *value_out);

/* True if the text has a ${…} that is not written $${. */
bool spec_has_expression(struct slice text);
/* Where the ${…} that starts at `at` ends (behind its brace), quotes respected; the length of the
 * text when it is not closed. */
size_t spec_expression_end(struct slice text, size_t at);

/* The base URL without a slash at its end. */
bool spec_read_url(struct spec_reader *reader, const struct yaml_node *node, const char *url,
                   const char **base_out);

/* The sections; each adds messages and fills its part of reader->spec. `node` may be NULL where the
 * section may be missing. */
void spec_read_vars(struct spec_reader *reader, const struct yaml_node *node,
                    const struct spec_variable *variables, size_t variable_count);
void spec_read_api(struct spec_reader *reader, const struct yaml_node *node);
void spec_read_connections(struct spec_reader *reader, const struct yaml_node *node);
void spec_read_schedule(struct spec_reader *reader, const struct yaml_node *node);
void spec_read_defaults(struct spec_reader *reader, const struct yaml_node *node,
                        struct spec_defaults *defaults_out);
void spec_read_jobs(struct spec_reader *reader, const struct yaml_node *node,
                    const struct yaml_node *connections, const struct spec_defaults *defaults);

/* Jobs that make connections: checks their secrets and reads `access_tokens:` (NULL = not there).
 * Operation and outputs are
 * known. */
void spec_read_connection_write(struct spec_reader *reader, const struct yaml_node *tokens,
                                struct spec_job *job);
/* The job's operation takes no access token. */
bool spec_is_of_organisation(const struct spec_job *job);
/* What stands for the connection of such a job; `own` is what the spec says, which is an error. */
const struct yaml_node *spec_connection_of_organisation(struct spec_reader *reader,
                                                        const struct yaml_node *own,
                                                        struct spec_job *job);
/* Adds the connection without a token when a job needs it. After the jobs. */
void spec_add_organisation(struct spec_reader *reader);

/* Parts of a job. */
/* `natural_out` NULL: natural cannot be said here. */
void spec_read_retry(struct spec_reader *reader, const struct yaml_node *node,
                     struct spec_retry *retry, bool *natural_out);
bool spec_read_mode(struct spec_reader *reader, const struct yaml_node *node,
                    enum response_mode *mode_out);
bool spec_read_when_empty(struct spec_reader *reader, const struct yaml_node *node,
                          enum when_empty *when_out);
bool spec_read_when_changed(struct spec_reader *reader, const struct yaml_node *node,
                            enum when_changed *when_out);
void spec_read_source(struct spec_reader *reader, const struct yaml_node *node,
                      struct spec_source *source_out);
/* Only one job can read standard input. After the jobs. */
void spec_check_standard_input(struct spec_reader *reader);
/* Method, path and operation; checks the body against it. `body` may be NULL; job->is_custom is
 * set before. */
void spec_read_request(struct spec_reader *reader, const struct yaml_node *request,
                       const struct yaml_node *body, struct spec_job *job);
/* needs: of all jobs, which are in reader->spec; sets the order of jobs. */
void spec_read_needs(struct spec_reader *reader, const struct yaml_node *node,
                     struct spec_job *jobs);
/* order_by: of a job; `node` may be NULL. */
const struct yaml_node *spec_read_order_by(struct spec_reader *reader,
                                           const struct yaml_node *node);
/* Lets a scope refer to what the items return that those of `job` wait for. False when memory ran
 * out. */
bool spec_scope_needs(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                      struct scope *scope);
/* Compiles the keys and connections of needs, and order_by. False when memory ran out. */
bool spec_bind_needs(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                     const struct scope *scope, struct job_templates *templates,
                     struct diagnostics *diagnostics);
/* Checks the line of a read: "GET /accounting/invoices". */
bool spec_check_question(struct spec_reader *reader, const struct yaml_node *request);
/* reconcile: of a job whose method is known; sets job->reconcile. */
void spec_read_reconcile(struct spec_reader *reader, const struct yaml_node *node,
                         struct spec_job *job);
/* undo: of a job whose operation is known; sets job->undo. `fallback` is the mode of the defaults.
 */
void spec_read_undo(struct spec_reader *reader, const struct yaml_node *node,
                    enum response_mode fallback, struct spec_job *job);
/* True if the node, which may be NULL, is the boolean true. */
bool spec_is_true(const struct yaml_node *node);
/* The keys of a job that say how its writes are asked for and repeated; each may be NULL. */
struct repeat_nodes {
    const struct yaml_node *mode, *retry, *idempotent;
};
/* Sets mode (`fallback`: of the defaults) and trusts_key; checks them and repeats_naturally against
 * the operation, which was read before. */
void spec_read_repeat(struct spec_reader *reader, const struct repeat_nodes *nodes,
                      enum response_mode fallback, struct spec_job *job);
/* Warns of a platform that is not in the list, which is often a slip of the pen. */
void spec_warn_of_platform(struct spec_reader *reader, const struct yaml_node *platform);
/* Checks, as spec->validation says, what is known of the job's operation: the platform of a
 * connection that is the same for every row, and members that `body` (NULL = none) must have. False
 * when memory ran out. */
bool spec_check_operation(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                          struct body_template *body, struct diagnostics *diagnostics);
/* spec_document.c: what the API's own description (api.openapi) says of a job's operation.
 *
 * False when there is no description, or it does not list the platforms of the operation; else
 * *is_wrong_out says that `platform` (NULL = not known) is not among them, and `names` holds them.
 */
bool spec_document_has_platform(const struct spec *spec, const struct spec_job *job,
                                const char *platform, bool *is_wrong_out, char *names,
                                size_t names_bytes);
/* Takes out of *names (ends with NULL; NULL = none) what the description does not require, and
 * warns when it does not have the operation at all. False when memory ran out. */
bool spec_document_narrow(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                          const char *const **names, struct diagnostics *diagnostics);
/* The path of a request as a scalar of its own, for compiling. */
const struct yaml_node *spec_request_path(struct arena *arena, const struct yaml_node *request);

#endif
