#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

enum { HELP_BYTES = 256, ATTEMPTS_MAX = 100 };

static const int64_t second_ms = 1000, minute_ms = 60 * 1000, hour_ms = 60 * 60 * 1000;

/* -- settings that jobs and defaults share ------------------------------------------------------
 */

enum {
    RETRY_ATTEMPTS,
    RETRY_FIRST_DELAY,
    RETRY_MAX_DELAY,
    RETRY_GIVE_UP_AFTER,
    RETRY_NATURAL,
    RETRY_KEY_COUNT
};

static const struct spec_key retry_keys[RETRY_KEY_COUNT] = {
    [RETRY_ATTEMPTS] = {"attempts", KINDS_WHOLE, false, NULL},
    [RETRY_FIRST_DELAY] = {"first_delay", KINDS_TEXT, false, NULL},
    [RETRY_MAX_DELAY] = {"max_delay", KINDS_TEXT, false, NULL},
    [RETRY_GIVE_UP_AFTER] = {"give_up_after", KINDS_TEXT, false, NULL},
    [RETRY_NATURAL] = {"natural", KINDS_BOOL, false, NULL},
};

static void read_natural(struct spec_reader *reader, const struct yaml_node *node,
                         bool *natural_out)
{
    if (natural_out != NULL)
        *natural_out = true;
    else
        spec_error(reader, node->place, "spec.natural", "write it in each job for which it is true",
                   "natural is said of one job's request, not of all");
}

void spec_read_retry(struct spec_reader *reader, const struct yaml_node *node,
                     struct spec_retry *retry, bool *natural_out)
{
    const struct yaml_node *found[RETRY_KEY_COUNT];

    if (node->kind == YAML_STRING && slice_is(node->text, "natural")) {
        read_natural(reader, node, natural_out);
        return;
    }
    if (node->kind == YAML_STRING) {
        spec_error(reader, node->place, "spec.value", "retry: natural, or retry: { attempts: 8 }",
                   "retry is '%s', must be natural or a map", node->text.bytes);
        return;
    }
    if (!spec_read_map(reader, node, "retry", retry_keys, RETRY_KEY_COUNT, found))
        return;
    if (spec_is_true(found[RETRY_NATURAL]))
        read_natural(reader, found[RETRY_NATURAL], natural_out);
    if (found[RETRY_ATTEMPTS] != NULL)
        spec_read_count(reader, found[RETRY_ATTEMPTS], "attempts", 1, ATTEMPTS_MAX,
                        &retry->attempts);
    if (found[RETRY_FIRST_DELAY] != NULL)
        spec_read_duration(reader, found[RETRY_FIRST_DELAY], "first_delay", 1, hour_ms,
                           &retry->first_delay_ms);
    if (found[RETRY_MAX_DELAY] != NULL)
        spec_read_duration(reader, found[RETRY_MAX_DELAY], "max_delay", 1, 24 * hour_ms,
                           &retry->max_delay_ms);
    if (found[RETRY_GIVE_UP_AFTER] != NULL)
        spec_read_duration(reader, found[RETRY_GIVE_UP_AFTER], "give_up_after", second_ms,
                           30 * 24 * hour_ms, &retry->give_up_after_ms);
    if (retry->first_delay_ms > retry->max_delay_ms)
        spec_error(reader, node->place, "spec.value", "make max_delay at least as long",
                   "first_delay is longer than max_delay");
}

bool spec_read_when_empty(struct spec_reader *reader, const struct yaml_node *node,
                          enum when_empty *when_out)
{
    static const char *const words[] = {
        [WHEN_EMPTY_OMIT] = "omit", [WHEN_EMPTY_NULL] = "null", [WHEN_EMPTY_ERROR] = "error"};
    unsigned index;

    /* `when_empty: null` without quotes is the value null. */
    if (node->kind == YAML_NULL && node->text.length > 1) {
        *when_out = WHEN_EMPTY_NULL;
        return true;
    }
    if (!spec_read_word(reader, node, "when_empty", words, 3, &index))
        return false;
    *when_out = (enum when_empty)index;
    return true;
}

bool spec_read_when_changed(struct spec_reader *reader, const struct yaml_node *node,
                            enum when_changed *when_out)
{
    static const char *const words[] = {[WHEN_CHANGED_RESEND] = "resend",
                                        [WHEN_CHANGED_KEEP] = "keep",
                                        [WHEN_CHANGED_ERROR] = "error"};
    unsigned index;

