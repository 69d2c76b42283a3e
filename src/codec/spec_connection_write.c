/* Jobs that make connections: their secrets, and the connection that they run on. */
#include <stdio.h>
#include <string.h>

#include "purser/codec/connection_write.h"
#include "purser/codec/spec_check.h"

static const char secret_help[] =
    "{ env: NAME }, { file: PATH } or { credential: NAME }; ${…} may stand in the name";

/* Nothing of what stands there is shown: it may be the secret. */
static bool refuse_literal(struct spec_reader *reader, const struct yaml_node *key,
                           const struct yaml_node *node)
{
    diagnostics_add(reader->diagnostics, DIAG_ERROR | DIAG_HIDE_LINE, node->place,
                    "spec.secret_literal", secret_help,
                    "'%.60s' is a secret: it must not be written here, nor come from a row; say "
                    "where it is",
                    key->text.bytes);
    return false;
}

static bool check_reference(struct spec_reader *reader, const struct yaml_node *key,
                            const struct yaml_node *node)
{
    static const char *const kinds[] = {"env", "file", "credential"};

    if (node->kind != YAML_MAP)
        return refuse_literal(reader, key, node);
    if (node->count == 1 && node->items[0]->kind == YAML_STRING && node->items[0]->text.length > 0)
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (slice_is(node->keys[0]->text, kinds[i]))
                return true;
    diagnostics_add(reader->diagnostics, DIAG_ERROR | DIAG_HIDE_LINE, node->place, "spec.value",
                    secret_help, "'%.60s' does not say where the secret is", key->text.bytes);
    return false;
}

static void check_member(struct spec_reader *reader, enum connection_write write,
                         const struct yaml_node *key, const struct yaml_node *node)
{
    if (write == CONNECTION_WRITE_EXCHANGE && !slice_is(key->text, "public_token")) {
        spec_error(reader, key->place, "spec.body", "body: { public_token: { file: PATH } }",
                   "purser adds client_id and secret itself, from the credentials of the api; "
                   "'%.60s' has no place in this body",
                   key->text.bytes);
        return;
    }
    if (connection_write_is_secret(write, key->text))
        (void)check_reference(reader, key, node);
    else if (node->kind == YAML_MAP || node->kind == YAML_LIST)
        spec_error(reader, node->place, "spec.value", NULL,
                   "'%.60s' is no secret; write its value as text", key->text.bytes);
}

static const struct yaml_node *make_scalar(struct spec_reader *reader, const struct yaml_node *like,
                                           const char *text)
{
    struct yaml_node *node = spec_new(reader, 1, sizeof *node);

    if (node != NULL)
        *node = (struct yaml_node){.kind = YAML_STRING,
                                   .place = like->place,
                                   .text = slice_of(text),
                                   .raw = slice_of(text)};
    return node;
}

static struct yaml_node *make_map(struct spec_reader *reader, const struct yaml_node *like,
                                  size_t count)
{
    struct yaml_node *node = spec_new(reader, 1, sizeof *node);

    if (node == NULL)
        return NULL;
    *node = (struct yaml_node){.kind = YAML_MAP, .place = like->place, .count = count};
    node->keys = spec_new(reader, count, sizeof *node->keys);
    node->items = spec_new(reader, count, sizeof *node->items);
    return node->keys == NULL || node->items == NULL ? NULL : node;
}

/* { api: NAME }, which no spec can write: purser's own credentials. */
static bool set_own(struct spec_reader *reader, struct yaml_node *map, size_t at,
                    const char *member, const char *name)
{
    struct yaml_node *reference = make_map(reader, map, 1);

    if (reference == NULL)
        return false;
    reference->keys[0] = make_scalar(reader, map, "api");
    reference->items[0] = make_scalar(reader, map, name);
    map->keys[at] = make_scalar(reader, map, member);
    map->items[at] = reference;
    return reference->keys[0] != NULL && reference->items[0] != NULL && map->keys[at] != NULL;
}

