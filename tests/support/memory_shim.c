/* Makes chosen allocations of a whole process fail and looks for what is leaked; preloaded.
 *
 * It stands between the program with all its libraries and libc, so the program itself carries no
 * test code. malloc, calloc, realloc, reallocarray, the aligned ones, mmap and pthread_create are
 * numbered from 0, each thread on its own, because the threads of a process keep no order between
 * them; threads are numbered as they first allocate, main is 0.
 *
 * PURSER_MEMORY_FAIL=THREAD:NUMBER makes that one call fail, with a + at the end all calls of all
 * threads from then on as well, with a - and a second number all up to that of the same thread.
 * PURSER_MEMORY_THREADS=N: only so many threads can be started; calls beyond it fail.
 * PURSER_MEMORY_REPORT=FILE: what was seen is written there when the process ends by itself:
 *   before N               so many calls of thread 0 before main
 *   thread T N             so many calls in thread T
 *   failed N               so many of them were made to fail
 *   leak BYTES T:N OBJECT  a block that nothing points to any more
 *   end
 * PURSER_MEMORY_STACKS=FILE: a line "T:N HASH" for each call; equal hashes are equal call stacks.
 * PURSER_MEMORY_SHOW=T:N: the call stack of this call on standard error.
 *
 * What is leaked: memory_blocks.h. Under a sanitizer that has a check of its own,
 * PURSER_MEMORY_LEAKS=off leaves it to that. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory_blocks.h"
#include "starter.h"

enum {
    THREADS_MAX = 64,
    SETTINGS_BYTES = 256 * 1024,
    PATH_BYTES = 1024,
    STACK_FRAMES = 24,
    EARLY_BYTES = 64 * 1024, /* what is asked for while the real functions are looked up */
    STACKS_BYTES = 1 << 16,
};

static struct {
    int32_t thread; /* -1: none */
    uint64_t first, last;
    bool all_threads;
} chosen = {.thread = -1}, shown = {.thread = -1};
static char report_path[PATH_BYTES], stacks_path[PATH_BYTES];
static bool leaks_off;
static _Atomic long threads_left = THREADS_MAX;
static _Atomic int settings_state; /* 0 not read, 1 somebody reads, 2 read */
static _Atomic bool from_now_on;
static _Atomic int32_t thread_count;
static _Atomic uint64_t counts[THREADS_MAX], failed_count;
static uint64_t before_main;
static pid_t own_pid;
static __thread int32_t own_thread __attribute__((tls_model("initial-exec"))) = -1;
static __thread bool inside __attribute__((tls_model("initial-exec")));

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void (*free)(void *);
    size_t (*usable)(void *);
    void *(*mmap)(void *, size_t, int, int, int, off_t);
    int (*thread)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
} real;
static bool real_known;
static _Alignas(16) char early[EARLY_BYTES];
static size_t early_used;

/* ---- settings ---- */

static void read_point(const char *text, int32_t *thread, uint64_t *first, uint64_t *last,
                       bool *all)
{
    char *end;

    *thread = (int32_t)strtol(text, &end, 10);
    if (*end != ':')
        abort();
    *first = *last = strtoull(end + 1, &end, 10);
    if (*end == '-')
        *last = strtoull(end + 1, &end, 10);
    else if (*end == '+')
        *all = true;
}

static void read_path(const char *text, char path[PATH_BYTES])
{
    size_t length = strlen(text);

    if (length >= PATH_BYTES)
        abort();
    memcpy(path, text, length + 1);
}

static void read_setting(const char *line)
{
    bool ignored;

    if (strncmp(line, "PURSER_MEMORY_FAIL=", 19) == 0)
        read_point(line + 19, &chosen.thread, &chosen.first, &chosen.last, &chosen.all_threads);
    else if (strncmp(line, "PURSER_MEMORY_SHOW=", 19) == 0)
        read_point(line + 19, &shown.thread, &shown.first, &shown.last, &ignored);
    else if (strncmp(line, "PURSER_MEMORY_REPORT=", 21) == 0)
        read_path(line + 21, report_path);
    else if (strncmp(line, "PURSER_MEMORY_STACKS=", 21) == 0)
        read_path(line + 21, stacks_path);
    else if (strncmp(line, "PURSER_MEMORY_THREADS=", 22) == 0)
        threads_left = strtol(line + 22, NULL, 10);
    else if (strcmp(line, "PURSER_MEMORY_LEAKS=off") == 0)
        leaks_off = true;
}

