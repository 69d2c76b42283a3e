#include "purser/cli/message_code.h"

#include <string.h>

#include "message_families.h"
#include "purser/base/text.h"
#include "purser/cli/wrapped_text.h"

enum { CODES_MAX = 256, CODE_COLUMNS = 28 };

static const struct message_family *const families[] = {
    &message_family_yaml,   &message_family_spec, &message_family_template,    &message_family_expr,
    &message_family_source, &message_family_data, &message_family_credentials,
};

const struct message_family *message_family_at(unsigned index)
{
    return index < sizeof families / sizeof families[0] ? families[index] : NULL;
}

const struct message_code *message_code_find(const char *code)
{
    for (unsigned i = 0; message_family_at(i) != NULL; i++)
        for (unsigned j = 0; j < families[i]->count; j++)
            if (strcmp(families[i]->codes[j].code, code) == 0)
                return &families[i]->codes[j];
    return NULL;
}

const struct message_code *message_code_closest(const char *code)
{
    const char *candidates[CODES_MAX];
    const char *closest;
    size_t count = 0;

    for (unsigned i = 0; message_family_at(i) != NULL; i++)
        for (unsigned j = 0; j < families[i]->count && count < CODES_MAX; j++)
            candidates[count++] = families[i]->codes[j].code;
    closest = text_closest(code, candidates, count);
    return closest != NULL ? message_code_find(closest) : NULL;
}

static void append_lines(struct buf *out, const char *text, const char *margin)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        buf_append_text(out, margin);
        buf_append(out, text, length);
        buf_append_byte(out, '\n');
        text += length + (text[length] == '\n');
    }
}

void message_code_explain(const struct message_code *code, struct buf *out)
{
    buf_append_format(out, "%s: ", code->code);
    wrapped_text_append(out, code->meaning, strlen(code->code) + 2, 0);
    buf_append_byte(out, '\n');
    wrapped_text_append(out, code->explanation, 0, 0);
    buf_append_text(out, "\nwrong:\n");
    append_lines(out, code->wrong, "    ");
    buf_append_text(out, "\nright:\n");
    append_lines(out, code->right, "    ");
}

void message_code_list(struct buf *out)
{
    for (unsigned i = 0; message_family_at(i) != NULL; i++) {
        buf_append_format(out, "%s%s\n", i > 0 ? "\n" : "", families[i]->about);
        for (unsigned j = 0; j < families[i]->count; j++) {
            buf_append_format(out, "  %-*s ", CODE_COLUMNS, families[i]->codes[j].code);
            wrapped_text_append(out, families[i]->codes[j].meaning, CODE_COLUMNS + 3,
                                CODE_COLUMNS + 3);
        }
    }
    buf_append_text(out, "\n`purser help CODE` explains one, with an example.\n");
}

static void append_example(struct buf *out, const char *title, const char *text)
{
    buf_append_format(out, "%s:\n\n", title);
    append_lines(out, text, "    ");
    buf_append_byte(out, '\n');
}

void message_code_document(struct buf *out)
{
    for (unsigned i = 0; message_family_at(i) != NULL; i++) {
        buf_append_format(out, "## %s\n\n%s\n\n", families[i]->name, families[i]->about);
        for (unsigned j = 0; j < families[i]->count; j++) {
            const struct message_code *code = &families[i]->codes[j];

            buf_append_format(out, "### %s\n\n**%s.** ", code->code, code->meaning);
            buf_append_format(out, "%s\n\n", code->explanation);
            append_example(out, "Wrong", code->wrong);
            append_example(out, "Right", code->right);
        }
    }
}
