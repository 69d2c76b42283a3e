/* How long a write takes and how often it is sent again: as earlier runs have seen it, as the
 * simulator is set, or assumed. */
#ifndef PURSER_CLI_PLAN_TIMES_H
#define PURSER_CLI_PLAN_TIMES_H

#include "purser/cli/comparison.h"

enum times_origin { TIMES_ASSUMED, TIMES_SIMULATED, TIMES_LEARNED };

/* What is known of all connections. */
struct plan_experience {
    enum times_origin origin;
    struct learned_times times; /* of a connection of which nothing was learned */
    double polls_each;          /* of a write with a remote job */
    double repeats_each;        /* of a write */
    uint32_t run;               /* that the two come from; 0 = none */
    uint32_t rate_millis;       /* of all requests; 0 = no limit known */
    bool rate_doubles;          /* as of struct estimate_load */
};

struct plan_experience plan_experience_find(const struct comparison *comparison);

/* Of one connection, and the rate that its writes begin with (0 = no limit known). True in
 * *rate_learned_out when earlier runs have found that. */
enum times_origin plan_times_of(const struct comparison *comparison,
                                const struct plan_experience *experience, size_t connection,
                                struct learned_times *times_out, uint32_t *rate_millis_out,
                                bool *rate_learned_out);

#endif
