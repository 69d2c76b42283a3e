/* YAML text → a tree of nodes that know their place. Owner of libyaml.
 *
 * One pass over libyaml events; YAML 1.2 core types. Refused with a message: duplicate keys,
 * unknown tags, merge keys, nesting over SPEC_DEPTH_MAX, more than SPEC_NODES_MAX nodes once
 * aliases are expanded, invalid UTF-8, NUL, more than one document. The tree lives in the arena. */
#ifndef PURSER_CODEC_YAML_H
#define PURSER_CODEC_YAML_H

#include "purser/base/arena.h"
#include "purser/base/diag.h"
#include "purser/base/text.h"

enum yaml_kind { YAML_NULL, YAML_BOOL, YAML_INTEGER, YAML_FLOAT, YAML_STRING, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool plain; /* a scalar written without quotes */
    struct place place;
    struct slice text;              /* scalars: the value; numbers keep the text as written */
    struct slice raw;               /* scalars: the source between the marks, quotes and all */
    const struct yaml_node **items; /* lists: items; maps: values */
    const struct yaml_node **keys;  /* maps only; always scalars */
    size_t count;
};

/* Parses `length` bytes of the file called `file` (borrowed; must outlive the tree). Returns
 * ERR_OK with *root_out (NULL for an empty document), ERR_INPUT with messages in `diagnostics`,
 * or ERR_NO_MEMORY. */
enum err_code yaml_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
                         const struct yaml_node **root_out,
                         struct diagnostics *diagnostics) ERR_CHECKED;

/* The value of `key` in a map; NULL when absent. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* The place of byte `offset` of a scalar's raw source, for messages about a part of it. */
struct place yaml_place_in(const struct yaml_node *scalar, size_t offset, size_t width);

#endif
