#include "purser/codec/lookup.h"

#include <stdio.h>
#include <string.h>

#include "expr_tree.h"
#include "purser/codec/json.h"
#include "purser/codec/spec_check.h"

struct lookup {
    const struct text_template *path;
    const struct text_template *filter; /* NULL = none */
    const struct slice *names;          /* of match */
    const struct text_template *const *texts;
    size_t match_count;
    const char *wrapper;
    const struct value *vars;
    struct place place;
};

/* --- compiling --- */

static bool compile_match(struct arena *arena, const struct yaml_node *match,
                          const struct scope *scope, struct lookup *lookup,
                          struct diagnostics *diagnostics)
{
    struct slice *names = arena_new(arena, match->count + 1, sizeof *names);
    const struct text_template **texts = arena_new(arena, match->count + 1, sizeof(*texts));
    bool is_right = names != NULL && texts != NULL;

    for (size_t i = 0; is_right && i < match->count; i++) {
        names[i] = match->keys[i]->text;
        texts[i] = text_template_compile(arena, match->items[i], scope, diagnostics);
        is_right = texts[i] != NULL;
    }
    lookup->names = names;
    lookup->texts = texts;
    lookup->match_count = match->count;
    return is_right;
}

enum err_code lookup_compile(struct arena *arena, const struct spec *spec,
                             const struct spec_job *job, const struct lookup **lookup_out,
                             struct diagnostics *diagnostics)
{
    const struct spec_reconcile *reconcile = job->reconcile;
    const struct scope scope = {
        .parts = SCOPE_BODY | SCOPE_ITEM | SCOPE_VARS, .vars = &spec->vars, .item_is_frozen = true};
    uint64_t errors = diagnostics->error_count;
    const struct yaml_node *path;
    struct lookup *lookup;
    bool is_right;

    *lookup_out = NULL;
    if (reconcile == NULL)
        return ERR_OK;
    lookup = arena_new(arena, 1, sizeof *lookup);
    path = spec_request_path(arena, reconcile->request);
    if (lookup == NULL || path == NULL)
        return ERR_NO_MEMORY;
    *lookup = (struct lookup){
        .wrapper = job->operation->result, .vars = &spec->vars, .place = reconcile->request->place};
    lookup->path = text_template_compile(arena, path, &scope, diagnostics);
    is_right = lookup->path != NULL;
    if (reconcile->filter != NULL) {
        lookup->filter = text_template_compile(arena, reconcile->filter, &scope, diagnostics);
        is_right = is_right && lookup->filter != NULL;
    }
    if (reconcile->match != NULL)
        is_right = compile_match(arena, reconcile->match, &scope, lookup, diagnostics) && is_right;
    if (!is_right)
        return diagnostics->error_count > errors ? ERR_INPUT : ERR_NO_MEMORY;
    *lookup_out = lookup;
    return ERR_OK;
}

/* --- asking --- */

static bool fail(const struct lookup *lookup, struct eval_error *error_out, const char *text)
{
    *error_out = (struct eval_error){.place = lookup->place};
    (void)snprintf(error_out->text, sizeof error_out->text, "%.250s", text);
    return false;
}

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && text.bytes[0] == ' ') {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && text.bytes[text.length - 1] == ' ')
        text.length--;
    return text;
}

/* The NAME and the TEXT of a filter that is NAME = "TEXT" and nothing else. */
static bool read_simple_filter(struct slice filter, struct slice *name_out, struct slice *text_out)
{
    const char *equals = memchr(filter.bytes, '=', filter.length);
    struct slice name, text;

    if (equals == NULL)
        return false;
    name = trimmed((struct slice){filter.bytes, (size_t)(equals - filter.bytes)});
    text = trimmed((struct slice){equals + 1, filter.length - (size_t)(equals - filter.bytes) - 1});
    if (text.length < 2 || text.bytes[0] != '"' || text.bytes[text.length - 1] != '"')
        return false;
    text = (struct slice){text.bytes + 1, text.length - 2};
    if (memchr(text.bytes, '"', text.length) != NULL || !expr_is_name(name))
        return false;
    *name_out = name;
    *text_out = text;
    return true;
}

static bool copy_slice(struct arena *arena, struct slice *slice)
{
    char *copy = arena_copy_text(arena, slice->bytes == NULL ? "" : slice->bytes, slice->length);

    if (copy != NULL)
        slice->bytes = copy;
    return copy != NULL;
}

/* "/accounting/invoices?filter=…" */
static bool make_path(struct arena *arena, struct slice path, struct slice filter,
                      struct slice *path_out)
{
    static const char query[] = "?filter=";
    char *text;

