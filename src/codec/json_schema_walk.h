/* One value on its way through a schema: where it stands, and what was found wrong. */
#ifndef PURSER_CODEC_JSON_SCHEMA_WALK_H
#define PURSER_CODEC_JSON_SCHEMA_WALK_H

#include "json_schema_internal.h"
#include "purser/core/limits.h"

/* ASK wants to know whether a value fits, COUNT how far it is from fitting, TELL why not. */
enum walk_mode { WALK_ASK, WALK_COUNT, WALK_TELL };

struct path_step {
    struct slice name; /* bytes NULL: an index */
    size_t index;
};

struct walk {
    enum walk_mode mode;
    unsigned faults; /* weighted */
    const char *root;
    const char *undeclared;
    struct json_schema_verdict *verdict;
    struct path_step path[JSON_DEPTH_MAX + 1];
    size_t depth;
    unsigned nested; /* schemas in one another */
    unsigned steps;
    bool stopped; /* a limit was reached: there is no verdict */
};

/* Nothing that follows can matter any more. */
bool walk_is_done(const struct walk *walk);

/* Each counts a fault at the place where the walk stands and, in TELL, writes it down. */
void walk_refuse(struct walk *walk, const char *help, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void walk_refuse_type(struct walk *walk, unsigned types, const struct value *value);
void walk_refuse_choice(struct walk *walk, const struct value *choices, const struct value *value);
void walk_refuse_bound(struct walk *walk, const struct json_bound *bound, const char *most_or_least,
                       const char *more_or_less, const struct value *value);
/* The required members that are not there make one fault each, and one message. */
void walk_refuse_gaps(struct walk *walk, const struct json_schema *schema,
                      const struct value *value);
/* The walk stands at the member. */
void walk_refuse_member(struct walk *walk, const struct json_schema *schema, struct slice name);

#endif
