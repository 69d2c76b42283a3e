/* What reverses the success of a job's item: a request of its own, read as that of a job. */
#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

enum { UNDO_REQUEST, UNDO_BODY, UNDO_CUSTOM, UNDO_KEY_COUNT };

static const struct spec_key undo_keys[UNDO_KEY_COUNT] = {
    [UNDO_REQUEST] = {"request", KINDS_TEXT, true, NULL},
    [UNDO_BODY] = {"body", KINDS_MAP, false, NULL},
    [UNDO_CUSTOM] = {"custom", KINDS_BOOL, false, NULL},
};

/* "products:undo": no job of a spec can have that name. */
static const char *name_of(struct spec_reader *reader, const char *job)
{
    static const char suffix[] = ":undo";
    size_t length = strlen(job);
    char *name = spec_new(reader, length + sizeof suffix, 1);

    if (name == NULL)
        return NULL;
    memcpy(name, job, length);
    memcpy(name + length, suffix, sizeof suffix);
    return name;
}

/* An item's undo goes where the item went. */
static void check_connection(struct spec_reader *reader, const struct yaml_node *request,
                             const struct spec_job *job, const struct spec_job *undo)
{
    if (undo->operation->takes_access_token != job->operation->takes_access_token)
        spec_error(reader, request->place, "spec.undo", NULL,
                   "%s %s goes over the organisation's connection or over a merchant's, and %s %s "
                   "over the other",
                   method_name(undo->method), undo->operation->path, method_name(job->method),
                   job->operation->path);
    else if (undo->method == METHOD_POST && !undo->operation->takes_access_token)
        spec_error(reader, request->place, "spec.undo", "DELETE /connections/${response.….id}",
                   "an undo makes no connections");
}

/* The same request for every item would reverse at most one of them. */
static void check_names_the_item(struct spec_reader *reader, const struct yaml_node *request,
                                 const struct yaml_node *body)
{
    if (body == NULL && !spec_has_expression(request->text))
        spec_error(reader, request->place, "spec.undo", "DELETE /products/${outputs.product_id}",
                   "nothing in this undo differs from item to item");
}

void spec_read_undo(struct spec_reader *reader, const struct yaml_node *node,
                    enum response_mode fallback, struct spec_job *job)
{
    const struct yaml_node *found[UNDO_KEY_COUNT] = {[UNDO_REQUEST] = node};
    const struct repeat_nodes nothing = {0};
    struct spec_job *undo;

    if (node->kind != YAML_STRING &&
        (!spec_read_map(reader, node, "undo", undo_keys, UNDO_KEY_COUNT, found) ||
         found[UNDO_REQUEST] == NULL))
        return;
    undo = spec_new(reader, 1, sizeof *undo);
    if (undo == NULL)
        return;
    *undo = (struct spec_job){.name = name_of(reader, job->name),
                              .place = node->place,
                              .source = job->source,
                              .connection = job->connection,
                              .is_custom = spec_is_true(found[UNDO_CUSTOM]),
                              .retry = job->retry,
                              .when_empty = job->when_empty,
                              .undoes = job};
    spec_read_request(reader, found[UNDO_REQUEST], found[UNDO_BODY], undo);
    if (undo->name == NULL || undo->operation == NULL)
        return;
    spec_read_repeat(reader, &nothing, fallback, undo);
    check_connection(reader, found[UNDO_REQUEST], job, undo);
    check_names_the_item(reader, found[UNDO_REQUEST], found[UNDO_BODY]);
    job->undo = undo;
}
