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

/* Errors: those of the ledger. */
enum err_code plan_experience_find(const struct comparison *comparison,
                                   struct plan_experience *experience_out,
                                   struct err *err) ERR_CHECKED;

struct plan_times {
    enum times_origin origin;
    struct learned_times times;
    uint32_t rate_millis; /* that its writes begin with; 0 = no limit known */
    bool rate_is_learned; /* by earlier runs */
};

/* Of one connection. Errors: those of the ledger. */
enum err_code plan_times_find(const struct comparison *comparison,
                              const struct plan_experience *experience, size_t connection,
                              struct plan_times *times_out, struct err *err) ERR_CHECKED;

#endif
