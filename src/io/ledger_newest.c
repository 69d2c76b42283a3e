#include "ledger_newest.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ledger_keys.h"

#define NEWEST_FILE "newest"
#define NUMBER_BYTES 8
#define NEWEST_BYTES (NUMBER_BYTES + LEDGER_SEAL_BYTES)

uint64_t ledger_newest_read(const struct ledger_files *files)
{
    char bytes[NEWEST_BYTES];
    struct slice number;
    ssize_t got;
    int fd =
        openat(files->directory_fd, NEWEST_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd == -1)
        return 0;
    do
        got = pread(fd, bytes, sizeof bytes, 0);
    while (got == -1 && errno == EINTR);
    close(fd);
    if (got != NEWEST_BYTES ||
        !ledger_unseal(SLICE(NEWEST_FILE), (struct slice){bytes, sizeof bytes}, &number) ||
        number.length != NUMBER_BYTES)
        return 0;
    return ledger_load_u64(number.bytes);
}

int ledger_newest_open(const struct ledger_files *files)
{
    return openat(files->directory_fd, NEWEST_FILE,
                  O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
}

void ledger_newest_write(int fd, uint64_t transaction)
{
    char number[NUMBER_BYTES];
    struct buf sealed;
    ssize_t done = 0;

    if (fd == -1)
        return;
    buf_init(&sealed, NEWEST_BYTES);
    ledger_store_u64(number, transaction);
    ledger_seal(&sealed, SLICE(NEWEST_FILE), (struct slice){number, sizeof number});
    while (sealed.failed == ERR_OK && (done = pwrite(fd, sealed.bytes, sealed.length, 0)) == -1 &&
           errno == EINTR)
        continue;
    /* An old number would be as good, and half of one is none. */
    if (done != NEWEST_BYTES && ftruncate(fd, 0) != 0)
        done = 0;
    buf_deinit(&sealed);
}
