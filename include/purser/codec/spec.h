/* A loaded spec: everything checked that can be checked without reading its sources.
 *
 * All memory is the spec's arena. Templates that need the columns of a source are compiled when
 * these are known: spec_job_bind(). */
#ifndef PURSER_CODEC_SPEC_H
#define PURSER_CODEC_SPEC_H

#include "purser/base/checksum.h"
#include "purser/codec/connection_write.h"
#include "purser/codec/template.h"
#include "purser/core/converge.h"
#include "purser/core/limits.h"
#include "purser/core/operation.h"
#include "purser/core/schedule.h"

enum secret_kind { SECRET_ENV, SECRET_FILE, SECRET_CREDENTIAL };

/* Where a secret is read from; never the secret. */
struct secret_reference {
    enum secret_kind kind;
    const char *name; /* of the variable, the file (as it is opened) or the credential; NULL = none:
                         only the access_token of a connection to the simulator */
    struct place place;
};

enum rate_kind { RATE_AUTO, RATE_FIXED, RATE_UNLIMITED };

struct rate {
    enum rate_kind kind;
    uint32_t millis_per_second; /* RATE_FIXED: thousandths of a request a second */
    uint32_t burst; /* requests that may go at once: a tenth of a second's worth, ≥ 1 */
};

enum environment_kind {
    ENVIRONMENT_PRODUCTION,
    ENVIRONMENT_SANDBOX,
    ENVIRONMENT_SIMULATOR,
    ENVIRONMENT_URL
};

struct spec_api {
    enum environment_kind environment;
    const char *base_url; /* without a slash at the end; "" for the simulator */
    const char *version;  /* X-Rutter-Version */
    struct secret_reference client_id, client_secret;
    const char *ca_file;  /* NULL = the system's */
    struct rate rate;     /* of the organisation */
    uint32_t in_flight;   /* over all connections */
    uint32_t outstanding; /* accepted and not final, over all connections */
    const char *openapi;  /* the API's description, as it is opened; NULL = none */
    struct place openapi_place;
    const char *simulator_profile; /* "clean", "realistic", "hostile" */
    uint64_t simulator_seed;
    int64_t connect_timeout_ms;
    int64_t exchange_timeout_ms; /* from the first byte sent to the last received */
};

struct spec_connection {
    const char *alias;
    const char *platform; /* NULL = not said */
    bool has_no_token;    /* the one that operations without an access token run on */
    struct secret_reference access_token;
    struct rate rate;
    uint32_t in_flight;
    struct place place;
};

struct spec_retry {
    uint32_t attempts;
    int64_t first_delay_ms, max_delay_ms, give_up_after_ms;
};

/* Stop starting new items when more than this have failed. */
struct max_failures {
    bool set;
    bool is_share;
    uint32_t count;           /* !is_share */
    uint32_t share_millionth; /* is_share: 5 % = 50000; judged after 100 items */
};

/* What the rows are written in, and where the bytes come from. */
enum source_kind { SOURCE_INLINE, SOURCE_CSV, SOURCE_NDJSON, SOURCE_JSON };
enum source_origin { ORIGIN_FILES, ORIGIN_STANDARD_INPUT, ORIGIN_COMMAND };
enum source_encoding { ENCODING_UTF_8, ENCODING_LATIN_1, ENCODING_WINDOWS_1252, ENCODING_UTF_16 };

enum column_type {
    COLUMN_STRING,
    COLUMN_INTEGER,
    COLUMN_DECIMAL,
    COLUMN_BOOLEAN,
    COLUMN_DATE,
    COLUMN_LIST,
    COLUMN_AS_WRITTEN /* no spec says it: a cell with JSON is that value, any other is text */
};

struct spec_column {
    struct slice name;
    enum column_type type;
    struct slice separator; /* COLUMN_LIST */
    struct place place;
};

