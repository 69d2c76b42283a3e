/* Secrets, read from where the spec says; registered with the log so that none comes out. */
#ifndef PURSER_IO_CREDENTIALS_H
#define PURSER_IO_CREDENTIALS_H

#include "purser/base/diag.h"
#include "purser/codec/spec.h"

struct credentials {
    char *client_id, *client_secret;
    char **access_tokens; /* by index of the connection in the spec; NULL = it has none */
    size_t connection_count;
};

/* Reads all secrets of a spec. A missing or empty variable, an unreadable file, one that others can
 * read, or a value that is no visible ASCII is a message at the place of the reference; then
 * ERR_INPUT. One trailing line break is cut. Against the simulator nothing needs to be there: what
 * is missing is "sim-client", "sim-secret" and, for each alias, a UUID made from it. The client
 * secret and the tokens are registered with the log as they are, encoded for a URL, and in the
 * Authorization header. *credentials_out is set on success alone. */
enum err_code credentials_load(const struct spec *spec, struct credentials *credentials_out,
                               struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;
void credentials_wipe(struct credentials *credentials);

/* Switches off core dumps and tracing of this process; best effort. */
void credentials_protect_process(void);

#endif
