/* What an answer to a look-up shows. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "expr_tree.h"
#include "purser/base/log.h"
#include "purser/codec/lookup.h"

enum { ENTITY_ID_BYTES_MAX = 128 };

static bool is_match(const struct value *entity, const struct lookup_match *match)
{
    struct value member = value_member(entity, match->name);
    struct slice text;

    if (member.kind == VALUE_OMIT)
        return match->may_be_missing;
    return value_to_text(&member, &text) && slice_equal(text, match->text);
}

static bool counts(const struct value *entity, const struct lookup_question *question)
{
    if (!answer_is_map(entity))
        return false;
    for (size_t i = 0; i < question->match_count; i++)
        if (!is_match(entity, &question->matches[i]))
            return false;
    return true;
}

/* As the answer to the write would have been, so that outputs find their way in it. */
static struct slice wrapped(struct arena *arena, const struct value *entity, const char *wrapper)
{
    struct slice text = {0};
    struct buf buf;
    char *copy;

    buf_init(&buf, ANSWER_BYTES_MAX);
    if (wrapper[0] != '\0') {
        buf_append_byte(&buf, '{');
        text_append_json(&buf, slice_of(wrapper));
        buf_append_byte(&buf, ':');
    }
    value_append_json(&buf, entity);
    if (wrapper[0] != '\0')
        buf_append_byte(&buf, '}');
    copy = buf.failed == ERR_OK ? arena_copy_text(arena, buf.bytes, buf.length) : NULL;
    if (copy != NULL)
        text = (struct slice){copy, log_redact(copy, buf.length)};
    buf_deinit(&buf);
    return text;
}

static void take_entity(struct arena *arena, const struct value *entity,
                        const struct lookup_question *question, struct lookup_page *page)
{
    if (!counts(entity, question))
        return;
    if (page->count < LOOKUP_IDS_MAX) {
        const char *id =
            answer_safe_text(arena, answer_text_member(entity, "id"), ENTITY_ID_BYTES_MAX);

        page->ids[page->count] = slice_of(id[0] == '\0' ? "?" : id);
    }
    if (page->count++ > 0)
        return;
    page->entity = wrapped(arena, entity, question->wrapper);
    page->created_ms = answer_time_ms(answer_text_member(entity, "created_at"));
}

/* The first list, whatever its name: {"invoices":[…],"next_cursor":…}. */
static const struct value *list_of(const struct value *root)
{
    for (size_t i = 0; i < root->map.count; i++)
        if (root->map.values[i].kind == VALUE_LIST)
            return &root->map.values[i];
    return NULL;
}

static const char *detail_of(struct arena *arena, int http_status, enum answer_form form,
                             const struct answer_error *error)
{
    char text[ERROR_MESSAGE_BYTES_MAX];
    const char *said = answer_safe_text(arena, error->message, ERROR_MESSAGE_BYTES_MAX / 2);
    const char *copy;

    if (said[0] == '\0')
        said = form == ANSWER_WEB_PAGE ? "a web page came instead of the API's answer"
               : http_status >= 200 && http_status <= 299 ? "the answer has no list"
                                                          : "";
    (void)snprintf(text, sizeof text, "HTTP %d%s%s", http_status, said[0] == '\0' ? "" : ": ",
                   said);
    copy = arena_copy_text(arena, text, strlen(text));
    return copy == NULL ? "" : copy;
}

struct lookup_page lookup_read_page(struct arena *arena, const struct lookup_question *question,
                                    int http_status, struct slice body, const char *content_type)
{
    struct lookup_page page = {.detail = ""};
    struct answer_error error = {0};
    struct value root = {.kind = VALUE_OMIT};
    enum answer_form form = answer_parse(arena, body, content_type, &root);
    bool is_ok = http_status >= 200 && http_status <= 299;
    bool is_error = form == ANSWER_OBJECT && answer_read_error(&root, &error);
    const struct value *list = form == ANSWER_OBJECT && !is_error ? list_of(&root) : NULL;
    struct value entity = value_member(&root, slice_of(question->wrapper));

    page.is_impossible =
        http_status == 400 || http_status == 404 || http_status == 405 || http_status == 422;
    page.is_refused = http_status == 401 || error.kind == ANSWER_ERROR_BAD_CREDENTIALS;
    page.is_read = is_ok && !is_error && (list != NULL || answer_is_map(&entity));
    if (!page.is_read) {
        page.detail = detail_of(arena, http_status, form, &error);
        return page;
    }
    /* The entity itself, where its own path was asked for; it may have lists in it. */
    if (answer_is_map(&entity)) {
        take_entity(arena, &entity, question, &page);
        return page;
    }
    for (size_t i = 0; i < list->list.count; i++)
        take_entity(arena, &list->list.items[i], question, &page);
    page.cursor = answer_text_member(&root, "next_cursor");
    if (page.cursor.length > CURSOR_BYTES_MAX) {
        page.is_read = false;
        page.detail = "the cursor of the next page is too long";
    }
    return page;
}
