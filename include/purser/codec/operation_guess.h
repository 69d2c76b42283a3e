/* What was probably meant by a request that is no operation of the API.
 *
 * Knows the habits of other APIs and of false descriptions of this one: PUT for PATCH, paths
 * without their area (/invoices), with too much in front (/versioned/products), with placeholders
 * (/products/:id), in the singular, with hyphens or capitals, and what cannot be written at all. */
#ifndef PURSER_CODEC_OPERATION_GUESS_H
#define PURSER_CODEC_OPERATION_GUESS_H

#include "purser/core/operation.h"

#define OPERATION_GUESS_BYTES 256

/* Writes into `help` what to do instead of `method path`; false, and "" in `help`, when nothing
 * comes to mind. A variable segment of `path` is ~, {…} or :name. Sets *guess_out (if not NULL) to
 * the operation that was meant, NULL when the help names none. */
bool operation_guess(enum http_method method, const char *path, char *help, size_t help_bytes,
                     const struct operation **guess_out);

#endif
