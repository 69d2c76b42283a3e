/* The `outputs:` of jobs, taken from the final answers of their items. */
#ifndef PURSER_CODEC_OUTPUTS_H
#define PURSER_CODEC_OUTPUTS_H

#include "purser/codec/spec.h"

struct outputs;

/* Compiles the outputs of all jobs into `arena`, which with `spec` must outlive them. Errors:
 * ERR_INPUT with messages, ERR_NO_MEMORY. */
enum err_code outputs_open(const struct spec *spec, struct arena *arena,
                           struct diagnostics *diagnostics, struct outputs **outputs_out,
                           struct err *err) ERR_CHECKED;
void outputs_close(struct outputs *outputs);

/* Appends a JSON object with the outputs of a succeeded item; `{}` when there are none or the
 * answer does not have them. `body` is the answer. */
void outputs_append_json(struct outputs *outputs, const char *job, struct slice body,
                         struct buf *out);

/* What ${needs.ALIAS…} stands for: a map of `outputs` and `response`, made in `arena` of the answer
 * `body` to an item of the job with the index `job` in the spec. An output that the answer does not
 * have is OMIT. False with *error_out set when an output cannot be computed, or when memory ran
 * out; a body that is no JSON has nothing. */
bool outputs_read(const struct outputs *outputs, size_t job, struct slice body, struct arena *arena,
                  struct value *value_out, struct eval_error *error_out);

#endif
