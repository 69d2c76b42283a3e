/* Makes the requests of items that have waited: the real engine/renderer.h.
 *
 * Works with the templates of an intake, which stays open for it; its sources need not be. */
#ifndef PURSER_IO_REQUEST_RENDERER_H
#define PURSER_IO_REQUEST_RENDERER_H

#include "purser/engine/renderer.h"
#include "purser/io/intake.h"

struct request_renderer {
    struct renderer port;
    struct intake *intake;
};

/* True if the spec has a job whose requests are made from what other items return. */
bool request_renderer_is_needed(const struct spec *spec);

/* The intake, of which intake_set_ledger() was called with the ledger that the results are read
 * from, must outlive the renderer. Nothing is to be closed. */
void request_renderer_init(struct request_renderer *renderer, struct intake *intake);

#endif
