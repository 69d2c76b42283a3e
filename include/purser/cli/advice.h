/* What a person does about an item that is where it is for a reason. Texts; no decisions. */
#ifndef PURSER_CLI_ADVICE_H
#define PURSER_CLI_ADVICE_H

#include "purser/core/item.h"

struct advice {
    bool is_doubt;       /* neither done nor not-done can be proved: a person must find out */
    const char *look_at; /* the evidence; "" = nothing to look for */
    const char *then;    /* what follows from it; "" = nothing is to be done */
};

/* One line each, at most ADVICE_BYTES_MAX; never NULL. */
#define ADVICE_BYTES_MAX 90
struct advice advice_for(enum reason reason);

#endif