    if (!spec_read_word(reader, node, "when_changed", words, 3, &index))
        return false;
    *when_out = (enum when_changed)index;
    return true;
}

enum {
    DEFAULT_CONNECTION,
    DEFAULT_MODE,
    DEFAULT_RETRY,
    DEFAULT_MAX_FAILURES,
    DEFAULT_WHEN_EMPTY,
    DEFAULT_WHEN_CHANGED,
    DEFAULT_KEY_COUNT
};

#define KINDS_RETRY (KINDS_TEXT | KINDS_MAP)
#define KINDS_MAX_FAILURES (KINDS_WHOLE | KINDS_TEXT)
#define KINDS_WHEN_EMPTY (KINDS_TEXT | KIND_BIT(YAML_NULL))

static const struct spec_key default_keys[DEFAULT_KEY_COUNT] = {
    [DEFAULT_CONNECTION] = {"connection", KINDS_TEXT, false, NULL},
    [DEFAULT_MODE] = {"mode", KINDS_TEXT, false, NULL},
    [DEFAULT_RETRY] = {"retry", KINDS_RETRY, false, NULL},
    [DEFAULT_MAX_FAILURES] = {"max_failures", KINDS_MAX_FAILURES, false, NULL},
    [DEFAULT_WHEN_EMPTY] = {"when_empty", KINDS_WHEN_EMPTY, false, NULL},
    [DEFAULT_WHEN_CHANGED] = {"when_changed", KINDS_TEXT, false, NULL},
};

void spec_read_defaults(struct spec_reader *reader, const struct yaml_node *node,
                        struct spec_defaults *defaults_out)
{
    const struct yaml_node *found[DEFAULT_KEY_COUNT];

    *defaults_out = (struct spec_defaults){
        .retry = {.attempts = 8,
                  .first_delay_ms = second_ms,
                  .max_delay_ms = 5 * minute_ms,
                  .give_up_after_ms = 6 * hour_ms},
        .when_empty = WHEN_EMPTY_OMIT,
    };
    if (node == NULL ||
        !spec_read_map(reader, node, "defaults", default_keys, DEFAULT_KEY_COUNT, found))
        return;
    defaults_out->connection = found[DEFAULT_CONNECTION];
    if (found[DEFAULT_MODE] != NULL)
        spec_read_mode(reader, found[DEFAULT_MODE], &defaults_out->mode);
    if (found[DEFAULT_RETRY] != NULL)
        spec_read_retry(reader, found[DEFAULT_RETRY], &defaults_out->retry, NULL);
    if (found[DEFAULT_MAX_FAILURES] != NULL)
        spec_read_max_failures(reader, found[DEFAULT_MAX_FAILURES], &defaults_out->max_failures);
    if (found[DEFAULT_WHEN_EMPTY] != NULL)
        spec_read_when_empty(reader, found[DEFAULT_WHEN_EMPTY], &defaults_out->when_empty);
    if (found[DEFAULT_WHEN_CHANGED] != NULL)
        defaults_out->has_when_changed = spec_read_when_changed(reader, found[DEFAULT_WHEN_CHANGED],
                                                                &defaults_out->when_changed);
}

/* -- jobs ------------------------------------------------------------------------------------ */

enum {
    JOB_DESCRIPTION,
    JOB_CONNECTION,
    JOB_SOURCE,
    JOB_REQUEST,
    JOB_BODY,
    JOB_IF,
    JOB_OUTPUTS,
    JOB_MODE,
    JOB_RETRY,
    JOB_MAX_FAILURES,
    JOB_WHEN_EMPTY,
    JOB_WHEN_CHANGED,
    JOB_NEEDS,
    JOB_UNDO,
    JOB_QUERY,
    JOB_CUSTOM,
    JOB_IDEMPOTENT,
    JOB_ACCESS_TOKENS,
    JOB_RECONCILE,
    JOB_ORDER_BY,
    JOB_KEY_COUNT
};

