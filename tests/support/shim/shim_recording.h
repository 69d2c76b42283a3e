/* A recording of the shim (PURSER_SHIM_RECORD): records in the order in which the calls were made,
 * in the byte order of the machine. Behind each its path, then its bytes. */
#ifndef PURSER_TESTS_SHIM_RECORDING_H
#define PURSER_TESTS_SHIM_RECORDING_H

#include <stdint.h>

enum shim_record_kind {
    RECORD_WRITE,    /* bytes at `offset` of a regular file */
    RECORD_SYNC,     /* fsync or fdatasync of a file or a directory has returned */
    RECORD_TRUNCATE, /* to a size of `offset` */
    RECORD_SEND,     /* bytes are about to go to a socket; no path */
    RECORD_MAKE,     /* a file or a directory that was not there */
    RECORD_RENAME,   /* the bytes are the new path */
    RECORD_REMOVE
};

struct shim_record {
    uint32_t kind;
    uint32_t is_synced; /* RECORD_WRITE: through a descriptor with O_DSYNC */
    int64_t offset;
    uint64_t length; /* of the bytes */
    uint32_t path_length;
    uint32_t unused;
};

#endif