/* getenv knows nothing yet when the dynamic linker allocates for the first time. */
static void read_settings(void)
{
    static char text[SETTINGS_BYTES + 1];
    int expected = 0;
    size_t length = 0;
    ssize_t got = 1;
    int fd;

    if (!atomic_compare_exchange_strong(&settings_state, &expected, 1))
        return;
    own_pid = getpid();
    fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && got > 0 && length < SETTINGS_BYTES) {
        got = syscall(SYS_read, fd, text + length, SETTINGS_BYTES - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        syscall(SYS_close, fd);
    for (size_t at = 0; at < length; at += strlen(text + at) + 1)
        read_setting(text + at);
    if (!leaks_off)
        blocks_begin();
    atomic_store(&settings_state, 2);
}

/* ---- the real functions ---- */

static void find_real(void)
{
    real.malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    real.calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    real.realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    real.memalign = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "memalign");
    real.free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    real.usable = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
    real.mmap = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
    real.thread = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
        RTLD_NEXT, "pthread_create");
    if (real.malloc == NULL || real.calloc == NULL || real.realloc == NULL ||
        real.memalign == NULL || real.free == NULL || real.usable == NULL || real.mmap == NULL ||
        real.thread == NULL)
        abort();
    real_known = true;
}

static bool is_early(const void *block)
{
    return (const char *)block >= early && (const char *)block < early + EARLY_BYTES;
}

static void *take_early(size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    void *block = early + early_used;

    if (rounded > EARLY_BYTES - early_used)
        abort();
    early_used += rounded;
    return block;
}

/* Is the call to be passed on without a look at it? Then it comes from the shim itself. */
static bool is_own_call(void)
{
    if (inside)
        return true;
    if (!real_known) {
        inside = true;
        read_settings();
        find_real();
        inside = false;
    }
    return false;
}

/* ---- counting ---- */

static void write_line(int fd, const char *format, ...)
{
    char line[512];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0 && write(fd, line, (size_t)length) < 0)
        abort();
}