static const struct yaml_node *add_own_credentials(struct spec_reader *reader,
                                                   const struct yaml_node *body)
{
    struct yaml_node *whole = make_map(reader, body, body->count + 2);

    if (whole == NULL)
        return NULL;
    for (size_t i = 0; i < body->count; i++) {
        whole->keys[i] = body->keys[i];
        whole->items[i] = body->items[i];
    }
    if (!set_own(reader, whole, body->count, "client_id", "client_id") ||
        !set_own(reader, whole, body->count + 1, "secret", "client_secret"))
        return NULL;
    return whole;
}

/* It would only ever be missing. */
static void check_outputs(struct spec_reader *reader, const struct yaml_node *outputs)
{
    static const char name[] = "access_token";

    for (size_t i = 0; outputs != NULL && i < outputs->count; i++)
        if (outputs->items[i]->kind == YAML_STRING &&
            memmem(outputs->items[i]->text.bytes, outputs->items[i]->text.length, name,
                   sizeof name - 1) != NULL)
            spec_error(reader, outputs->items[i]->place, "spec.value",
                       "the token stands in the file that access_tokens names",
                       "an access token cannot be an output");
}

void spec_read_connection_write(struct spec_reader *reader, const struct yaml_node *tokens,
                                struct spec_job *job)
{
    enum connection_write write = connection_write_of(job->method, slice_of(job->operation->path));

    job->connection_write = write;
    if (write == CONNECTION_WRITE_NONE) {
        if (tokens != NULL)
            spec_error(reader, tokens->place, "spec.value", "leave it out",
                       "no access token comes back from %s %s", method_name(job->method),
                       job->operation->path);
        return;
    }
    if (tokens == NULL)
        spec_error(reader, job->request->place, "spec.required",
                   "access_tokens: tokens.ndjson; purser makes it so that only you can read it",
                   "the answers hold access tokens, which go to no ledger: 'access_tokens' names "
                   "the file for them");
    else
        spec_read_path(reader, tokens, "access_tokens", &job->access_tokens);
    check_outputs(reader, job->outputs);
    for (size_t i = 0; job->body != NULL && i < job->body->count; i++)
        check_member(reader, write, job->body->keys[i], job->body->items[i]);
    if (write == CONNECTION_WRITE_EXCHANGE && job->body != NULL)
        job->body = add_own_credentials(reader, job->body);
}

/* -- the connection without a token ------------------------------------------------------------
 */

bool spec_is_of_organisation(const struct spec_job *job)
{
    return job->operation != NULL && !job->operation->takes_access_token;
}

const struct yaml_node *spec_connection_of_organisation(struct spec_reader *reader,
                                                        const struct yaml_node *own,
                                                        struct spec_job *job)
{
    if (own != NULL)
        spec_error(reader, own->place, "spec.value", "leave it out",
                   "%s %s takes no access token, so it belongs to no connection",
                   method_name(job->method), job->operation->path);
    return make_scalar(reader, job->request, CONNECTION_OF_ORGANISATION);
}

void spec_add_organisation(struct spec_reader *reader)
{
    struct spec *spec = reader->spec;
    struct spec_connection *connections;
    bool wanted = false;

    for (size_t i = 0; i < spec->job_count; i++)
        wanted = wanted || spec_is_of_organisation(&spec->jobs[i]);
    if (!wanted)
        return;
    connections = spec_new(reader, spec->connection_count + 1, sizeof *connections);
    if (connections == NULL)
        return;
    if (spec->connection_count > 0)
        memcpy(connections, spec->connections, spec->connection_count * sizeof *connections);
    connections[spec->connection_count] =
        (struct spec_connection){.alias = CONNECTION_OF_ORGANISATION,
                                 .has_no_token = true,
                                 .rate = {.kind = RATE_AUTO, .burst = 1},
                                 .in_flight = CONNECTION_IN_FLIGHT_DEFAULT,
                                 .place = spec->jobs[0].place};
    spec->connections = connections;
    spec->connection_count++;
}
