#include "purser/cli/advice.h"

#include <assert.h>

#define IS_IT_THERE "is there an entity of this row on the platform?"
#define SAY_SO "resolve --as done if it is there, --as not-done if it is not"
#define MEND "mend the row and run again, or `retry` if the cause was elsewhere"

struct advice advice_for(enum reason reason)
{
    static const struct advice advices[REASON_COUNT] = {
        [REASON_NONE] = {false, "", ""},
        [REASON_REFUSED] = {false, "the answer's error, and the row", MEND},
        [REASON_JOB_FAILED] = {false, "the answer's error, and the row", MEND},
        [REASON_RETRIES_EXHAUSTED] = {true, "the attempts in `explain`; " IS_IT_THERE, SAY_SO},
        [REASON_WINDOW_PASSED] = {true, "when it was first sent; " IS_IT_THERE, SAY_SO},
        [REASON_SERVER_LOST_JOB] = {true, "the remote job, with Rutter's support; " IS_IT_THERE,
                                    SAY_SO},
        [REASON_KEY_CONFLICT] =
            {true, "the platform: what was accepted under this key, perhaps with other values?",
             "resolve --as done if it is right; if it is not, mend it there first"},
        [REASON_PLATFORM_ERROR] =
            {true, "the platform: it failed while it wrote, and may have written all or some",
             SAY_SO},
        [REASON_SERVER_ERROR] =
            {true, "the request id, with Rutter's support: they know what a 5xx has created",
             SAY_SO},
        [REASON_UNCLASSIFIED] = {true, "the answer (`results -o DIR`); " IS_IT_THERE, SAY_SO},
        [REASON_TWO_SERVER_JOBS] =
            {true, "the platform: it may be there twice; `explain` names both remote jobs",
             "delete one there if it is there twice, then resolve --as done"},
        [REASON_RECORD_DAMAGED] = {true, "the disk; " IS_IT_THERE, SAY_SO},
        [REASON_UNKEYED_UNKNOWN] = {true, IS_IT_THERE, SAY_SO "; or see `retry: natural`"},
        [REASON_REFUSED_AFTER_UNKNOWN] =
            {true, "the refusal: does it say \"exists already\"? " IS_IT_THERE, SAY_SO},
        [REASON_PARTIAL_SUCCESS] = {true, "the answer (`results -o DIR`): what was not written?",
                                    "complete it on the platform, then resolve --as done"},
        [REASON_WRONG_JOB] = {true, "the remote job, with Rutter's support; " IS_IT_THERE, SAY_SO},
        [REASON_RESOLVED] = {false, "", ""},
        [REASON_ABANDONED] = {false, "", ""},
        [REASON_CANCELLED] = {false, "", "`retry` makes it ready again"},
        [REASON_CONDITION_FALSE] = {false, "", ""},
        [REASON_RESTORED_STATE] =
            {true, "the platform: what was written after the copy of the ledger was made?", SAY_SO},
        [REASON_STUCK_PENDING] =
            {true, "the remote job, with Rutter's support; is QuickBooks' Web Connector running?",
             "run again: it is only asked for, nothing is sent"},
        [REASON_RECONCILED] = {false, "", ""},
        [REASON_NOT_RENDERED] = {false, "what its parents returned (`explain`), and the spec",
                                 "mend the spec and run again; nothing of it was sent"},
        [REASON_UNDONE] = {false, "", "`retry` writes it anew"},
        [REASON_UNDO_FOUND_NOTHING] = {false, "the platform: who has deleted it?",
                                       "`retry` writes it anew"},
    };

    assert(reason < REASON_COUNT);
    return advices[reason];
}