struct spec_source {
    enum source_kind kind;
    enum source_origin origin;
    const char *path; /* as it is opened: relative paths are from the spec's folder; NULL unless
                         ORIGIN_FILES */
    bool is_pattern;  /* the path may name several files */
    const char *const *command; /* ORIGIN_COMMAND: program and arguments, a NULL behind them */
    /* Where ${run…} stands in it: what spec_source_of_run() makes the path, or the argument of the
     * same number, of. NULL = it is known already. */
    const struct text_template *path_of_run;
    const struct text_template *const *command_of_run;
    int64_t timeout_ms; /* of the command */
    struct place place;
    enum source_encoding encoding;
    struct place encoding_place; /* without a file when the spec does not say it */
    const struct slice *at;      /* SOURCE_JSON: the members down to the array */
    size_t at_count;             /* 0: the array is the whole document */
    /* SOURCE_CSV */
    char delimiter;
    char quote;                 /* '\0' = none */
    uint32_t skip_lines;        /* before the header */
    const struct slice *header; /* names, for files without a header row; a NUL after each */
    size_t header_count;        /* 0: the first row names the columns */
    const struct spec_column *columns;
    size_t column_count;
    const struct value *inline_rows; /* SOURCE_INLINE: maps, as written: no ${…} in them */
    const struct place *inline_places;
    size_t inline_count;
    const struct yaml_node *key;      /* ${row.sku} */
    const struct yaml_node *group_by; /* NULL = each row is an item */
};

/* How to find out whether an item in doubt was done: a list to ask for, and what must be equal. */
struct spec_reconcile {
    const struct yaml_node *request; /* the scalar "GET /accounting/invoices" */
    const struct yaml_node *filter;  /* a scalar in the API's filter language; NULL = none */
    const struct yaml_node *match;   /* a map of members to texts; NULL = none */
};

/* What an item waits for: an item of another job, or all of them. */
struct spec_need {
    const char *alias; /* as in ${needs.ALIAS.…}; NULL = the whole job */
    size_t job;        /* in the spec */
    struct place place;
    const struct yaml_node *key;        /* with an alias: which item of the job */
    const struct yaml_node *connection; /* NULL = not said */
};

struct spec_job {
    const char *name;
    struct place place;
    struct spec_source source;
    enum http_method method;
    const struct operation *operation; /* of the table, or made for a custom request */
    bool is_custom;                    /* custom: a request that the table does not have */
    enum response_mode mode;           /* RESPONSE_SYNC where response_mode has no place */
    bool repeats_naturally; /* retry: natural; its author vouches that a repeat does no harm */
    bool trusts_key;        /* idempotent: its author vouches that the API honours the key */
    const struct yaml_node *request;        /* the scalar "POST /products/${row.id}" */
    const struct yaml_node *connection;     /* a scalar: an alias that is there, or an expression */
    const struct yaml_node *body;           /* NULL = none */
    const struct yaml_node *condition;      /* if: NULL = none */
    const struct yaml_node *outputs;        /* NULL = none */
    enum connection_write connection_write; /* what is secret in its bodies and answers */
    const char *access_tokens;              /* the file for tokens of answers; NULL = none come */
    const struct spec_reconcile *reconcile; /* NULL = none */
    struct spec_retry retry;
    struct max_failures max_failures;
    enum when_empty when_empty;
    enum when_changed when_changed;
    const struct spec_need *needs;
    size_t need_count;
    const struct yaml_node *order_by; /* items of one group go one after the other; NULL = none */
    const struct spec_job *undo; /* what reverses a success, as a job of its own; NULL = nothing */
    const struct spec_job *undoes; /* of such a job: the job that it reverses; else NULL */
};

/* When `purser schedule tick` runs the spec. */
struct spec_schedule {
    const char *cron_text; /* NULL = the spec has no schedule */
    struct cron cron;
    const char *timezone; /* name in the system's database; "UTC" needs none */
    struct place timezone_place;
    struct schedule_policy policy;
};

/* What a request that breaks what is known of its operation does: nothing is sent, or a warning. */
enum validation { VALIDATE_ERROR, VALIDATE_WARN, VALIDATE_OFF };

struct openapi; /* purser/codec/openapi.h */

