/* What a row of today means for what the ledger knows: the rule behind "run it again". Pure. */
#ifndef PURSER_CORE_CONVERGE_H
#define PURSER_CORE_CONVERGE_H

#include "purser/core/item.h"

/* What to do when a row changed after its item succeeded. */
enum when_changed { WHEN_CHANGED_RESEND, WHEN_CHANGED_KEEP, WHEN_CHANGED_ERROR };

/* identifier, name, meaning */
#define CONVERGE_LIST(X)                                                                        \
    X(CONVERGE_ADD, "add", "a new key: will be sent")                                           \
    X(CONVERGE_SKIP, "skip", "a new key whose if: is false")                                    \
    X(CONVERGE_UNCHANGED, "unchanged", "nothing to do, or it simply goes on")                   \
    X(CONVERGE_REPLACE, "replace", "changed before it was sent: the new row takes its place")   \
    X(CONVERGE_RESEND, "resend", "changed after it ended: will be sent again")                  \
    X(CONVERGE_KEEP, "keep", "changed after it succeeded, and kept as it is")                   \
    X(CONVERGE_FINISH_FIRST, "finish_first", "changed while in flight or in doubt: that first") \
    X(CONVERGE_REFUSE, "refuse", "changed after it succeeded, and the spec calls that an error")

enum converge_action {
#define X(identifier, name, meaning) identifier,
    CONVERGE_LIST(X)
#undef X
        CONVERGE_COUNT
};

/* `known` is the item under this identity, NULL when there is none; `condition` is the row's if:.
 */
enum converge_action converge_row(const struct item *known, bool condition,
                                  struct hash128 request_hash, enum when_changed when_changed);

const char *converge_action_name(enum converge_action action);
const char *converge_action_meaning(enum converge_action action);

#endif
