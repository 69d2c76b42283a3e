/* A compiled body, as the files of this module see it. */
#ifndef PURSER_CODEC_TEMPLATE_TREE_H
#define PURSER_CODEC_TEMPLATE_TREE_H

#include "expr_tree.h"
#include "purser/codec/template.h"

enum body_kind { BODY_LITERAL, BODY_VALUE, BODY_OBJECT, BODY_LIST, BODY_LOOP };

struct body_node {
    enum body_kind kind;
    const struct yaml_node *yaml;
    /* Members of objects: name; ,"name": as JSON, with the value when that is constant. */
    struct slice name, name_json;
    bool is_required; /* by the operation: to leave it out is told */
    const char *const
        *required_names; /* VALUE: what the map that it gives must have; NULL = none */
    union {
        struct slice json;                 /* LITERAL */
        const struct text_template *value; /* VALUE */
        struct {
            /* OBJECT: members. LIST: entries. LOOP: one, rendered for each value. */
            struct body_node *entries;
            size_t count;
            const struct expr *loop_values; /* LOOP */
        };
    };
};

struct body_template {
    struct body_node root; /* an object */
    enum when_empty when_empty;
};

#endif