    if (filter.length > 0 && !expr_percent_encode(arena, &filter))
        return false;
    text = arena_new(arena, path.length + sizeof query + filter.length, 1);
    if (text == NULL)
        return false;
    *path_out = (struct slice){text, path.length};
    memcpy(text, path.bytes, path.length);
    if (filter.length == 0)
        return true;
    memcpy(text + path.length, query, sizeof query - 1);
    memcpy(text + path.length + sizeof query - 1, filter.bytes, filter.length);
    path_out->length += sizeof query - 1 + filter.length;
    return true;
}

static bool ask_matches(const struct lookup *lookup, const struct environment *environment,
                        struct arena *arena, struct slice filter, struct lookup_question *question,
                        struct eval_error *error_out)
{
    struct lookup_match *matches = arena_new(arena, lookup->match_count + 1, sizeof *matches);
    struct lookup_match *last = matches == NULL ? NULL : &matches[lookup->match_count];

    if (matches == NULL)
        return fail(lookup, error_out, "no memory for the look-up");
    for (size_t i = 0; i < lookup->match_count; i++) {
        matches[i].name = lookup->names[i];
        if (!text_template_text(lookup->texts[i], environment, &matches[i].text, error_out))
            return false;
        if (!copy_slice(arena, &matches[i].text))
            return fail(lookup, error_out, "no memory for the look-up");
    }
    question->matches = matches;
    question->match_count = lookup->match_count;
    if (filter.length > 0 && read_simple_filter(filter, &last->name, &last->text)) {
        last->may_be_missing = true;
        question->match_count++;
        if (!copy_slice(arena, &last->name) || !copy_slice(arena, &last->text))
            return fail(lookup, error_out, "no memory for the look-up");
    }
    return true;
}

bool lookup_ask(const struct lookup *lookup, const struct lookup_item *item, struct arena *arena,
                struct arena *scratch, struct lookup_question *question_out,
                struct eval_error *error_out)
{
    static const char connections[] = "/connections";
    const struct slice names[] = {SLICE("key"), SLICE("line")};
    char line[16];
    struct value members[] = {{.kind = VALUE_STRING, .text = item->key},
                              {.kind = VALUE_NUMBER, .text = {line, 0}}};
    const struct value item_value = {.kind = VALUE_MAP,
                                     .map = {.names = names, .values = members, .count = 2}};
    struct value body = {.kind = VALUE_OMIT};
    const struct environment environment = {
        .vars = lookup->vars, .item = &item_value, .body = &body, .arena = scratch};
    struct slice path, filter = {0};
    struct err err = {0};

    members[1].text.length = (size_t)snprintf(line, sizeof line, "%u", item->line);
    *question_out = (struct lookup_question){.wrapper = lookup->wrapper};
    if (item->body.length > 0 &&
        json_parse(scratch, item->body.bytes, item->body.length, &body, &err) != ERR_OK)
        return fail(lookup, error_out, err.text);
    if (!text_template_path(lookup->path, &environment, &path, error_out) ||
        (lookup->filter != NULL &&
         !text_template_quoted(lookup->filter, &environment, &filter, error_out)) ||
        !ask_matches(lookup, &environment, arena, filter, question_out, error_out))
        return false;
    if (!make_path(arena, path, filter, &question_out->path))
        return fail(lookup, error_out, "no memory for the look-up");
    if (path.length >= sizeof connections - 1 &&
        memcmp(path.bytes, connections, sizeof connections - 1) == 0)
        return fail(lookup, error_out, "the list of connections holds access tokens");
    if (question_out->path.length > PATH_BYTES_MAX)
        return fail(lookup, error_out, "path and filter are too long for a URL");
    return true;
}

struct slice lookup_page_path(struct arena *arena, const struct lookup_question *question,
                              struct slice cursor)
{
    struct slice path = question->path;
    bool has_query = memchr(path.bytes, '?', path.length) != NULL;
    char text[PATH_BYTES_MAX + 1];
    char *copy;
    int length;

    if (cursor.length == 0)
        return path;
    if (!expr_percent_encode(arena, &cursor))
        return (struct slice){0};
    length = snprintf(text, sizeof text, "%.*s%scursor=%.*s", (int)path.length, path.bytes,
                      has_query ? "&" : "?", (int)cursor.length, cursor.bytes);
    if (length < 0 || (size_t)length >= sizeof text)
        return (struct slice){0};
    copy = arena_copy_text(arena, text, (size_t)length);
    return copy == NULL ? (struct slice){0} : (struct slice){copy, (size_t)length};
}
