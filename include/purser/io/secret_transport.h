/* Writes that make connections, over another transport: references in their bodies become secrets
 * on the way out, and access tokens in their answers go to a file on the way in. Who sits above
 * sees neither; everything else passes through.
 *
 * A secret that cannot be read is a request that was not sent. An answer is handed on when its
 * token is durable in the file; if that fails the answer is lost, because nobody holds the token.
 * Copies of secrets are wiped when the answer is taken. */
#ifndef PURSER_IO_SECRET_TRANSPORT_H
#define PURSER_IO_SECRET_TRANSPORT_H

#include "purser/codec/spec.h"
#include "purser/engine/transport.h"
#include "purser/io/credentials.h"

struct secret_transport;

/* True when a job of the spec needs one. */
bool secret_transport_is_needed(const struct spec *spec);

/* Opens the files that the jobs name and lays itself over `inner`, which must outlive it, as must
 * `spec` and `credentials`. Requests name their job and item. Errors: ERR_INPUT (a file for tokens
 * that others could read, and the like), ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code secret_transport_open(const struct spec *spec, const struct credentials *credentials,
                                    struct transport *inner,
                                    struct secret_transport **transport_out,
                                    struct err *err) ERR_CHECKED;
void secret_transport_close(struct secret_transport *transport);
struct transport *secret_transport_port(struct secret_transport *transport);

/* Appends `body` with its references replaced; `problem_out` says what cannot be read, without any
 * secret. For checks `out` may be NULL: then the secrets are read and forgotten. ERR_INPUT,
 * ERR_NO_MEMORY. */
enum err_code secret_body_expand(const struct spec *spec, const struct credentials *credentials,
                                 enum connection_write write, struct slice body, struct buf *out,
                                 struct err *err) ERR_CHECKED;

#endif
