/* The idempotency key: a pure function of an item's identity and generation. */
#ifndef PURSER_CORE_KEY_H
#define PURSER_CORE_KEY_H

#include <stdint.h>

#include "purser/base/text.h"

#define KEY_TEXT_BYTES 37 /* 36 characters and a NUL */

/* SHA-256 over the length-prefixed fields ("purser-key-1", spec name, job, connection alias, item
 * key, generation as decimal text), first 16 bytes, as a UUID with version 4 bits: the form that
 * Rutter recommends. No body hash, so that the server's 409 is an independent check of the bytes.
 * Source: docs.rutter.com, "Making idempotent requests" (read 2026-11). */
void key_derive(struct slice spec_name, struct slice job, struct slice connection,
                struct slice item_key, uint32_t generation, char key_out[KEY_TEXT_BYTES]);

#endif
