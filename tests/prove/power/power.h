/* The parts of power_images; what it proves is said in power_images.c. */
#ifndef PURSER_TESTS_POWER_H
#define PURSER_TESTS_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/base/err.h"

#define SECTOR_BYTES 512
#define SENDS_MAX 512
#define REVISIONS_MAX 4096
#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* What opening a ledger and reading all of it has given. */
struct outcome {
    enum err_code code; /* ERR_OK: opened, and every record read and decoded */
    uint64_t revision;
    uint64_t digest; /* of all keys and values of all databases */
    char text[512];  /* of the error, or what is inconsistent */
};

/* A write that went over the wire, and the item that it is of. */
struct send {
    uint64_t item;
    uint32_t generation;
};

/* The ledger in `root` of `spec_name`; the first `send_count` sends must be known to it. */
struct outcome ledger_look(const char *root, const char *spec_name, const struct send *sends,
                           size_t send_count);

/* A ledger is opened for writing, or begun: what a run does after the power is back. */
struct outcome ledger_begin(const char *root, const char *spec_name);

/* Finds the item of a request (its bytes from the request line on) in the ledger, which must know
 * that it may have been sent. False with `why` when it does not. */
bool ledger_find_send(const char *root, const char *spec_name, const char *request, size_t length,
                      struct send *send_out, char why[512]);

/* A request that writes. */
bool request_writes(const char *request, size_t length);

/* The names of files: what of a folder's entries would be lost with the power. */
struct names;
struct names *names_new(void);
/* `record` is one of shim_recording.h; false with `why` when a name stands for what is not synced.
 */
struct shim_record;
bool names_step(struct names *names, const struct shim_record *record, const char *path,
                const char *bytes, char why[512]);
/* Every name on the way to `path`, itself included, is durable. */
bool names_are_synced(const struct names *names, const char *path, char why[512]);
void names_free(struct names *names);

#endif
