/* The filter language of list reads: document_number = "1196" OR (balance >= 0 AND balance <= 9).
 *
 * Source: Rutter's Basics page, "Filtering Objects". Not said there, and chosen here: AND binds
 * stronger than OR, a member that an object does not have matches nothing, and a quote inside a
 * string is written \". */
#ifndef RUTTER_SIM_FILTER_H
#define RUTTER_SIM_FILTER_H

#include "text.h"

#define FILTER_DEPTH_MAX 32

/* The raw JSON value of an object's member; empty if it has none. */
typedef struct slice (*filter_member)(const void *object, struct slice name);

/* NULL: right. Else what is wrong with it. */
const char *filter_problem(struct slice filter);

/* Whether the object fits. `filter` must be right. */
bool filter_fits(struct slice filter, filter_member member, const void *object);

#endif
