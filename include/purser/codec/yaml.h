/* YAML text → a tree of nodes that know their place. Owner of libyaml.
 *
 * One pass over libyaml events; YAML 1.2 core types, except where yaml_scalar.h says otherwise (a
 * leading zero or plus makes text, so that 00123 stays an id). Refused with a message: duplicate
 * keys, unknown tags, merge keys, keys that are no scalars, nesting over SPEC_DEPTH_MAX (also
 * through aliases), more than SPEC_NODES_MAX nodes once aliases are expanded, more than
 * SPEC_ANCHORS_MAX anchors, invalid UTF-8, UTF-16, NUL (also as "\0"), more than one document, more
 * than SPEC_BYTES_MAX bytes. An alias shares the nodes of its anchor, so their place is that of the
 * anchor. Time is linear in the length, except for duplicate keys (n log n). The tree lives in the
 * arena. */
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
    /* Scalars: the value. Booleans are "true" or "false"; numbers are valid JSON and keep the text
     * as written where it is that already. */
    struct slice text;
    struct slice raw;               /* scalars: the source between the marks, quotes and all */
    size_t cut;                     /* scalars: bytes of the value that stand before `text` */
    const struct yaml_node **items; /* lists: items; maps: values */
    const struct yaml_node **keys;  /* maps only; always scalars */
    size_t count;
};

/* Parses `length` bytes of the file called `file` (both borrowed; must outlive the tree). Returns
 * ERR_OK with *root_out (NULL for an empty document), ERR_INPUT with messages in `diagnostics`, or
 * ERR_NO_MEMORY. After ERR_INPUT *root_out is the tree without what was refused when the text could
 * be read to its end (so that the caller can go on and gather more messages), else NULL. */
enum err_code yaml_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
                         const struct yaml_node **root_out,
                         struct diagnostics *diagnostics) ERR_CHECKED;

/* The value of `key` in a map; NULL when absent or when `map` is no map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* The place of byte `offset` of a scalar's raw source, for messages about a part of it. `width` is
 * in characters. */
struct place yaml_place_in(const struct yaml_node *scalar, size_t offset, size_t width);

/* "text", "a number", "a list" … for messages: "is a list, must be text". */
const char *yaml_kind_name(enum yaml_kind kind);

#endif
