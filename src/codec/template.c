/* Bodies, compiled: constant parts are JSON text already; only ${…} is left to evaluate. */
#include "purser/codec/template.h"

#include <stdio.h>
#include <string.h>

#include "purser/codec/json.h"
#include "purser/core/limits.h"
#include "template_tree.h"

enum outcome { RENDERED, LEFT_OUT, FAILED };

struct rendering {
    const struct body_template *body;
    struct environment environment;
    struct value loops[LOOPS_MAX];
    struct buf *buf;
    struct eval_error *error;
    const struct body_node *lacking; /* the first that is required and was left out; NULL = none */
    const struct body_node *lacking_in; /* what it is a member of; NULL = not known */
    const char *lacking_name; /* in the map that `lacking` gave; NULL = `lacking` itself */
    /* Where in the body it failed, put together on the way out. */
    char path[128];
};

static enum outcome render(struct rendering *rendering, const struct body_node *node);

/* Puts the name of an entry in front of the path. */
static void prepend_name(struct rendering *rendering, struct slice name)
{
    char inner[sizeof rendering->path];

    memcpy(inner, rendering->path, sizeof inner);
    if (snprintf(rendering->path, sizeof rendering->path, "/%.*s%s", expr_shown(name), name.bytes,
                 inner) < 0)
        rendering->path[0] = '\0';
}

static void prepend_position(struct rendering *rendering, size_t position)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%zu", position);
    prepend_name(rendering, slice_of(digits));
}

static enum outcome fail(struct rendering *rendering, const struct body_node *node,
                         const char *text, const char *help)
{
    struct eval_error *error = rendering->error;

    *error = (struct eval_error){.place = node->yaml->place};
    snprintf(error->text, sizeof error->text, "%s", text);
    snprintf(error->help, sizeof error->help, "%s", help);
    return FAILED;
}

static enum outcome render_missing(struct rendering *rendering, const struct body_node *node,
                                   const struct value *value)
{
    enum when_empty when_empty = rendering->body->when_empty;

    if (value->kind == VALUE_OMIT && (value->boolean || when_empty == WHEN_EMPTY_OMIT))
        return LEFT_OUT;
    if (when_empty == WHEN_EMPTY_NULL) {
        buf_append_text(rendering->buf, "null");
        return RENDERED;
    }
    if (value->kind == VALUE_NULL)
        return fail(rendering, node, "the value is null, which the API refuses",
                    "to leave the field out, write … ?? omit; to send null, say when_empty: null");
    return fail(rendering, node, "the value is missing, and when_empty says error",
                "fill it in, or write … ?? omit to leave the field out");
}

/* A null deep inside is sent as it is, so it is looked for; a list of numbers costs little. */
static bool holds_null(const struct value *value)
{
    const struct value *values = value->kind == VALUE_LIST ? value->list.items : value->map.values;
    size_t count = value->kind == VALUE_LIST ? value->list.count : value->map.count;

    for (size_t i = 0; i < count; i++) {
        bool is_nested = values[i].kind == VALUE_LIST || values[i].kind == VALUE_MAP;

        if (values[i].kind == VALUE_NULL || (is_nested && holds_null(&values[i])))
            return true;
    }
    return false;
}

static void look_for_required(struct rendering *rendering, const struct body_node *node,
                              const struct value *value)
{
    const char *const *names = node->required_names;

    for (size_t i = 0; value->kind == VALUE_MAP && names[i] != NULL; i++) {
        if (rendering->lacking == NULL &&
            value_member(value, slice_of(names[i])).kind == VALUE_OMIT) {
            rendering->lacking = node;
            rendering->lacking_name = names[i];
        }
    }
}

static enum outcome render_value(struct rendering *rendering, const struct body_node *node)
{
    struct value value;

    if (!text_template_evaluate(node->value, &rendering->environment, &value, rendering->error))
        return FAILED;
    if (value.kind == VALUE_OMIT || value.kind == VALUE_NULL)
        return render_missing(rendering, node, &value);
    if (rendering->body->when_empty != WHEN_EMPTY_NULL &&
        (value.kind == VALUE_LIST || value.kind == VALUE_MAP) && holds_null(&value))
        return fail(rendering, node, "the value has a null in it, which the API refuses",
                    "take the null out of the data; to send it, say when_empty: null");
    if (json_holds_long_number(&value))
        return fail(rendering, node, "a whole number must be from -2^63 to 2^64-1; this one is not",
                    "… | string sends it as text");
    if (node->required_names != NULL)
        look_for_required(rendering, node, &value);
    value_append_json(rendering->buf, &value);
    return RENDERED;
}

/* The rest of an object behind its `{` and `written` members. */
static enum outcome render_members(struct rendering *rendering, const struct body_node *node,
                                   size_t written)
{
    struct buf *buf = rendering->buf;

    for (size_t i = 0; i < node->count; i++) {
        const struct body_node *member = &node->entries[i];
        size_t mark = buf->length, skipped = written == 0; /* the comma in front */
        enum outcome outcome = RENDERED;

        buf_append(buf, member->name_json.bytes + skipped, member->name_json.length - skipped);
        if (member->kind != BODY_LITERAL)
            outcome = render(rendering, member);
        if (outcome == FAILED) {
            prepend_name(rendering, member->name);
            return FAILED;
        }
        if (outcome == LEFT_OUT)
            buf_truncate(buf, mark);
        else
            written++;
        if (outcome == LEFT_OUT && member->is_required && rendering->lacking == NULL) {
            rendering->lacking = member;
            rendering->lacking_in = node;
        }
    }
    buf_append_byte(buf, '}');
    return written > 0 || node->count == 0 ? RENDERED : LEFT_OUT;
}

