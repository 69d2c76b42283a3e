/* prove-curl: what the transport makes of every answer that is cut, split or damaged.
 *
 * The real transport, the real libcurl and the real reading of answers run in one process on a
 * clock that only jumps (curl_world.c); the server is the other end of a socket pair. Every answer
 * (curl_answers.c) in every framing is cut at every byte, and then there is an end, a reset or
 * silence, on a new connection and on one that was used; it is split at every byte, and at many
 * drawn places; bits are flipped; the request is read in part. After each exchange the laws of
 * curl_exchange.c are checked against what the peer has sent and received. Everything is done twice
 * and must come out the same.
 *
 *     prove-curl [--seed N] [--stride N] [--random N] [--planted]
 *
 * --stride: every n-th of all cuts; --random: exchanges that are drawn; --planted: this program has
 * a bug in it, and success is to find it. */
#include <curl/curl.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curl_exchange.h"
#include "purser/base/mem.h"

struct options {
    uint64_t seed, stride, random;
    bool planted;
};

static uint64_t random_state;

/* Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t random_next(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(size_t end)
{
    return (size_t)(random_next() % end);
}

/* --- libcurl's memory --- */

static int64_t blocks_of_curl;

static void *counted(void *block)
{
    blocks_of_curl += block != NULL;
    return block;
}

static void *curl_new(size_t size)
{
    return counted(malloc(size));
}

static void *curl_new_zeroed(size_t count, size_t size)
{
    return counted(calloc(count, size));
}

static char *curl_copy(const char *text)
{
    return counted(strdup(text));
}

static void *curl_resize(void *block, size_t size)
{
    return block == NULL ? curl_new(size) : realloc(block, size);
}

static void curl_release(void *block)
{
    blocks_of_curl -= block != NULL;
    free(block);
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    if (folder == NULL)
        abort();
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* --- trials --- */

static void trial_begin(struct trial *trial, size_t form, enum framing framing)
{
    memset(trial, 0, sizeof *trial);
    trial->form = &answer_forms[form];
    trial->framing = framing;
    answer_write(trial->form, framing, &trial->text);
    memcpy(trial->plan.text, trial->text.bytes, trial->text.length);
    trial->plan.read_first = SIZE_MAX;
    trial->plan.piece_count = 1;
    trial->plan.piece_ends[0] = trial->text.length;
    trial->plan.ending = framing == FRAME_CLOSE ? END_CLOSES : END_KEEPS;
}

/* Every cut × every ending × new and used. */
static void try_cuts(struct prover *prover, size_t form, enum framing framing, uint64_t stride,
                     uint64_t *counter)
{
    static struct trial trial;

    trial_begin(&trial, form, framing);
    for (size_t cut = 0; cut <= trial.text.length; cut++) {
        for (int variant = 0; variant < END_COUNT * 2; variant++) {
            if ((*counter)++ % stride != 0)
                continue;
            trial.plan.piece_ends[0] = cut;
            trial.plan.ending = (enum ending)(variant / 2);
            trial.reused = variant % 2 == 1;
            exchange_try(prover, &trial);
        }
    }
}

static void try_splits(struct prover *prover, size_t form, enum framing framing, uint64_t stride,
                       uint64_t *counter)
{
    static struct trial trial;

    trial_begin(&trial, form, framing);
    trial.plan.piece_count = 2;
    trial.reused = true;
    for (size_t split = 0; split <= trial.text.length; split++) {
        if ((*counter)++ % stride != 0)
            continue;
        trial.plan.piece_ends[0] = split;
        trial.plan.piece_ends[1] = trial.text.length;
        exchange_try(prover, &trial);
    }
}

static int by_size(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;

    return (a > b) - (a < b);
}

/* Many pieces up to a place that is the end in every other trial. */
static void draw_pieces(struct trial *trial)
{
    struct plan *plan = &trial->plan;
    size_t end = below(2) == 0 ? trial->text.length : below(trial->text.length + 1);

    plan->piece_count = 1 + below(PIECES_MAX);
    for (size_t i = 0; i < plan->piece_count; i++)
        plan->piece_ends[i] = below(end + 1);
    plan->piece_ends[plan->piece_count - 1] = end;
    qsort(plan->piece_ends, plan->piece_count, sizeof plan->piece_ends[0], by_size);
}

static void draw_flips(struct trial *trial)
{
    size_t wanted = 1 + below(4);

    for (size_t i = 0; i < wanted; i++)
        trial->plan.text[below(trial->text.length)] ^= (char)(1 << below(8));
    trial->flips = wanted;
}

static void try_drawn(struct prover *prover)
{
    static struct trial trial;

    trial_begin(&trial, below(answer_form_count), (enum framing)below(FRAME_COUNT));
    trial.reused = below(2) == 0;
    trial.at_most_once = trial.form->phase == PHASE_SEND && below(4) == 0;
    if (below(2) == 0)
        trial.plan.ending = (enum ending)below(END_COUNT);
    if (below(4) == 0)
        trial.plan.write_limit = 1 + below(64);
    switch (below(8)) {
    case 0:
        trial.plan.refuse_connect = true;
        trial.reused = false;
        break;
    case 1:
        trial.plan.read_first = 1 + below(300);
        draw_pieces(&trial);
        break;
    case 2:
    case 3:
        draw_pieces(&trial);
        break;
    default:
        draw_flips(&trial);
        if (below(4) == 0)
            draw_pieces(&trial);
    }
    exchange_try(prover, &trial);
}

/* --- the ages of connections --- */

static void expect_new(struct prover *prover, int64_t idle_ms, uint32_t opened)
{
    static struct trial trial;

    trial_begin(&trial, 0, FRAME_LENGTH);
    world_pass_ms(idle_ms);
    exchange_plain(prover);
    if (world_seen.opened != opened)
        prover_broken(prover, &trial,
                      opened == 0 ? "a young connection is not used" : "an old connection is used");
}

/* None is used after 118 s without an exchange or after an hour. */
static void try_ages(struct prover *prover)
{
    world_hang_up();
    exchange_plain(prover);
    expect_new(prover, 117000, 0);
    expect_new(prover, 120000, 1);
    for (int minute = 1; minute < 60; minute++)
        expect_new(prover, 60000, 0);
    expect_new(prover, 62000, 1);
}

/* --- all of it --- */

static void prover_open(struct prover *prover, const struct options *options)
{
    static const char *const tokens[] = {"the-token"};
    const struct curl_transport_options how = {.base_url = "http://127.0.0.1:8080/versioned",
                                               .version = "2024-08-31",
                                               .client_id = "the-client",
                                               .client_secret = "the-secret",
                                               .access_tokens = tokens,
                                               .connection_count = 1,
                                               .in_flight = 2};
    struct err err;

    *prover = (struct prover){.hash = UINT64_C(0xcbf29ce484222325), .planted = options->planted};
    random_state = options->seed;
    world_reset();
    arena_init(&prover->arena, (size_t)1 << 20);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_new, curl_release, curl_resize, curl_copy,
                             curl_new_zeroed) != CURLE_OK ||
        event_loop_open(&prover->loop, &err) != ERR_OK ||
        curl_transport_open(prover->loop, &how, &prover->transport, &err) != ERR_OK)
        abort();
    prover->port = curl_transport_port(prover->transport);
}

