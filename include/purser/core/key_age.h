/* How old an idempotency key can be (I5): a repeat is safe only while the server remembers it.
 *
 * Pure, as the life cycle. Three clocks: the server's, which counts; the host's, which anybody may
 * set; and the boot clock, which nobody can set and which ends with the boot. */
#ifndef PURSER_CORE_KEY_AGE_H
#define PURSER_CORE_KEY_AGE_H

#include <stdbool.h>
#include <stdint.h>

#include "purser/core/item.h"

struct key_clock {
    int64_t wall_ms; /* the host's clock, Unix */
    int64_t boot_ms;
    uint32_t boot;     /* which boot that counts from; 0 = not known */
    int64_t server_ms; /* the server's clock; the host's while that is not known */
    bool server_known; /* an answer of this process has told the server's time */
    bool given_up;     /* it was asked for, and the server tells none */
};

/* The oldest that the first send of the item's generation can be, in ms; INT64_MAX when nothing is
 * known of it. `stamped_by_server`: the intent was made by this process and by the server's clock.
 */
int64_t key_age_ms(const struct item *item, bool stamped_by_server, const struct key_clock *clock);

/* The server has told its time, and the boot clock tells how long ago the intent was made: the
 * stamp becomes that moment by the server's clock. True when it was another moment than the host's
 * clock had said, so that the ledger must have it before a request leaves: after a crash, and with
 * the host's clock set right meanwhile, the key would else look younger than it is. Only for an
 * intent of this boot. */
bool key_age_correct_intent(struct item *item, const struct key_clock *clock);

/* Up to which age a key is repeated, in ms, when the server remembers it for `remembered_ms`: so
 * much younger that a request which leaves at that age arrives while the key is still known, and
 * that clocks may differ. At least half of it. Source: A3 in ARCHITECTURE.md; no document says how
 * long a request may be on its way, a proxy's or a queue's delay is minutes. */
int64_t key_age_repeat_max_ms(int64_t remembered_ms);

/* The item may not be sent before the server has told its time: it would be a repeat, and the
 * host's clock may have been set back while purser was away. */
bool key_age_needs_server(const struct item *item, const struct key_clock *clock);

#endif