/* One entry of a list that has `*written` entries. */
static enum outcome render_entry(struct rendering *rendering, const struct body_node *node,
                                 size_t *written)
{
    size_t mark = rendering->buf->length;
    enum outcome outcome;

    if (*written > 0)
        buf_append_byte(rendering->buf, ',');
    outcome = render(rendering, node);
    if (outcome == LEFT_OUT)
        buf_truncate(rendering->buf, mark);
    else
        ++*written;
    return outcome;
}

static enum outcome render_list(struct rendering *rendering, const struct body_node *node)
{
    size_t written = 0;

    buf_append_byte(rendering->buf, '[');
    for (size_t i = 0; i < node->count; i++)
        if (render_entry(rendering, &node->entries[i], &written) == FAILED) {
            prepend_position(rendering, i);
            return FAILED;
        }
    buf_append_byte(rendering->buf, ']');
    return written > 0 || node->count == 0 ? RENDERED : LEFT_OUT;
}

static enum outcome render_loop(struct rendering *rendering, const struct body_node *node)
{
    static const struct value unknown = {.kind = VALUE_UNKNOWN};
    struct environment *environment = &rendering->environment;
    size_t written = 0;
    struct value list;

    if (!expr_evaluate(node->loop_values, environment, &list, rendering->error))
        return FAILED;
    if (list.kind == VALUE_OMIT || list.kind == VALUE_NULL)
        return render_missing(rendering, node, &list);
    if (list.kind == VALUE_UNKNOWN) /* one entry, to see that the rest of it is right */
        list = (struct value){.kind = VALUE_LIST, .list = {&unknown, 1}};
    if (list.kind != VALUE_LIST) {
        expr_fail(node->loop_values, rendering->error,
                  "$for goes through a list; make one of text with … | split(\",\")",
                  "%.*s is %s, not a list", expr_shown(node->loop_values->source),
                  node->loop_values->source.bytes, value_phrase(list.kind));
        return FAILED;
    }
    buf_append_byte(rendering->buf, '[');
    environment->loop_count++;
    for (size_t i = 0; i < list.list.count; i++) {
        rendering->loops[environment->loop_count - 1] = list.list.items[i];
        if (render_entry(rendering, &node->entries[0], &written) == FAILED) {
            prepend_position(rendering, i);
            return FAILED;
        }
        if (rendering->buf->failed != ERR_OK)
            break;
    }
    environment->loop_count--;
    buf_append_byte(rendering->buf, ']');
    return RENDERED;
}

static enum outcome render(struct rendering *rendering, const struct body_node *node)
{
    switch (node->kind) {
    case BODY_LITERAL:
        buf_append(rendering->buf, node->json.bytes, node->json.length);
        return RENDERED;
    case BODY_VALUE:
        return render_value(rendering, node);
    case BODY_OBJECT:
        buf_append_byte(rendering->buf, '{');
        return render_members(rendering, node, 0);
    case BODY_LIST:
        return render_list(rendering, node);
    case BODY_LOOP:
        return render_loop(rendering, node);
    }
    return FAILED;
}

/* "body/product/memo: row.memo is null (key X1)": who reports it knows the line, the key names the
 * row for good. */
static void describe_failure(const struct rendering *rendering)
{
    struct eval_error *error = rendering->error;
    char inner[sizeof error->text], which[80] = "";
    struct value key = {.kind = VALUE_OMIT};
    size_t length, whole;
    struct slice text;

    if (rendering->environment.item != NULL)
        key = value_member(rendering->environment.item, SLICE("key"));
    if (value_to_text(&key, &text))
        snprintf(which, sizeof which, " (key %.*s)", expr_shown(text), text.bytes);
    memcpy(inner, error->text, sizeof inner);
    length = strnlen(inner, sizeof error->text - sizeof which - strlen(rendering->path) - 8);
    if (!text_is_utf8(inner, length, &whole)) /* cut inside a character */
        length = whole;
    if (snprintf(error->text, sizeof error->text, "body%s: %.*s%s", rendering->path, (int)length,
                 inner, which) < 0)
        error->text[0] = '\0';
}

static void describe_lack(struct rendering *rendering)
{
    const struct body_node *node = rendering->lacking;
    char text[200];

    if (rendering->lacking_name != NULL)
        (void)snprintf(text, sizeof text, "the API requires '%.60s' in it, and it is missing",
                       rendering->lacking_name);
    else
        (void)snprintf(text, sizeof text, "the API requires it, and it is missing");
    (void)fail(rendering, node, text,
               "fill it in; if the API no longer asks for it, say --validate=warn");
    prepend_name(rendering, node->name);
    if (rendering->lacking_in != NULL && rendering->lacking_in->name.length > 0)
        prepend_name(rendering, rendering->lacking_in->name);
    describe_failure(rendering);
}

bool body_template_render(const struct body_template *body, const struct environment *environment,
                          const char *first_member, struct buf *buf, struct eval_error *error_out)
{
    struct rendering rendering = {
        .body = body, .environment = *environment, .buf = buf, .error = error_out};
    size_t written = first_member != NULL ? 1 : 0;

    rendering.path[0] = '\0';
    error_out->text[0] = '\0';
    for (size_t i = 0; i < environment->loop_count && i < LOOPS_MAX; i++)
        rendering.loops[i] = environment->loops[i];
    rendering.environment.loops = rendering.loops;
    buf_append_byte(buf, '{');
    if (first_member != NULL)
        buf_append_text(buf, first_member);
    if (render_members(&rendering, &body->root, written) == FAILED) {
        describe_failure(&rendering);
        return false;
    }
    if (rendering.lacking != NULL)
        describe_lack(&rendering);
    return true;
}