static void prover_close(struct prover *prover, int descriptors)
{
    struct trial trial = {.form = &answer_forms[0]};

    curl_transport_close(prover->transport);
    event_loop_close(prover->loop);
    arena_deinit(&prover->arena);
    curl_global_cleanup();
    world_hang_up();
    if (mem_test_live_count() != 0)
        prover_broken(prover, &trial, "purser's memory leaks");
    if (blocks_of_curl != 0)
        prover_broken(prover, &trial, "libcurl's memory leaks");
    if (open_descriptors() != descriptors)
        prover_broken(prover, &trial, "descriptors leak");
}

static void run(struct prover *prover, const struct options *options)
{
    int descriptors = open_descriptors();
    uint64_t cuts = 0, splits = 0;

    prover_open(prover, options);
    try_ages(prover);
    for (size_t form = 0; form < answer_form_count; form++) {
        for (int framing = 0; framing < FRAME_COUNT; framing++) {
            try_cuts(prover, form, (enum framing)framing, options->stride, &cuts);
            try_splits(prover, form, (enum framing)framing, options->stride, &splits);
        }
    }
    for (uint64_t i = 0; i < options->random; i++)
        try_drawn(prover);
    prover_close(prover, descriptors);
}

static bool read_options(int count, char **words, struct options *options)
{
    for (int i = 1; i < count; i++) {
        uint64_t *number = strcmp(words[i], "--seed") == 0     ? &options->seed
                           : strcmp(words[i], "--stride") == 0 ? &options->stride
                           : strcmp(words[i], "--random") == 0 ? &options->random
                                                               : NULL;

        if (strcmp(words[i], "--planted") == 0)
            options->planted = true;
        else if (number != NULL && i + 1 < count)
            *number = strtoull(words[++i], NULL, 10);
        else
            return false;
    }
    return options->stride > 0;
}

int main(int count, char **words)
{
    struct options options = {.seed = 1, .stride = 1};
    struct prover first, second;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!read_options(count, words, &options)) {
        fprintf(stderr, "usage: prove-curl [--seed N] [--stride N] [--random N] [--planted]\n");
        return 2;
    }
    run(&first, &options);
    if (options.planted) {
        printf("prove-curl: the planted bug was not found\n");
        return 1;
    }
    run(&second, &options);
    if (first.hash != second.hash)
        printf("broken: two plays of one seed differ: %016" PRIx64 " and %016" PRIx64 "\n",
               first.hash, second.hash);
    printf("prove-curl: %" PRIu64 " exchanges, played twice: %" PRIu64 " answered, %" PRIu64
           " lost, %" PRIu64 " not sent; %" PRIu64 " broken; hash %016" PRIx64 "\n",
           first.exchanges, first.answered, first.lost, first.not_sent, first.broken, first.hash);
    return first.broken + second.broken > 0 || first.hash != second.hash;
}