static void note_stack(uint64_t number)
{
    static int fd = -1;
    void *frames[STACK_FRAMES];
    uint64_t hash = 14695981039346656037ULL;
    int count = backtrace(frames, STACK_FRAMES);

    if (fd < 0)
        fd = (int)syscall(SYS_openat, AT_FDCWD, stacks_path,
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (int i = 0; i < count; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211ULL;
    write_line(fd, "%d:%llu %016llx\n", own_thread, (unsigned long long)number,
               (unsigned long long)hash);
}

static void show_stack(void)
{
    void *frames[2 * STACK_FRAMES];
    int count = backtrace(frames, 2 * STACK_FRAMES);

    backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

/* Counts one call. Must it fail? */
static bool fails(uint64_t *number)
{
    bool failing;

    if (own_thread < 0)
        own_thread = atomic_fetch_add(&thread_count, 1);
    if (own_thread >= THREADS_MAX)
        abort();
    *number = atomic_fetch_add(&counts[own_thread], 1);
    failing = atomic_load(&from_now_on);
    if (own_thread == chosen.thread && *number >= chosen.first &&
        (*number <= chosen.last || chosen.all_threads)) {
        failing = true;
        if (chosen.all_threads)
            atomic_store(&from_now_on, true);
    }
    if (own_thread == shown.thread && *number == shown.first) {
        inside = true;
        show_stack();
        inside = false;
    }
    if (stacks_path[0] != '\0' && (before_main > 0 || own_thread > 0)) {
        inside = true;
        note_stack(*number);
        inside = false;
    }
    if (failing)
        atomic_fetch_add(&failed_count, 1);
    return failing;
}

/* Programs that this one starts are not meant. */
static void leave_others_alone(void)
{
    if (stacks_path[0] != '\0' || shown.thread >= 0) {
        void *frame;

        (void)backtrace(&frame, 1); /* loads what it needs */
    }
    unsetenv("LD_PRELOAD");
    unsetenv("PURSER_MEMORY_FAIL");
    unsetenv("PURSER_MEMORY_REPORT");
}

__attribute__((constructor)) static void start(void)
{
    (void)is_own_call();
    inside = true;
    leave_others_alone();
    inside = false;
    before_main = atomic_load(&counts[0]);
}

/* What came before main, the parent has counted. */
void starter_child(void)
{
    inside = true;
    own_pid = getpid();
    for (char **line = environ; *line != NULL; line++)
        read_setting(*line);
    leave_others_alone();
    inside = false;
}

static void write_leak(const struct block *block, void *context)
{
    const int *fd = context;
    Dl_info where = {0};

    (void)dladdr(block->caller, &where);
    write_line(*fd, "leak %zu %d:%llu %s+%#lx\n", block->size, block->thread,
               (unsigned long long)block->number, where.dli_fname == NULL ? "?" : where.dli_fname,
               (unsigned long)((uintptr_t)block->caller - (uintptr_t)where.dli_fbase));
}

__attribute__((destructor)) static void report(void)
{
    int fd;

    inside = true;
    if (report_path[0] == '\0' || getpid() != own_pid)
        return;
    fd = (int)syscall(SYS_openat, AT_FDCWD, report_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                      0600);
    if (fd < 0)
        return;
    write_line(fd, "before %llu\n", (unsigned long long)before_main);
    for (int32_t i = 0; i < atomic_load(&thread_count); i++)
        write_line(fd, "thread %d %llu\n", i, (unsigned long long)atomic_load(&counts[i]));
    write_line(fd, "failed %llu\n", (unsigned long long)atomic_load(&failed_count));
    if (!leaks_off)
        blocks_search(write_leak, &fd);
    write_line(fd, "end\n");
    (void)syscall(SYS_close, fd);
}

/* ---- in the place of libc ---- */

#define CALLER __builtin_return_address(0)

static void *remember(void *start, size_t size, uint64_t number, void *caller)
{
    blocks_add(&(struct block){
        .start = start, .size = size, .number = number, .caller = caller, .thread = own_thread});
    return start;
}

void *malloc(size_t size)
{
    uint64_t number;

    if (is_own_call())
        return real_known ? real.malloc(size) : take_early(size);
    if (fails(&number)) {
        errno = ENOMEM;
        return NULL;
    }
    return remember(real.malloc(size), size, number, CALLER);
}

void *calloc(size_t count, size_t size)
{
    uint64_t number;

    if (is_own_call())
        return real_known ? real.calloc(count, size) : take_early(count * size);
    if (fails(&number)) {
        errno = ENOMEM;
        return NULL;
    }
    return remember(real.calloc(count, size), count * size, number, CALLER);
}

static void *grow(void *block, size_t size, void *caller)
{
    uint64_t number;
    void *grown;

    if (is_own_call())
        return real.realloc(block, size);
    if (fails(&number)) {
        errno = ENOMEM;
        return NULL;
    }
    blocks_remove(block);
    if (is_early(block)) {
        grown = real.malloc(size);
        if (grown != NULL)
            memcpy(grown, block, size); /* what lies behind it is early memory as well */
    } else {
        grown = real.realloc(block, size);
    }
    return remember(grown, size, number, caller);
}

void *realloc(void *block, size_t size)
{
    return grow(block, size, CALLER);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return grow(block, bytes, CALLER);
}

static void *align(size_t alignment, size_t size, void *caller)
{
    uint64_t number;

    if (is_own_call())
        return real.memalign(alignment, size);
    if (fails(&number)) {
        errno = ENOMEM;
        return NULL;
    }
    return remember(real.memalign(alignment, size), size, number, caller);
}

void *memalign(size_t alignment, size_t size)
{
    return align(alignment, size, CALLER);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return align(alignment, size, CALLER);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *taken = align(alignment, size, CALLER);

    if (taken == NULL)
        return ENOMEM;
    *block = taken;
    return 0;
}

void free(void *block)
{
    int saved = errno;

    if (block == NULL || is_early(block))
        return;
    if (!inside)
        blocks_remove(block);
    real.free(block);
    errno = saved;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    uint64_t number;

    if (!is_own_call() && fails(&number)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return real.mmap(address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mmap(address, length, protection, flags, fd, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument)
{
    uint64_t number;

    if (!is_own_call() && fails(&number))
        return EAGAIN;
    if (atomic_fetch_sub(&threads_left, 1) <= 0) {
        atomic_fetch_add(&failed_count, 1);
        return EAGAIN;
    }
    return real.thread(thread, attributes, body, argument);
}
