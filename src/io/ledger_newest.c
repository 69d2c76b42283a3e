#include "ledger_newest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger_keys.h"

#define NEWEST_FILE "newest"
#define ASIDE_FILE "newest.new"
#define VALUE_BYTES 32 /* number of the transaction; inode and time of birth of the file */
#define NEWEST_BYTES (VALUE_BYTES + LEDGER_SEAL_BYTES)

/* Two files have the same inode one after the other, but not the same nanosecond. */
static bool describe(int fd, uint64_t transaction, char value_out[VALUE_BYTES])
{
    struct statx status;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0)
        return false;
    if ((status.stx_mask & STATX_BTIME) == 0)
        status.stx_btime.tv_sec = status.stx_btime.tv_nsec = 0;
    ledger_store_u64(value_out, transaction);
    ledger_store_u64(value_out + 8, status.stx_ino);
    ledger_store_u64(value_out + 16, (uint64_t)status.stx_btime.tv_sec);
    ledger_store_u64(value_out + 24, status.stx_btime.tv_nsec);
    return true;
}

struct ledger_newest ledger_newest_read(const struct ledger_files *files)
{
    struct ledger_newest newest = {0};
    char bytes[NEWEST_BYTES], is[VALUE_BYTES];
    struct slice value;
    ssize_t got;
    int fd =
        openat(files->directory_fd, NEWEST_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd == -1)
        return newest;
    do
        got = pread(fd, bytes, sizeof bytes, 0);
    while (got == -1 && errno == EINTR);
    if (got == NEWEST_BYTES &&
        ledger_unseal(SLICE(NEWEST_FILE), (struct slice){bytes, sizeof bytes}, &value) &&
        value.length == VALUE_BYTES && describe(fd, 0, is)) {
        newest.transaction = ledger_load_u64(value.bytes);
        newest.is_another_file = memcmp(value.bytes + 8, is + 8, VALUE_BYTES - 8) != 0;
    }
    close(fd);
    return newest;
}

static bool write_value(int fd, uint64_t transaction)
{
    char value[VALUE_BYTES];
    struct buf sealed;
    ssize_t done = -1;

    if (!describe(fd, transaction, value))
        return false;
    buf_init(&sealed, NEWEST_BYTES);
    ledger_seal(&sealed, SLICE(NEWEST_FILE), (struct slice){value, sizeof value});
    while (sealed.failed == ERR_OK && (done = pwrite(fd, sealed.bytes, sealed.length, 0)) == -1 &&
           errno == EINTR)
        continue;
    buf_deinit(&sealed);
    return done == NEWEST_BYTES;
}

int ledger_newest_make(const struct ledger_files *files, uint64_t transaction)
{
    int fd;

    (void)unlinkat(files->directory_fd, ASIDE_FILE, 0); /* of a process that was killed */
    fd = openat(files->directory_fd, ASIDE_FILE,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd == -1)
        return -1;
    if (write_value(fd, transaction) && fsync(fd) == 0 &&
        renameat(files->directory_fd, ASIDE_FILE, files->directory_fd, NEWEST_FILE) == 0)
        return fd;
    (void)unlinkat(files->directory_fd, ASIDE_FILE, 0);
    close(fd);
    return -1;
}

void ledger_newest_write(int fd, uint64_t transaction)
{
    /* An old number would be as good, and half of one is none. */
    if (fd != -1 && !write_value(fd, transaction) && ftruncate(fd, 0) != 0)
        return;
}
