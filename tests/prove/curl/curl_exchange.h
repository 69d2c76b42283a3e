/* One exchange of the real transport with a peer of curl_world.h, and the laws that hold for it. */
#ifndef PURSER_TESTS_CURL_EXCHANGE_H
#define PURSER_TESTS_CURL_EXCHANGE_H

#include "curl_answers.h"
#include "curl_world.h"
#include "purser/io/curl_transport.h"

enum { TIMEOUT_MS = 10000 };

struct prover {
    struct event_loop *loop;
    struct curl_transport *transport;
    struct transport *port;
    struct arena arena;
    uint64_t hash;
    uint64_t exchanges, answered, lost, not_sent;
    uint64_t broken; /* laws */
    bool planted;    /* the first broken law ends the proof, without a word */
};

struct trial {
    const struct answer_form *form;
    enum framing framing;
    struct answer_text text; /* as it was meant */
    struct plan plan;        /* as it is sent */
    size_t flips;            /* bits that differ between the two */
    bool reused;             /* on a connection that has carried an exchange */
    bool at_most_once;
};

/* Plays the trial and checks every law; what is broken is counted and printed. */
void exchange_try(struct prover *prover, struct trial *trial);

/* A complete 202 on whatever connection there is. */
void exchange_plain(struct prover *prover);

void prover_broken(struct prover *prover, const struct trial *trial, const char *law);

#endif
