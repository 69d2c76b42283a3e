/* A comparison on a bench: a ledger of arrays, and rows of two jobs, parents and children. */
#ifndef IMPORT_BENCH_H
#define IMPORT_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "purser/engine/engine.h"
#include "purser/engine/import.h"

enum { ITEMS_MAX = IMPORT_UNSENT_MAX, GROUPS_MAX = 8, PARENTS = 0, CHILDREN = 1, KEY_BYTES = 16 };

/* --- a ledger of arrays --- */

struct entry {
    struct item item;
    struct needs_record needs;
    bool has_needs;
};

static struct {
    struct ledger base;
    struct entry durable[ITEMS_MAX + 1], newest[ITEMS_MAX + 1];
    char keys[ITEMS_MAX + 1][KEY_BYTES];
    uint64_t count, commits;
    size_t open_count;
    struct {
        struct hash128 group;
        uint64_t last;
    } groups[GROUPS_MAX];
    size_t group_count;
} ledger;

static inline enum err_code find(struct ledger *self, uint32_t job, uint32_t connection,
                                 struct slice key, uint64_t *number_out, struct err *err)
{
    (void)self;
    (void)connection;
    (void)err;
    for (uint64_t number = 1; number <= ledger.count; number++)
        if (ledger.newest[number].item.job == job && slice_is(key, ledger.keys[number])) {
            *number_out = number;
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

static inline enum err_code read_item(struct ledger *self, uint64_t number, struct item *item_out,
                                      struct err *err)
{
    (void)self;
    (void)err;
    *item_out = ledger.durable[number].item;
    return ledger.durable[number].item.generation == 0 ? ERR_NOT_FOUND : ERR_OK;
}

static inline enum err_code read_needs(struct ledger *self, uint64_t number, struct buf *storage,
                                       struct needs_record *needs_out, struct err *err)
{
    (void)self;
    (void)storage;
    (void)err;
    *needs_out = ledger.durable[number].needs;
    return ledger.durable[number].has_needs ? ERR_OK : ERR_NOT_FOUND;
}

static inline enum err_code find_group(struct ledger *self, uint32_t job, uint32_t connection,
                                       struct hash128 group, uint64_t *number_out, struct err *err)
{
    (void)self;
    (void)job;
    (void)connection;
    (void)err;
    for (size_t i = 0; i < ledger.group_count; i++)
        if (ledger.groups[i].group.low == group.low) {
            *number_out = ledger.groups[i].last;
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

static inline enum err_code counts(struct ledger *self, uint32_t job, uint32_t connection,
                                   struct item_counts *counts_out, struct err *err)
{
    (void)self;
    (void)connection;
    (void)err;
    *counts_out = (struct item_counts){0};
    for (uint64_t number = 1; number <= ledger.count; number++)
        counts_out->by_state[ledger.durable[number].item.state] +=
            job == UINT32_MAX || ledger.durable[number].item.job == job;
    return ERR_OK;
}

static inline enum err_code add_item(struct ledger *self, const struct item *item,
                                     const struct frozen_request *request, uint64_t *number_out,
                                     struct err *err)
{
    (void)self;
    (void)err;
    assert_true(ledger.count < ITEMS_MAX);
    *number_out = ++ledger.count;
    ledger.newest[*number_out].item = *item;
    (void)snprintf(ledger.keys[*number_out], KEY_BYTES, "%.*s", (int)request->key.length,
                   request->key.bytes);
    ledger.open_count++;
    return ERR_OK;
}

static inline enum err_code put_item(struct ledger *self, uint64_t number,
                                     const struct item *before, const struct item *item,
                                     struct err *err)
{
    (void)self;
    (void)err;
    assert_int_equal(before->state, ledger.newest[number].item.state);
    ledger.newest[number].item = *item;
    ledger.open_count++;
    return ERR_OK;
}

static inline enum err_code put_request(struct ledger *self, uint64_t number,
                                        const struct frozen_request *request, struct err *err)
{
    (void)self;
    (void)number;
    (void)request;
    (void)err;
    ledger.open_count++;
    return ERR_OK;
}

static inline enum err_code put_needs(struct ledger *self, uint64_t number,
                                      const struct needs_record *needs, struct err *err)
{
    (void)self;
    (void)err;
    ledger.newest[number].needs = *needs;
    ledger.newest[number].has_needs = true;
    ledger.open_count++;
    return ERR_OK;
}

static inline enum err_code put_group(struct ledger *self, uint32_t job, uint32_t connection,
                                      struct hash128 group, uint64_t number, struct err *err)
{
    size_t i = 0;

    (void)self;
    (void)job;
    (void)connection;
    (void)err;
    while (i < ledger.group_count && ledger.groups[i].group.low != group.low)
        i++;
    assert_true(i < GROUPS_MAX);
    ledger.groups[i].group = group;
    ledger.groups[i].last = number;
    ledger.group_count += i == ledger.group_count;
    return ERR_OK;
}

static inline size_t batch_bytes(struct ledger *self)
{
    (void)self;
    return ledger.open_count;
}

static inline enum err_code commit_begin(struct ledger *self, uint64_t *sequence_out,
                                         struct err *err)
{
    (void)self;
    (void)err;
    memcpy(ledger.durable, ledger.newest, (ledger.count + 1) * sizeof ledger.durable[0]);
    ledger.open_count = 0;
    *sequence_out = ++ledger.commits;
    return ERR_OK;
}

static inline enum err_code commit_poll(struct ledger *self, bool wait, uint64_t *durable_out,
                                        struct err *err)
{
    (void)self;
    (void)wait;
    (void)err;
    *durable_out = ledger.commits;
    return ERR_OK;
}

static const struct ledger_ops ops = {.find = find,
                                      .read_item = read_item,
                                      .read_needs = read_needs,
                                      .find_group = find_group,
                                      .counts = counts,
                                      .add_item = add_item,
                                      .put_item = put_item,
                                      .put_request = put_request,
                                      .put_needs = put_needs,
                                      .put_group = put_group,
                                      .batch_bytes = batch_bytes,
                                      .commit_begin = commit_begin,
                                      .commit_poll = commit_poll};

/* --- rows --- */

static struct importer importer;
static struct import_need need; /* of the row that row_that_needs() has made last */

/* A run begins. */
static inline void begin(uint32_t run)
{
    uint64_t sequence;

    if (run == 1)
        memset(&ledger, 0, sizeof ledger);
    ledger.base.ops = &ops;
    assert_int_equal(commit_begin(&ledger.base, &sequence, NULL), ERR_OK);
    importer = (struct importer){.ledger = &ledger.base, .run = run, .now_ms = 1000};
}

static inline int begin_first(void **context)
{
    (void)context;
    begin(1);
    return 0;
}

static inline struct import_row row(uint32_t job, const char *key, const char *body)
{
    return (struct import_row){.job = job,
                               .job_index = job,
                               .key = slice_of(key),
                               .method = METHOD_POST,
                               .path = SLICE("/products"),
                               .body = slice_of(body),
                               .condition = true,
                               .when_changed = WHEN_CHANGED_RESEND};
}

static inline struct hash128 hash_of(const char *text)
{
    return checksum128(text, strlen(text));
}

/* Its request does not say whom it waits for. */
static inline struct import_row row_that_needs(const char *key, const char *body,
                                               const char *parent)
{
    struct import_row made = row(CHILDREN, key, body);

    need = (struct import_need){
        .job_index = PARENTS, .job = PARENTS, .key = slice_of(parent), .name = SLICE("parent")};
    made.needs = &need;
    made.need_count = 1;
    made.draft_hash = hash_of(parent);
    made.draft_hash.high ^= hash_of(body).high;
    return made;
}

static inline struct import_row row_of_group(const char *key, const char *body, const char *group)
{
    struct import_row made = row(CHILDREN, key, body);

    made.has_group = true;
    made.group = hash_of(group);
    made.draft_hash = hash_of(group);
    made.draft_hash.high ^= hash_of(body).high;
    return made;
}

static inline uint64_t number_of(const char *key)
{
    uint64_t number = 0;

    for (uint32_t job = 0; job < 2 && number == 0; job++)
        if (find(NULL, job, 0, slice_of(key), &number, NULL) != ERR_OK)
            number = 0;
    return number;
}

static inline struct import_outcome compare(const struct import_row *one)
{
    struct import_outcome outcome;
    struct err err = {0};

    assert_int_equal(import_compare(&importer, one, &outcome, &err), ERR_OK);
    return outcome;
}

static inline struct import_outcome take(struct import_row one)
{
    struct import_outcome outcome = compare(&one);
    struct err err = {0};

    assert_int_equal(import_apply(&importer, &one, &outcome, &err), ERR_OK);
    return outcome;
}

static inline enum correction correct(struct import_row one)
{
    enum correction correction;
    struct err err = {0};

    assert_int_equal(import_correction(&importer, &one, &correction, &err), ERR_OK);
    return correction;
}

static inline void begin_job(void)
{
    struct err err = {0};

    assert_int_equal(import_begin_job(&importer, &err), ERR_OK);
}

static inline struct entry *entry_of(const char *key)
{
    assert_true(number_of(key) > 0);
    return &ledger.newest[number_of(key)];
}

/* As the engine leaves it. */
static inline void set_state(const char *key, enum item_state state)
{
    struct item *item = &entry_of(key)->item;

    item->state = state;
    item->accepted = state == ITEM_SUCCEEDED;
    item->attempt_total = 1;
    item->waits_on = WAIT_NONE;
    item->waits_for = 0;
}

static inline void add_parent(const char *key, enum item_state state)
{
    (void)take(row(PARENTS, key, "{}"));
    set_state(key, state);
    begin_job();
    importer.has_work[PARENTS] = false;
}

static inline void assert_waits(const struct import_outcome *outcome, enum wait_kind kind,
                                const char *key)
{
    assert_int_equal(outcome->waits_on, kind);
    assert_int_equal(outcome->waits_for, key == NULL ? 0 : number_of(key));
}

static inline void assert_needs(const char *key, const char *parent)
{
    const struct entry *entry = entry_of(key);

    assert_true(entry->has_needs);
    assert_int_equal(entry->needs.need_count, 1);
    assert_int_equal(entry->needs.needs[0].target, number_of(parent));
}

#endif
