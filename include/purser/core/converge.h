/* What a row of today means for what the ledger knows: the rule behind "run it again". Pure. */
#ifndef PURSER_CORE_CONVERGE_H
#define PURSER_CORE_CONVERGE_H

#include "purser/core/item.h"

/* What to do when a row changed after its item succeeded. */
enum when_changed { WHEN_CHANGED_RESEND, WHEN_CHANGED_KEEP, WHEN_CHANGED_ERROR };

/* identifier, name, meaning */
#define CONVERGE_LIST(X)                                                                         \
    X(CONVERGE_ADD, "add", "a new key: will be sent")                                            \
    X(CONVERGE_SKIP, "skip", "a new key whose if: is false")                                     \
    X(CONVERGE_UNCHANGED, "unchanged", "nothing to do, or it simply goes on")                    \
    X(CONVERGE_REPLACE, "replace", "changed before it was sent: the new row takes its place")    \
    X(CONVERGE_RESEND, "resend", "changed after it ended: will be sent again")                   \
    X(CONVERGE_KEEP, "keep", "changed after it succeeded, and kept as it is")                    \
    X(CONVERGE_FINISH_FIRST, "finish_first", "changed while in flight or in doubt: that first")  \
    X(CONVERGE_REFUSE, "refuse", "changed after it succeeded, and the spec calls that an error") \
    X(CONVERGE_CORRECTED, "corrected", "as it was when a corrected row took its place: that counts")

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

/* What a corrected row, given beside the source, means for its item. Of the first four something or
 * nothing is to be done; the others are errors of the one who gave the row. identifier, meaning */
#define CORRECTION_LIST(X)                                                                \
    X(CORRECTION_CHANGE, "a new request takes the place of the old one")                  \
    X(CORRECTION_AGAIN, "the same request once more")                                     \
    X(CORRECTION_GOES_ON, "this very request is under way, or ready")                     \
    X(CORRECTION_DONE, "this very request has succeeded")                                 \
    X(CORRECTION_UNKNOWN, "no item has this key")                                         \
    X(CORRECTION_SKIPPED, "the row's if: is false, so nothing would be sent")             \
    X(CORRECTION_UNDER_WAY, "its item is under way with another request")                 \
    X(CORRECTION_IN_DOUBT, "its item is in doubt: it may have been done")                 \
    X(CORRECTION_SUCCEEDED, "its item has succeeded")                                     \
    X(CORRECTION_GIVEN_UP, "its item was given up while in doubt: it may have been done") \
    X(CORRECTION_NEEDS_UNKNOWN, "what it needs is not in the ledger")

enum correction {
#define X(identifier, meaning) identifier,
    CORRECTION_LIST(X)
#undef X
        CORRECTION_COUNT
};

/* As converge_row(). What a crash left of an earlier call with the same row is no error. */
enum correction converge_correction(const struct item *known, bool condition,
                                    struct hash128 request_hash);

const char *correction_meaning(enum correction correction);

const char *converge_action_name(enum converge_action action);
const char *converge_action_meaning(enum converge_action action);

#endif
