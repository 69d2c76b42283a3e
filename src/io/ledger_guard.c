#include "purser/io/ledger_guard.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "purser/base/err.h"

/* An offset within a page can lead 64 KiB away, the length of a value 4 GiB. */
#define BEFORE_BYTES ((uintptr_t)64 * 1024)
#define BEHIND_BYTES ((uintptr_t)4 * 1024 * 1024 * 1024 + BEFORE_BYTES)

static const int signals[] = {SIGBUS, SIGSEGV};
#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])

static struct {
    char text[4096 + 512];
    size_t length;
    uintptr_t from, to; /* 0 = no ledger is open */
    struct sigaction before[SIGNAL_COUNT];
} guard;

void ledger_guard_give_up(void)
{
    if (write(STDERR_FILENO, guard.text, guard.length) == -1)
        _exit(EXIT_INTERNAL);
    _exit(EXIT_INTERNAL);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    (void)context;

    if (info->si_code > 0 && at >= guard.from && at < guard.to)
        ledger_guard_give_up();
    /* Not of the map: it happens again, to whoever saw to it before. */
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (signals[i] == number)
            (void)sigaction(number, &guard.before[i], NULL);
    if (info->si_code <= 0)
        (void)raise(number);
}

void ledger_guard_begin(const char *path, const void *map, size_t map_bytes)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    uintptr_t start = (uintptr_t)map;
    int length = snprintf(guard.text, sizeof guard.text,
                          "purser: the ledger in %s is damaged: reading it went beyond its file\n"
                          "hint: purser doctor SPEC looks at all of it; restore the directory from "
                          "a backup, then purser adopt SPEC --as restored\n",
                          path);

    guard.length = length < 0 ? 0 : (size_t)length;
    if (guard.length >= sizeof guard.text)
        guard.length = sizeof guard.text - 1;
    if (guard.from == 0)
        for (size_t i = 0; i < SIGNAL_COUNT; i++)
            (void)sigaction(signals[i], &action, &guard.before[i]);
    guard.from = start > BEFORE_BYTES ? start - BEFORE_BYTES : 1;
    guard.to = start + map_bytes + BEHIND_BYTES;
}

void ledger_guard_end(void)
{
    if (guard.from == 0)
        return;
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        (void)sigaction(signals[i], &guard.before[i], NULL);
    guard.from = guard.to = 0;
}
