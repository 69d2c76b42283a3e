/* The `outputs:` of a job, read from the final answers that the ledger keeps. */
#ifndef PURSER_CLI_OUTPUTS_H
#define PURSER_CLI_OUTPUTS_H

#include "purser/cli/listing.h"

struct outputs;

/* Compiles the outputs of all jobs. ERR_INPUT with messages in the session's diagnostics. */
enum err_code outputs_open(struct session *session, struct outputs **outputs_out,
                           struct err *err) ERR_CHECKED;
void outputs_close(struct outputs *outputs);

/* Appends a JSON object with the outputs of a succeeded item; `{}` when there are none or the
 * answer does not have them. `body` is the answer. */
void outputs_append_json(struct outputs *outputs, const char *job, struct slice body,
                         struct buf *out);

#endif