static const struct spec_key job_keys[JOB_KEY_COUNT] = {
    [JOB_DESCRIPTION] = {"description", KINDS_TEXT, false, NULL},
    [JOB_CONNECTION] = {"connection", KINDS_TEXT, false, NULL},
    [JOB_SOURCE] = {"source", KINDS_MAP, true, NULL},
    [JOB_REQUEST] = {"request", KINDS_TEXT, true, NULL},
    [JOB_BODY] = {"body", KINDS_MAP, false, NULL},
    [JOB_IF] = {"if", KINDS_TEXT, false, NULL},
    [JOB_OUTPUTS] = {"outputs", KINDS_MAP, false, NULL},
    [JOB_MODE] = {"mode", KINDS_TEXT, false, NULL},
    [JOB_RETRY] = {"retry", KINDS_RETRY, false, NULL},
    [JOB_MAX_FAILURES] = {"max_failures", KINDS_MAX_FAILURES, false, NULL},
    [JOB_WHEN_EMPTY] = {"when_empty", KINDS_WHEN_EMPTY, false, NULL},
    [JOB_WHEN_CHANGED] = {"when_changed", KINDS_TEXT, false, NULL},
    [JOB_NEEDS] = {"needs", KINDS_ANY, false, NULL},
    [JOB_UNDO] = {"undo", KINDS_TEXT | KINDS_MAP, false, NULL},
    [JOB_QUERY] = {"query", KINDS_ANY, false, "put the values into the path or the body"},
    [JOB_CUSTOM] = {"custom", KINDS_BOOL, false, NULL},
    [JOB_IDEMPOTENT] = {"idempotent", KINDS_BOOL, false, NULL},
    [JOB_ACCESS_TOKENS] = {"access_tokens", KINDS_TEXT, false, NULL},
    [JOB_RECONCILE] = {"reconcile", KINDS_MAP, false, NULL},
    [JOB_ORDER_BY] = {"order_by", KINDS_TEXT, false, NULL},
};

static void check_alias(struct spec_reader *reader, const struct yaml_node *node)
{
    const struct spec *spec = reader->spec;
    char help[HELP_BYTES];
    const char **aliases;

    if (spec_has_expression(node->text) || spec_connection_find(spec, node->text) != NULL)
        return;
    aliases = spec_new(reader, spec->connection_count + 1, sizeof(*aliases));
    if (aliases == NULL)
        return;
    for (size_t i = 0; i < spec->connection_count; i++)
        aliases[i] = spec->connections[i].alias;
    spec_error(reader, node->place, "spec.unknown_connection",
               spec_guess(help, sizeof help, node->text.bytes, aliases, spec->connection_count),
               "no connection '%s' under connections", node->text.bytes);
}

/* The job's own, the default, or the only one that there is. */
static void read_connection(struct spec_reader *reader, const struct yaml_node *own,
                            const struct yaml_node *connections,
                            const struct spec_defaults *defaults, struct spec_job *job)
{
    if (spec_is_of_organisation(job)) {
        job->connection = spec_connection_of_organisation(reader, own, job);
        return;
    }
    job->connection = own != NULL ? own : defaults->connection;
    if (job->connection == NULL && reader->spec->connection_count == 1)
        job->connection = connections->keys[0];
    if (job->connection != NULL && own == job->connection)
        check_alias(reader, own);
    if (job->connection == NULL)
        spec_error(reader, job->place, "spec.required",
                   "connection: NAME, here or under defaults; NAME stands under connections",
                   "job '%s' does not say which connection it writes to", job->name);
}

static const struct yaml_node *read_condition(struct spec_reader *reader,
                                              const struct yaml_node *node)
{
    if (node != NULL && !spec_has_expression(node->text))
        spec_error(reader, node->place, "spec.value", "if: ${row.status != \"draft\"}",
                   "'if' has no ${…}");
    return node;
}

static const struct yaml_node *read_outputs(struct spec_reader *reader,
                                            const struct yaml_node *node)
{
    for (size_t i = 0; node != NULL && i < node->count; i++) {
        if (!spec_name_is_valid(node->keys[i]->text))
            spec_error(reader, node->keys[i]->place, "spec.name", "letters, digits, _ . and -",
                       "'%s' cannot be the name of an output", node->keys[i]->text.bytes);
        if (node->items[i]->kind != YAML_STRING)
            spec_error(reader, node->items[i]->place, "spec.type", "${response.product.id}",
                       "an output is %s, must be text", yaml_kind_name(node->items[i]->kind));
    }
    return node;
}

