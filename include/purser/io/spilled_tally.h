/* A tally in a temporary file: a hash table that is mapped and grows, so that it takes no anonymous
 * memory. The file is unlinked at once and goes with the process. */
#ifndef PURSER_IO_SPILLED_TALLY_H
#define PURSER_IO_SPILLED_TALLY_H

#include "purser/engine/tally.h"

/* Of different things; a file of at most 3 GiB. */
#define TALLY_THINGS_MAX (UINT64_C(1) << 26)

/* In `folder`, or $TMPDIR, else /tmp, when NULL; nothing is made before the first thing is added.
 * `folder` is borrowed. Close it with spilled_tally_close(). Errors: ERR_NO_MEMORY. */
enum err_code spilled_tally_open(const char *folder, struct tally **tally_out,
                                 struct err *err) ERR_CHECKED;
void spilled_tally_close(struct tally *tally);

#endif
