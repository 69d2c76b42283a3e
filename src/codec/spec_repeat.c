/* What a job asks for with response_mode, and what its author vouches for when a write would have
 * to be repeated. */
#include "purser/codec/spec_check.h"

bool spec_read_mode(struct spec_reader *reader, const struct yaml_node *node,
                    enum response_mode *mode_out)
{
    static const char *const words[] = {[RESPONSE_ASYNC] = "async",
                                        [RESPONSE_PREFER_SYNC] = "prefer_sync",
                                        [RESPONSE_SYNC] = "sync"};
    unsigned index;

    if (!spec_read_word(reader, node, "mode", words, 3, &index))
        return false;
    *mode_out = (enum response_mode)index;
    return true;
}

bool spec_is_true(const struct yaml_node *node)
{
    return node != NULL && slice_is(node->text, "true");
}

static void refuse_mode(struct spec_reader *reader, const struct yaml_node *node,
                        const struct spec_job *job)
{
    if (job->is_custom)
        spec_error(reader, node->place, "spec.mode",
                   "leave mode out; if the API takes response_mode here, write it into the body",
                   "a custom request is sent as it is, so mode '%s' has no place in it",
                   node->text.bytes);
    else
        spec_error(reader, node->place, "spec.mode", "leave mode out, or write mode: sync",
                   "%s %s takes no response_mode; its answer is always the finished result",
                   method_name(job->method), job->operation->path);
}

static void set_mode(struct spec_reader *reader, const struct yaml_node *node,
                     enum response_mode fallback, struct spec_job *job)
{
    bool has_place = job->operation->mode_place != MODE_NOWHERE;

    job->mode = has_place ? fallback : RESPONSE_SYNC;
    if (node == NULL || !spec_read_mode(reader, node, &job->mode))
        return;
    if (!has_place && job->mode != RESPONSE_SYNC)
        refuse_mode(reader, node, job);
}

static bool honours_key(const struct operation *operation)
{
    return operation->class == CLASS_Y || operation->class == CLASS_Y_PATCH;
}

/* The user's word comes before the table, so that natural would take the key away from an operation
 * that has one. */
static void check_natural(struct spec_reader *reader, const struct yaml_node *retry,
                          const struct spec_job *job)
{
    if (!job->repeats_naturally)
        return;
    if (job->method == METHOD_POST)
        spec_error(reader, retry->place, "spec.natural",
                   "natural is for PATCH, PUT and DELETE; for a POST whose Idempotency-Key is "
                   "honoured there is idempotent: true",
                   "a POST that is repeated makes a second entity, so its retry cannot be natural");
    else if (honours_key(job->operation))
        diagnostics_add(reader->diagnostics, DIAG_WARNING, retry->place, "spec.natural",
                        "leave natural out",
                        "%s %s is repeated under its key by itself, which is safer; with natural "
                        "no key is sent",
                        method_name(job->method), job->operation->path);
}

/* The header is documented for POST and PATCH alone.
 * Source: Rutter's guide on idempotent requests (docs.rutter.com, 2026). */
static void check_trust(struct spec_reader *reader, const struct yaml_node *idempotent,
                        const struct spec_job *job)
{
    if (!job->trusts_key)
        return;
    if (job->method != METHOD_POST && job->method != METHOD_PATCH)
        spec_error(reader, idempotent->place, "spec.idempotent",
                   "if a repeat changes nothing more, write retry: natural",
                   "the API takes an Idempotency-Key with POST and PATCH, not with %s",
                   method_name(job->method));
    else if (honours_key(job->operation))
        diagnostics_add(reader->diagnostics, DIAG_WARNING, idempotent->place, "spec.idempotent",
                        "leave it out", "%s %s is known to honour its key; this changes nothing",
                        method_name(job->method), job->operation->path);
}

void spec_read_repeat(struct spec_reader *reader, const struct repeat_nodes *nodes,
                      enum response_mode fallback, struct spec_job *job)
{
    job->trusts_key = spec_is_true(nodes->idempotent);
    if (job->operation == NULL)
        return;
    set_mode(reader, nodes->mode, fallback, job);
    check_natural(reader, nodes->retry, job);
    check_trust(reader, nodes->idempotent, job);
}

/* What the author of the spec vouches for comes before the table. The guide promises keys for
 * asynchronous requests; that a synchronous one honours them too must be shown. */
enum repeat spec_job_repeat(const struct spec_job *job)
{
    enum repeat repeat = operation_repeat(job->operation);

    if (job->repeats_naturally)
        return REPEAT_BY_NATURE;
    if (job->trusts_key)
        return REPEAT_BY_KEY;
    if (job->mode == RESPONSE_SYNC && repeat == REPEAT_BY_KEY)
        return REPEAT_IF_PROVEN;
    return repeat;
}
