/* Members that a body must have: found once when the body is compiled, so that a row costs nothing
 * but a look at what was left out. */
#include <stdio.h>

#include "template_tree.h"

struct requirement {
    const char *wrapper, *what;
    enum diag_severity severity;
    struct diagnostics *diagnostics;
};

static struct body_node *find_member(const struct body_node *object, const char *name)
{
    for (size_t i = 0; object->kind == BODY_OBJECT && i < object->count; i++)
        if (slice_is(object->entries[i].name, name))
            return &object->entries[i];
    return NULL;
}

static void report(const struct requirement *requirement, struct place place, const char *name)
{
    char help[200];

    if (requirement->wrapper[0] != '\0')
        (void)snprintf(
            help, sizeof help,
            "body: { %s: { %s: … } }; if the API no longer asks for it, say --validate=warn",
            requirement->wrapper, name);
    else
        (void)snprintf(help, sizeof help,
                       "body: { %s: … }; if the API no longer asks for it, say --validate=warn",
                       name);
    diagnostics_add(requirement->diagnostics, requirement->severity, place, "spec.required_member",
                    help, "%s requires '%s', which the body does not have", requirement->what,
                    name);
}

/* An object that is constant was folded into its text; its YAML still has the names. */
static void require_in(const struct requirement *requirement, const struct body_node *object,
                       const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        struct body_node *member = find_member(object, names[i]);

        if (member != NULL)
            member->is_required = true;
        else if (yaml_get(object->yaml, names[i]) == NULL)
            report(requirement, object->yaml->place, names[i]);
    }
}

void body_template_require(struct body_template *body, const char *wrapper,
                           const char *const *names, const char *what, enum diag_severity severity,
                           struct diagnostics *diagnostics)
{
    struct requirement requirement = {wrapper, what, severity, diagnostics};
    struct body_node *object = &body->root;

    if (wrapper[0] != '\0')
        object = find_member(object, wrapper);
    if (object == NULL) /* told by the loader */
        return;
    object->is_required = true;
    if (object->kind == BODY_VALUE)
        object->required_names = names;
    else if (object->yaml->kind == YAML_MAP)
        require_in(&requirement, object, names);
}
