/* Evidence: a ring of items, each of which asks one question after another.
 *
 * reconcile.c has the ring, reconcile_ask.c the questions and their answers. */
#ifndef PURSER_CLI_RECONCILE_PRIVATE_H
#define PURSER_CLI_RECONCILE_PRIVATE_H

#include "purser/cli/claims.h"
#include "purser/cli/reconcile.h"
#include "purser/core/key.h"
#include "purser/io/api_client.h"

/* What an item does next. A WAITS is left when an answer comes. */
enum slot_step {
    STEP_ASK_JOB,
    STEP_ASK_OTHER_ADDRESS,
    STEP_WAITS_FOR_JOB,
    STEP_NEEDS_STATUS,
    STEP_ASK_PAGE,
    STEP_WAITS_FOR_PAGE,
    STEP_FINISHED
};

struct ring_slot {
    struct finding finding;
    enum slot_step step;
    struct arena arena;
    const struct spec_job *spec_job; /* NULL = not in the spec any more */
    uint32_t connection;             /* index in the spec, API_NO_CONNECTION = not in it any more */
    const struct operation *operation;
    struct slice path;                    /* of the frozen request */
    char idempotency_key[KEY_TEXT_BYTES]; /* "" = sent without one */
    enum job_path job_path;
    struct lookup_question question;
    struct slice cursor;
    uint32_t page_count;
    int64_t created_ms; /* of the first entity found; 0 = not known */
};

enum status_step { STATUS_UNASKED, STATUS_ASKED, STATUS_KNOWN };

/* Asked once, before the first look-up on the connection: a synchronisation that ends between a
 * look-up and the status would make an old list look new. */
struct connection_sync {
    enum status_step step;
    int64_t last_sync_ms, server_ahead_ms;
};

struct reconciler {
    struct session *session;
    struct api_client *client;
    struct listing listing;
    const struct lookup **lookups;       /* by job of the spec */
    struct connection_sync *connections; /* by connection of the spec */
    struct ring_slot slots[RECONCILE_ITEMS_MAX];
    uint32_t head, count;
    bool listing_ended, head_is_lent, was_refused;
    struct claims claims;
    struct arena scratch, answer;
};

/* Starts what can be asked now. */
enum err_code reconciler_ask(struct reconciler *reconciler, struct err *err) ERR_CHECKED;

/* Waits for an answer, which there must be, and takes the evidence out of it. */
enum err_code reconciler_take_answer(struct reconciler *reconciler, struct err *err) ERR_CHECKED;

/* A copy in the arena; sets *failed without memory. */
struct slice reconciler_keep(struct arena *arena, struct slice text, bool *failed);
/* "" without memory. */
const char *reconciler_keep_text(struct arena *arena, const char *text);

#endif
