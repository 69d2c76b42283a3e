#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

static const char *const kind_names[] = {
    [SECRET_ENV] = "env", [SECRET_FILE] = "file", [SECRET_CREDENTIAL] = "credential"};

static bool is_variable_name(struct slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';

        if (!letter && (i == 0 || byte < '0' || byte > '9'))
            return false;
    }
    return name.length > 0;
}

/* The name in "${env.NAME}"; empty when the text is something else. */
static struct slice variable_of_expression(struct slice text)
{
    static const char start[] = "${env.";
    struct slice name = {text.bytes + sizeof start - 1, 0};

    if (text.length > sizeof start && strncmp(text.bytes, start, sizeof start - 1) == 0 &&
        text.bytes[text.length - 1] == '}')
        name.length = text.length - sizeof start;
    if (!is_variable_name(name))
        name.length = 0;
    return name;
}

/* Nothing of the text may come out: it may be the secret itself. */
static void refuse_literal(struct spec_reader *reader, const struct yaml_node *node,
                           const char *what)
{
    struct slice name = variable_of_expression(node->text);
    char help[256];

    if (name.length == 0) {
        bool is_token = strcmp(what, "access_token") == 0;

        name = is_token                         ? SLICE("RUTTER_ACCESS_TOKEN")
               : strcmp(what, "client_id") == 0 ? SLICE("RUTTER_CLIENT_ID")
                                                : SLICE("RUTTER_CLIENT_SECRET");
    }
    snprintf(help, sizeof help, "%s: { env: %.*s }", what, (int)name.length, name.bytes);
    diagnostics_add(reader->diagnostics, DIAG_ERROR | DIAG_HIDE_LINE, node->place,
                    "spec.secret_literal", help, "a %s must not be written here; say where it is",
                    strcmp(what, "access_token") == 0 ? "token" : "secret");
}

/* A name that cannot be one may be a secret at the wrong place, so it is not shown either. */
static bool check_name(struct spec_reader *reader, const struct yaml_node *node,
                       enum secret_kind kind)
{
    const char *text;

    if (kind == SECRET_FILE)
        return spec_read_text(reader, node, "the file of a secret", &text);
    if (kind == SECRET_ENV ? is_variable_name(node->text) : spec_name_is_valid(node->text))
        return true;
    diagnostics_add(reader->diagnostics, DIAG_ERROR | DIAG_HIDE_LINE, node->place, "spec.value",
                    kind == SECRET_ENV ? "letters, digits and _, as in RUTTER_ACCESS_TOKEN"
                                       : "letters, digits, _ . and -, as in rutter-token",
                    kind == SECRET_ENV ? "this cannot be the name of an environment variable"
                                       : "this cannot be the name of a credential");
    return false;
}

bool spec_read_secret(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                      struct secret_reference *reference_out)
{
    static const struct spec_key keys[] = {
        [SECRET_ENV] = {"env", KINDS_TEXT, false, NULL},
        [SECRET_FILE] = {"file", KINDS_TEXT, false, NULL},
        [SECRET_CREDENTIAL] = {"credential", KINDS_TEXT, false, NULL},
        {"command", KINDS_ANY, false, "let a script put it into an environment variable or file"},
    };
    const struct yaml_node *found[sizeof keys / sizeof *keys];
    int kind = -1;

    if (node->kind != YAML_MAP && node->kind != YAML_LIST) {
        refuse_literal(reader, node, what);
        return false;
    }
    if (!spec_read_map(reader, node, what, keys, sizeof keys / sizeof *keys, found))
        return false;
    for (int i = SECRET_ENV; i <= SECRET_CREDENTIAL; i++) {
        if (found[i] == NULL)
            continue;
        if (kind != -1) {
            spec_error(reader, node->place, "spec.value", "keep one of them",
                       "%s has both '%s' and '%s'", what, kind_names[kind], kind_names[i]);
            return false;
        }
        kind = i;
    }
    if (kind == -1) {
        if (node->count == 0)
            spec_error(reader, node->place, "spec.required", "{ env: NAME } or { file: PATH }",
                       "%s does not say where the secret is", what);
        return false;
    }
    if (!check_name(reader, found[kind], (enum secret_kind)kind))
        return false;
    *reference_out =
        (struct secret_reference){(enum secret_kind)kind, found[kind]->text.bytes, node->place};
    if (kind == SECRET_FILE)
        return spec_read_path(reader, found[kind], what, &reference_out->name);
    return true;
}
