#include <string.h>

#include "purser/codec/spec_check.h"

enum { RECONCILE_REQUEST, RECONCILE_FILTER, RECONCILE_MATCH, RECONCILE_KEY_COUNT };

static const struct spec_key reconcile_keys[RECONCILE_KEY_COUNT] = {
    [RECONCILE_REQUEST] = {"request", KINDS_TEXT, true, NULL},
    [RECONCILE_FILTER] = {"filter", KINDS_TEXT, false, NULL},
    [RECONCILE_MATCH] = {"match", KINDS_MAP, false, NULL},
};

/* What finds everything for every item finds nothing out. */
static bool names_the_item(const struct spec_reconcile *reconcile)
{
    const struct yaml_node *match = reconcile->match;

    if (reconcile->filter != NULL && spec_has_expression(reconcile->filter->text))
        return true;
    for (size_t i = 0; match != NULL && i < match->count; i++)
        if (match->items[i]->kind == YAML_STRING && spec_has_expression(match->items[i]->text))
            return true;
    return spec_has_expression(reconcile->request->text);
}

static void check_match(struct spec_reader *reader, const struct yaml_node *match)
{
    for (size_t i = 0; i < match->count; i++)
        if (match->items[i]->kind == YAML_LIST || match->items[i]->kind == YAML_MAP ||
            match->items[i]->kind == YAML_NULL)
            spec_error(reader, match->items[i]->place, "spec.type",
                       "match: { document_number: \"${body.invoice.document_number}\" }",
                       "a match is %s, must be text", yaml_kind_name(match->items[i]->kind));
}

/* What is found is kept in the ledger and shown, and these answers hold access tokens. */
static bool is_without_secrets(struct spec_reader *reader, const struct yaml_node *request,
                               const struct spec_job *job)
{
    if (job->connection_write == CONNECTION_WRITE_NONE &&
        strstr(request->text.bytes, "/connections") == NULL)
        return true;
    spec_error(reader, request->place, "spec.reconcile", "purser connections SPEC --check",
               "connections cannot be looked up: the list holds access tokens");
    return false;
}

static void check_method(struct spec_reader *reader, const struct yaml_node *node,
                         const struct spec_job *job, const struct spec_reconcile *reconcile)
{
    if (job->method == METHOD_DELETE)
        spec_error(reader, node->place, "spec.reconcile",
                   "retry: natural, if a second DELETE does no harm",
                   "reconcile looks for what was written, and a DELETE writes nothing");
    else if (job->method != METHOD_POST && reconcile->match == NULL)
        spec_error(reader, node->place, "spec.reconcile",
                   "match: { name: \"${body.product.name}\" }",
                   "what a %s changes is there before and after it: match says which of its "
                   "members show the change",
                   method_name(job->method));
}

void spec_read_reconcile(struct spec_reader *reader, const struct yaml_node *node,
                         struct spec_job *job)
{
    const struct yaml_node *found[RECONCILE_KEY_COUNT];
    struct spec_reconcile *reconcile;

    if (!spec_read_map(reader, node, "reconcile", reconcile_keys, RECONCILE_KEY_COUNT, found) ||
        found[RECONCILE_REQUEST] == NULL)
        return;
    reconcile = spec_new(reader, 1, sizeof *reconcile);
    if (reconcile == NULL || !spec_check_question(reader, found[RECONCILE_REQUEST]) ||
        !is_without_secrets(reader, found[RECONCILE_REQUEST], job))
        return;
    *reconcile = (struct spec_reconcile){.request = found[RECONCILE_REQUEST],
                                         .filter = found[RECONCILE_FILTER],
                                         .match = found[RECONCILE_MATCH]};
    if (reconcile->match != NULL)
        check_match(reader, reconcile->match);
    if (!names_the_item(reconcile))
        spec_error(reader, node->place, "spec.reconcile",
                   "filter: document_number = \"${body.invoice.document_number}\"",
                   "nothing in this look-up differs from item to item");
    if (job->operation != NULL)
        check_method(reader, node, job, reconcile);
    job->reconcile = reconcile;
}
