/* A world for one process: a clock that only jumps, and peers at the far end of socket pairs. */
#ifndef PURSER_TESTS_CURL_WORLD_H
#define PURSER_TESTS_CURL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NANOSECONDS_OF_MS INT64_C(1000000)

enum { ANSWER_TEXT_MAX = 4096, REQUEST_TEXT_MAX = 4096, PIECES_MAX = 64, PEERS_MAX = 64 };

enum ending { END_KEEPS, END_CLOSES, END_RESETS, END_COUNT };

/* What the peer does in one exchange. */
struct plan {
    char text[ANSWER_TEXT_MAX]; /* that is sent, in pieces */
    size_t piece_ends[PIECES_MAX];
    size_t piece_count;
    enum ending ending;  /* at once after the last piece; END_KEEPS: silence */
    size_t read_first;   /* bytes of the request that are read before; SIZE_MAX: all of it */
    size_t write_limit;  /* bytes that the socket takes at a time; 0 = all */
    bool refuse_connect; /* there is no peer */
};

/* What the peers have seen in one exchange. */
struct witness {
    char request[REQUEST_TEXT_MAX]; /* what came, from all connections */
    size_t request_bytes;
    uint32_t connections; /* that brought at least one byte */
    uint32_t opened;
    size_t sent_bytes;
    bool ended; /* the ending was played */
    bool leaks; /* there are more descriptors than this world has need of */
};

extern struct witness world_seen;

/* The clock at its beginning, no peers. Only without a transport. */
void world_reset(void);
int64_t world_now_ns(void);
void world_pass_ms(int64_t ms);
/* Lets the peers play `plan`, which must stay, and forgets what was seen. */
void world_begin(const struct plan *plan);
/* Lets the peers do what they can at this moment; false when that is nothing. */
bool world_act(void);
/* What came in the last turn of the event loop. */
int world_events(void);
/* Jumps to the next time-out and lets it fire; false when there is none. */
bool world_jump(void);
/* Reads what is left and closes the ends whose other end is closed. */
void world_settle(void);
/* Whether a connection that carried the request is still open. */
bool world_keeps_used(void);
/* Closes the peers' ends of all connections that are open. */
void world_hang_up(void);
uint32_t world_open_peers(void);

#endif
