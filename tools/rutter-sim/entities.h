/* What writes have made, as reads show it: an object of a collection is a create, changed by the
 * updates that named it, gone after a delete. Nothing is kept for this beside the jobs; a read goes
 * through all of them. */
#ifndef RUTTER_SIM_ENTITIES_H
#define RUTTER_SIM_ENTITIES_H

#include "sim.h"

#define LIST_LIMIT 50
#define LIST_LIMIT_MAX 500

/* Whether reads of `path` (under /versioned) show what POST to it has made. */
bool entities_are_at(struct slice path);

/* Adds what GET of the collection answers. `query` is as it came. NULL on success, else what is
 * wrong with the query. */
const char *entities_add_list(struct text *text, struct sim *sim,
                              const struct connection *connection, struct slice path,
                              struct slice query);

/* Adds what GET of one object answers. False: there is none. */
bool entities_add_one(struct text *text, struct sim *sim, const struct connection *connection,
                      struct slice path);

#endif
