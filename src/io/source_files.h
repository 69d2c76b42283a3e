/* The bytes of a source: one file after the other, as if they were one.
 *
 * A file is read as it is, or from a spool when it has to be unpacked or decoded first or cannot be
 * read twice (standard input, the output of a command). Private to io/source. */
#ifndef PURSER_IO_SOURCE_FILES_H
#define PURSER_IO_SOURCE_FILES_H

#include <sys/stat.h>

#include "purser/base/diag.h"
#include "purser/codec/spec.h"
#include "purser/io/source.h"
#include "spool.h"

struct file_identity {
    uint64_t device, inode, size;
    int64_t seconds, nanoseconds;
};

struct source_file {
    const char *name;       /* for places; lives as long as the diagnostics */
    const char *path;       /* as it is opened; NULL = it has none */
    uint64_t start, length; /* in the source's bytes */
    bool is_spooled;
    uint64_t start_in_spool;
    struct file_identity at_open;
};

struct source_files {
    const struct spec_source *source;
    struct arena arena;
    struct source_file *files; /* one without a path for rows in the spec */
    size_t count;
    struct spool *spool; /* NULL = none is needed; starts with the first file that is spooled */
    int fd;              /* of the file that is open; -1 = none */
    size_t open_index;
};

/* Finds the files, unpacks, decodes and runs what there is. Errors: ERR_INPUT with messages,
 * ERR_STOPPED, ERR_SYSTEM, ERR_NO_MEMORY; nothing is left to be closed then. */
enum err_code source_files_open(struct source_files *files, const struct spec *spec,
                                const struct spec_job *job, const struct source_store *store,
                                struct diagnostics *diagnostics, struct err *err) ERR_CHECKED;
void source_files_close(struct source_files *files);

/* The file that has the byte at `offset`; the last one behind the end. */
size_t source_files_find(const struct source_files *files, uint64_t offset);

/* Reads at most `length` bytes of one file at `offset`; 0 at its end. Errors: ERR_SYSTEM; ERR_INPUT
 * when a file is not what it was. */
enum err_code source_files_read(struct source_files *files, size_t index, uint64_t offset,
                                char *bytes, size_t length, size_t *count_out,
                                struct err *err) ERR_CHECKED;

/* True if the files are the same, and what they were when they were opened. */
bool source_files_are_unchanged(const struct source_files *files);

/* --- source_fill.c: what goes into the spool --- */

enum source_packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTANDARD };
enum source_packing source_packing_of(const char *path);

/* Reads `fd` to its end into the spool, unpacked and decoded. `place` is where the spec names it.
 * Errors as with source_files_open(). */
enum err_code source_fill_from_file(struct source_files *files, const char *name, int fd,
                                    enum source_packing packing, struct diagnostics *diagnostics,
                                    struct err *err) ERR_CHECKED;
enum err_code source_fill_from_command(struct source_files *files, const char *name,
                                       const struct spec *spec, const struct spec_job *job,
                                       struct diagnostics *diagnostics,
                                       struct err *err) ERR_CHECKED;

#endif