static void read_settings(struct spec_reader *reader, const struct yaml_node *const *found,
                          const struct spec_defaults *defaults, struct spec_job *job)
{
    job->retry = defaults->retry;
    job->max_failures = defaults->max_failures;
    job->when_empty = defaults->when_empty;
    /* A second POST would make a second entity; the others can be repeated with new values. */
    job->when_changed = job->method == METHOD_POST ? WHEN_CHANGED_KEEP : WHEN_CHANGED_RESEND;
    if (defaults->has_when_changed)
        job->when_changed = defaults->when_changed;
    if (found[JOB_RETRY] != NULL)
        spec_read_retry(reader, found[JOB_RETRY], &job->retry, &job->repeats_naturally);
    spec_read_repeat(reader,
                     &(struct repeat_nodes){.mode = found[JOB_MODE],
                                            .retry = found[JOB_RETRY],
                                            .idempotent = found[JOB_IDEMPOTENT]},
                     defaults->mode, job);
    if (found[JOB_MAX_FAILURES] != NULL)
        spec_read_max_failures(reader, found[JOB_MAX_FAILURES], &job->max_failures);
    if (found[JOB_WHEN_EMPTY] != NULL)
        spec_read_when_empty(reader, found[JOB_WHEN_EMPTY], &job->when_empty);
    if (found[JOB_WHEN_CHANGED] != NULL)
        spec_read_when_changed(reader, found[JOB_WHEN_CHANGED], &job->when_changed);
}

static void read_job(struct spec_reader *reader, const struct yaml_node *name,
                     const struct yaml_node *node, const struct yaml_node *connections,
                     const struct spec_defaults *defaults, struct spec_job *job)
{
    const struct yaml_node *found[JOB_KEY_COUNT];
    char what[96];

    *job = (struct spec_job){.name = name->text.bytes, .place = name->place};
    snprintf(what, sizeof what, "job '%.63s'", job->name);
    if (!spec_name_is_valid(name->text))
        spec_error(reader, name->place, "spec.name",
                   "up to 63 letters, digits, _ . and -, starting with a letter or digit",
                   "'%s' cannot be the name of a job", job->name);
    if (!spec_read_map(reader, node, what, job_keys, JOB_KEY_COUNT, found))
        return;
    if (found[JOB_SOURCE] != NULL)
        spec_read_source(reader, found[JOB_SOURCE], &job->source);
    job->is_custom = spec_is_true(found[JOB_CUSTOM]);
    if (found[JOB_REQUEST] != NULL)
        spec_read_request(reader, found[JOB_REQUEST], found[JOB_BODY], job);
    if (found[JOB_RECONCILE] != NULL)
        spec_read_reconcile(reader, found[JOB_RECONCILE], job);
    read_connection(reader, found[JOB_CONNECTION], connections, defaults, job);
    job->condition = read_condition(reader, found[JOB_IF]);
    job->outputs = read_outputs(reader, found[JOB_OUTPUTS]);
    if (job->operation != NULL)
        spec_read_connection_write(reader, found[JOB_ACCESS_TOKENS], job);
    read_settings(reader, found, defaults, job);
    job->order_by = spec_read_order_by(reader, found[JOB_ORDER_BY]);
    if (found[JOB_UNDO] != NULL && job->operation != NULL)
        spec_read_undo(reader, found[JOB_UNDO], defaults->mode, job);
}

void spec_read_jobs(struct spec_reader *reader, const struct yaml_node *node,
                    const struct yaml_node *connections, const struct spec_defaults *defaults)
{
    struct spec_job *jobs;

    if (defaults->connection != NULL)
        check_alias(reader, defaults->connection);
    if (node->count == 0) {
        spec_error(reader, node->place, "spec.required",
                   "jobs: { NAME: { source: …, request: … } }", "'jobs' is empty");
        return;
    }
    if (node->count > SPEC_JOBS_MAX) {
        spec_error(reader, node->place, "spec.too_many", "split the spec", "more than %d jobs",
                   SPEC_JOBS_MAX);
        return;
    }
    jobs = spec_new(reader, node->count, sizeof *jobs);
    if (jobs == NULL)
        return;
    for (size_t i = 0; i < node->count; i++)
        read_job(reader, node->keys[i], node->items[i], connections, defaults, &jobs[i]);
    reader->spec->jobs = jobs;
    reader->spec->job_count = node->count;
    spec_add_organisation(reader);
    spec_read_needs(reader, node, jobs);
    spec_check_standard_input(reader);
}