struct spec {
    const char *file;
    const char *folder; /* of the file, "." when none */
    const char *name;
    const char *description;
    struct spec_api api;
    const struct spec_connection *connections;
    size_t connection_count;
    struct value vars; /* a map, --var applied */
    const struct spec_job *jobs;
    size_t job_count;
    const size_t *job_order;          /* all jobs, each behind those that it needs */
    struct max_failures max_failures; /* of the whole run */
    int64_t key_window_ms;            /* idempotency.window: how long the API remembers a key */
    struct hash128 digest;            /* of the file's bytes */
    struct spec_schedule schedule;
    const char *slot, *slot_local; /* what ${run.slot} and ${run.slot_local} give; set after
                                      loading; NULL = no slot */
    enum validation validation;    /* --validate; set after loading, before binding */
    struct openapi *document; /* of api.openapi; set after loading, before binding; NULL = none */
};

/* --var NAME=VALUE */
struct spec_variable {
    struct slice name, value;
};

/* Reads and checks `bytes` of the file `file` (both must outlive the spec). All errors are added to
 * `diagnostics`. Returns ERR_OK, ERR_INPUT or ERR_NO_MEMORY. Sources are not opened. */
enum err_code spec_load(struct arena *arena, const char *file, const char *bytes, size_t length,
                        const struct spec_variable *variables, size_t variable_count,
                        struct spec *spec_out, struct diagnostics *diagnostics) ERR_CHECKED;

/* Those of a need; both NULL for a need of a whole job. */
struct need_templates {
    const struct text_template *key;
    const struct text_template *connection; /* NULL = that of the row */
};

/* The compiled parts of a job. */
struct job_templates {
    const struct text_template *key;
    const struct text_template *group_by; /* NULL = none */
    const struct text_template *connection;
    bool connection_varies; /* from row to row */
    const struct text_template *path;
    const struct text_template *condition; /* NULL = none */
    const struct body_template *body;      /* NULL = none */
    const struct need_templates *needs;    /* as many as the job has */
    const struct text_template *order_by;  /* NULL = none */
    bool uses_needs;  /* path, body or if: refer to what a needed item returned */
    bool uses_run;    /* path, body or if: refer to the run */
    bool mixes_needs; /* and one expression makes a value of that and of the row */
};

/* Compiles a job's templates against the columns of its source (NULL: any name is allowed; for an
 * inline source the names in its rows). Columns that the spec types must be among them. Returns
 * ERR_OK, ERR_INPUT (messages added) or ERR_NO_MEMORY. */
enum err_code spec_job_bind(struct arena *arena, const struct spec *spec,
                            const struct spec_job *job, const struct slice *columns,
                            size_t column_count, struct job_templates *templates_out,
                            struct diagnostics *diagnostics) ERR_CHECKED;

/* Copies `source` with the file name and the arguments that it has in the run whose ${run…} is the
 * map `run`; what is new is in the arena. Returns ERR_OK, ERR_INPUT (messages added: nothing there,
 * because the run has no slot) or ERR_NO_MEMORY. */
enum err_code spec_source_of_run(struct arena *arena, const struct spec *spec,
                                 const struct value *run, const struct spec_source *source,
                                 struct spec_source *source_out,
                                 struct diagnostics *diagnostics) ERR_CHECKED;

/* Adds a message of `code` at `place`, of the severity that spec->validation says, when it is known
 * that the platform of `connection` does not have the job's operation. False when that is an error.
 */
bool spec_check_platform(const struct spec *spec, const struct spec_job *job,
                         const struct spec_connection *connection, struct place place,
                         const char *code, struct diagnostics *diagnostics);

/* Makes `source` that of a file which `purser results` has written from it, or which was corrected
 * then: as it stands in `path`, borrowed. `kind` is CSV or NDJSON. */
void spec_source_of_results(struct spec_source *source, enum source_kind kind, const char *path);

/* What makes it harmless to send a write of the job once more. */
enum repeat spec_job_repeat(const struct spec_job *job);

/* The connection called `alias`; NULL when there is none. */
const struct spec_connection *spec_connection_find(const struct spec *spec, struct slice alias);

#endif
