/* SIGINT, SIGTERM and SIGHUP while something is waited for. Private to io.
 *
 * They are blocked between open and close and come out of `fd`; the mask from before is then set
 * again. A signal that was ignored stays ignored. */
#ifndef PURSER_IO_INTERRUPT_H
#define PURSER_IO_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

#include "purser/base/err.h"

struct interrupt {
    int fd; /* readable when one has come */
    sigset_t before;
};

/* ERR_SYSTEM */
enum err_code interrupt_open(struct interrupt *interrupt, struct err *err) ERR_CHECKED;
void interrupt_close(struct interrupt *interrupt);

/* True, once for each, when one has come. */
bool interrupt_take(const struct interrupt *interrupt);

/* Waits until `fd` can be read; -1 = for nothing else. ERR_OK, ERR_STOPPED, ERR_SYSTEM. */
enum err_code interrupt_wait(const struct interrupt *interrupt, int fd,
                             struct err *err) ERR_CHECKED;

#endif
