/* Descriptors and one timer. Owner of epoll. Callbacks only record; work is done in the turn. */
#ifndef PURSER_IO_EVENT_LOOP_H
#define PURSER_IO_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "purser/base/err.h"

#define LOOP_READ 1
#define LOOP_WRITE 2

struct event_loop;
struct loop_watch;

typedef void loop_ready_fn(void *context, int fd, int ready);

enum err_code event_loop_open(struct event_loop **loop_out, struct err *err) ERR_CHECKED;
void event_loop_close(struct event_loop *loop);

/* Watches `fd`, which stays the caller's. */
enum err_code loop_watch_add(struct event_loop *loop, int fd, int interest, loop_ready_fn *ready,
                             void *context, struct loop_watch **watch_out,
                             struct err *err) ERR_CHECKED;
/* Changes what is watched; 0 = nothing until the next change. The kernel is only asked when it must
 * be. */
enum err_code loop_watch_change(struct loop_watch *watch, int interest,
                                struct err *err) ERR_CHECKED;
/* Freed at the end of the turn, because events of this turn may still point to it. The descriptor
 * may be closed already. */
void loop_watch_remove(struct loop_watch *watch);

/* Waits until something is ready or `timeout_ms` has passed (-1: no limit; 0: do not wait), runs
 * the callbacks, returns. */
enum err_code event_loop_turn(struct event_loop *loop, int64_t timeout_ms,
                              struct err *err) ERR_CHECKED;

#endif
