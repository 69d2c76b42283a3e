/* Between a program with all its libraries and libc: numbers the calls that reach the kernel, dies
 * in one of them or makes one fail, and makes the order of the calls a function of the input.
 *
 * Preloaded; the program carries no test code. Its environment:
 *
 *   PURSER_SHIM=before:N | half:N | after:N   SIGKILL before, half-way in or after call N
 *   PURSER_SHIM=fail:ERRNO:N[+]               call N (with +, and all that follow) fails with ERRNO
 *   PURSER_SHIM=short:N[+]                    call N (…) transfers half of its bytes
 *   PURSER_SHIM_LIST=FILE                     each numbered call as a line: number, name, what of
 *   PURSER_SHIM_COUNT=effects | all           effects (default): what changes disk or wire, or
 *                                             tells of the wire; all: every call
 *   PURSER_SHIM_RECORD=FILE                   what is written, synced, named and sent, with its
 *                                             bytes (shim_recording.h)
 *   PURSER_SHIM_CLOCK=FILE                    the clock goes on only while all wait, and goes on
 *                                             from process to process in FILE
 *   PURSER_SHIM_SYNC_MS=N                     with a clock: a sync takes so long
 *   PURSER_SHIM_FOLLOW=1                      children have the clock and the port, and no fault
 *   PURSER_SHIM_PORT=N                        where the server of still_server.c listens
 *   PURSER_SHIM_DISK=slow                     with a clock: the server is faster than the disk,
 *                                             else the disk is faster than the server
 *
 * One thread runs at a time, and another one only when it waits (shim_schedule.c), so that numbers
 * mean the same call in each process that starts from the same state and gets the same answers.
 * With a clock that was set, as scenarios do, all that a process reads of the machine is the same
 * each time: a copy of a ledger is the same ledger, the machine started when the file says.
 * Children are left alone. Standard input, output and error and eventfds are not counted. */
#ifndef PURSER_TESTS_SHIM_H
#define PURSER_TESTS_SHIM_H

/* It takes the place of functions of libc, which must be neither inlined nor checked here. */
#undef _FORTIFY_SOURCE

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim_recording.h"

/* The next function of that name; never NULL. */
void *shim_real(const char *name);
#define REAL(name)                                       \
    ({                                                   \
        static __typeof__(&name) real_;                  \
                                                         \
        if (real_ == NULL)                               \
            real_ = (__typeof__(&name))shim_real(#name); \
        real_;                                           \
    })

/* When the process begins, with its environment in place. */
void shim_begin_recording(void);
void shim_begin_clock(void);
/* Whether the clock was set, and all is to be the same each time. */
bool shim_is_repeatable(void);

/* In a child that has not replaced itself yet nothing is counted or scheduled. */
bool shim_is_active(void);

/* What libc does with a descriptor. */
void shim_connected(int fd);
void shim_sent(int fd, bool is_all);
void shim_looks(int fd); /* is about to ask for what came */
void shim_received(int fd);
void shim_closed(int fd);
void shim_synced(void);

/* What is recorded; nothing happens without a recording, and errno stays. `length` of a write is
 * its result. */
bool shim_records(void);
int64_t shim_offset(int fd); /* where the next write goes; -1 without a recording or an offset */
bool shim_is_missing(int folder, const char *path); /* false without a recording */
void shim_record_write(int fd, const void *bytes, ssize_t length, int64_t offset);
void shim_record_fd(enum shim_record_kind kind, int fd, int64_t offset);
void shim_record_send(const void *bytes, size_t length);
void shim_record_path(enum shim_record_kind kind, int folder, const char *path);
void shim_record_rename(int old_folder, const char *old, int new_folder, const char *new);

_Noreturn void shim_refuse(const char *text);
_Noreturn void shim_die(void);

/* What is to become of a call. */
enum act { ACT_GO, ACT_HALF, ACT_AFTER, ACT_FAIL, ACT_SHORT };

/* Counts one call; `fd` -1 or `path` NULL: it has none. `is_effect`: it changes disk or wire, or
 * brings an answer. After ACT_FAIL errno is what the call is to fail with. */
enum act shim_pass(const char *name, int fd, const char *path, bool is_effect);
/* A descriptor of something else than the program's own talk and its wake-ups. */
bool shim_counts(int fd);
/* The bytes to be transferred of so many. */
size_t shim_length(enum act act, size_t length);
/* Dies when the call was the one to die in or after. */
void shim_after(enum act act);

#define EFFECT(name, fd, path) shim_pass(#name, fd, path, true)
#define OTHER(name, fd, path) shim_pass(#name, fd, path, false)

/* A call that is done or not done: half-way is before. */
#define CALL(failure, chosen, call) \
    do {                            \
        enum act act_ = (chosen);   \
        __typeof__(call) result_;   \
                                    \
        if (act_ == ACT_FAIL)       \
            return (failure);       \
        if (act_ == ACT_HALF)       \
            shim_die();             \
        result_ = (call);           \
        shim_after(act_);           \
        return result_;             \
    } while (0)

#endif
