/* The bug that restored.py must find: what was lost of a ledger is not thought of. */
#include "purser/core/lifecycle.h"

struct step __real_lifecycle_step(const struct item *item, const struct item_event *event,
                                  const struct policy *policy);
struct step __wrap_lifecycle_step(const struct item *item, const struct item_event *event,
                                  const struct policy *policy);

struct step __wrap_lifecycle_step(const struct item *item, const struct item_event *event,
                                  const struct policy *policy)
{
    struct item_event whole = *event;

    whole.lost_since_ms = 0;
    return __real_lifecycle_step(item, &whole, policy);
}
