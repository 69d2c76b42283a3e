/* One thread at a time, and a clock that goes on only while all wait.
 *
 * A thread runs until it waits: for a condition, for the end of another thread, or in epoll_wait;
 * then the next one that can run does. In epoll_wait what the server owes is waited for, so that
 * all its answers to one turn come in one turn, ordered by descriptor; with nothing to be had the
 * clock jumps to the end of the wait. The other threads, which write to the disk, run before the
 * descriptors are looked at, or (a slow disk) only when nothing is to be had from them. */
#include "shim.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 16
#define DESCRIPTORS_MAX 1024
#define OWED_MS 1500 /* real time for an answer that may never come */
#define READ_NS 1000 /* what looking at the clock takes */
#define NS_A_MS 1000000LL
#define NS_A_S 1000000000LL

/* --- the clock ---------------------------------------------------------------------------------
 */

/* In the file of PURSER_SHIM_CLOCK, kept by the kernel when the process dies. */
struct clock_file {
    _Atomic int64_t wall_ns; /* the latest that any process has seen */
    int64_t booted_ns;       /* when the machine was started; 0 = as the real one */
};

static bool is_disk_slow;
static int64_t sync_ns;               /* what a sync takes */
static struct clock_file *clock_file; /* NULL: clocks are real */
static int64_t base_ns[CLOCK_BOOTTIME + 1], base_wall_ns;

static int64_t real_ns(clockid_t id)
{
    struct timespec now = {0};

    (void)syscall(SYS_clock_gettime, id, &now);
    return (int64_t)now.tv_sec * NS_A_S + now.tv_nsec;
}

static void advance(int64_t ns)
{
    if (clock_file != NULL && ns > 0)
        clock_file->wall_ns += ns;
}

bool shim_is_repeatable(void)
{
    return clock_file != NULL && clock_file->booted_ns != 0;
}

void shim_synced(void)
{
    advance(sync_ns);
}

static int64_t virtual_ns(clockid_t id)
{
    if (id < 0 || id > CLOCK_BOOTTIME || id == CLOCK_PROCESS_CPUTIME_ID ||
        id == CLOCK_THREAD_CPUTIME_ID)
        return real_ns(id);
    return base_ns[id] + clock_file->wall_ns - base_wall_ns;
}

static int64_t whole_seconds(int64_t ns)
{
    return (ns / NS_A_S + 1) * NS_A_S;
}

void shim_begin_clock(void)
{
    const char *path = getenv("PURSER_SHIM_CLOCK"), *disk = getenv("PURSER_SHIM_DISK");
    const char *sync_ms = getenv("PURSER_SHIM_SYNC_MS");
    int64_t real = real_ns(CLOCK_REALTIME), last;
    int fd;

    sync_ns = sync_ms == NULL ? 0 : strtol(sync_ms, NULL, 10) * NS_A_MS;
    is_disk_slow = disk != NULL && strcmp(disk, "slow") == 0;
    if (path == NULL)
        return;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1 || syscall(SYS_ftruncate, fd, sizeof *clock_file) == -1)
        shim_refuse(path);
    clock_file = (void *)syscall(SYS_mmap, NULL, sizeof *clock_file, PROT_READ | PROT_WRITE,
                                 MAP_SHARED, fd, 0);
    (void)syscall(SYS_close, fd);
    if ((intptr_t)clock_file < 0 && (intptr_t)clock_file > -4096)
        shim_refuse(path);
    last = clock_file->wall_ns;
    /* Whole seconds: what falls into one millisecond must not depend on the start. */
    base_wall_ns = whole_seconds(last > real ? last : real);
    clock_file->wall_ns = base_wall_ns;
    for (clockid_t id = 0; id <= CLOCK_BOOTTIME; id++)
        base_ns[id] = clock_file->booted_ns == 0
                          ? whole_seconds(real_ns(id) + base_wall_ns - real)
                          : base_wall_ns - (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE
                                                ? 0
                                                : clock_file->booted_ns);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int64_t ns;

    if (clock_file == NULL)
        return (int)syscall(SYS_clock_gettime, id, now);
    advance(READ_NS);
    ns = virtual_ns(id);
    *now = (struct timespec){.tv_sec = ns / NS_A_S, .tv_nsec = ns % NS_A_S};
    return 0;
}

/* --- one thread at a time ----------------------------------------------------------------------
 */

enum waits { WAITS_NOT, WAITS_CONDITION, WAITS_END };

static struct thread {
    bool is_there;
    bool has_ended;
    enum waits waits;
    const void *condition; /* or the thread whose end it waits for */
    pthread_t id;
    void *(*start)(void *);
    void *argument;
} threads[THREADS_MAX] = {{.is_there = true}};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int running;           /* whose turn it is; -1 = all wait */
static __thread int self = 0; /* index; only the first thread has not been set */

static int wait_turned(void)
{
    return REAL(pthread_cond_wait)(&turned, &lock);
}

/* The next one that can run, this one last. */
static void pass_turn(void)
{
    running = -1;
    for (int i = 1; i <= THREADS_MAX; i++) {
        struct thread *next = &threads[(self + i) % THREADS_MAX];

        if (next->is_there && !next->has_ended && next->waits == WAITS_NOT) {
            running = (int)(next - threads);
            break;
        }
    }
    (void)REAL(pthread_cond_broadcast)(&turned);
}

static void await_turn(void)
{
    while (running != self) {
        /* What was woken while nobody ran. */
        if (running == -1 && threads[self].waits == WAITS_NOT)
            running = self;
        else
            wait_turned();
    }
}

/* All that can run do so until they wait. */
static void let_others_run(void)
{
    (void)pthread_mutex_lock(&lock);
    pass_turn();
    await_turn();
    (void)pthread_mutex_unlock(&lock);
}

static void wait_as(enum waits waits, const void *condition)
{
    threads[self].waits = waits;
    threads[self].condition = condition;
    pass_turn();
    while (threads[self].waits != WAITS_NOT)
        wait_turned();
    await_turn();
}

static void wake(enum waits waits, const void *condition)
{
    for (int i = 0; i < THREADS_MAX; i++)
        if (threads[i].is_there && threads[i].waits == waits && threads[i].condition == condition)
            threads[i].waits = WAITS_NOT;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    if (!shim_is_active())
        return REAL(pthread_cond_wait)(condition, mutex);
    (void)pthread_mutex_lock(&lock);
    (void)pthread_mutex_unlock(mutex);
    wait_as(WAITS_CONDITION, condition);
    (void)pthread_mutex_unlock(&lock);
    (void)pthread_mutex_lock(mutex);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
    (void)pthread_mutex_lock(&lock);
    wake(WAITS_CONDITION, condition);
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    return pthread_cond_broadcast(condition); /* a wake-up too many is allowed */
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    void *result;

    self = (int)(thread - threads);
    (void)pthread_mutex_lock(&lock);
    await_turn();
    (void)pthread_mutex_unlock(&lock);
    result = thread->start(thread->argument);
    (void)pthread_mutex_lock(&lock);
    thread->has_ended = true;
    wake(WAITS_END, thread);
    pass_turn();
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*function)(void *),
                   void *argument)
{
    enum act act = OTHER(pthread_create, -1, NULL);
    struct thread *thread = NULL;
    int failure;

    if (act == ACT_FAIL)
        return errno;
    (void)pthread_mutex_lock(&lock);
    for (int i = 0; i < THREADS_MAX && thread == NULL; i++)
        if (!threads[i].is_there)
            thread = &threads[i];
    assert(thread != NULL);
    *thread = (struct thread){.is_there = true, .start = function, .argument = argument};
    failure = REAL(pthread_create)(id, attributes, run_thread, thread);
    thread->is_there = failure == 0;
    thread->id = *id;
    (void)pthread_mutex_unlock(&lock);
    return failure;
}

int pthread_join(pthread_t id, void **result)
{
    int failure;

    (void)pthread_mutex_lock(&lock);
    for (int i = 0; i < THREADS_MAX; i++) {
        if (i != self && threads[i].is_there && pthread_equal(threads[i].id, id)) {
            if (!threads[i].has_ended)
                wait_as(WAITS_END, &threads[i]);
            threads[i].is_there = false;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    failure = REAL(pthread_join)(id, result);
    return failure;
}

/* --- waiting for descriptors -------------------------------------------------------------------
 */

static struct {
    short owed;        /* POLLOUT: a connection is being made; POLLIN: a request is not answered */
    bool has_data;     /* watched by epoll with … */
    epoll_data_t data; /* … this */
} descriptors[DESCRIPTORS_MAX];
static int timer_fd = -1;
static int64_t timer_due_ns; /* by CLOCK_MONOTONIC; 0 = not armed */

static void owe(int fd, short events)
{
    if (fd >= 0 && fd < DESCRIPTORS_MAX)
        descriptors[fd].owed = events;
}

void shim_connected(int fd)
{
    owe(fd, POLLOUT);
}

void shim_sent(int fd, bool is_all)
{
    owe(fd, is_all ? POLLIN : POLLOUT);
}

void shim_received(int fd)
{
    owe(fd, 0);
}

void shim_closed(int fd)
{
    owe(fd, 0);
    if (fd >= 0 && fd < DESCRIPTORS_MAX)
        descriptors[fd].has_data = false;
}

int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    enum act act = OTHER(epoll_ctl, fd, NULL);

    if (act == ACT_FAIL)
        return -1;
    if (fd >= 0 && fd < DESCRIPTORS_MAX && event != NULL) {
        descriptors[fd].has_data = operation != EPOLL_CTL_DEL;
        descriptors[fd].data = event->data;
    }
    return REAL(epoll_ctl)(epoll_fd, operation, fd, event);
}

static int fd_of(const struct epoll_event *event)
{
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        if (descriptors[fd].has_data && descriptors[fd].data.u64 == event->data.u64)
            return fd;
    return DESCRIPTORS_MAX;
}

static int compare_events(const void *a, const void *b)
{
    return fd_of(a) - fd_of(b);
}

static int poll_events(int epoll_fd, struct epoll_event *events, int count, int timeout)
{
    int found = (int)syscall(SYS_epoll_pwait, epoll_fd, events, count, timeout, NULL, 8);

    if (found > 1)
        qsort(events, (size_t)found, sizeof *events, compare_events);
    return found;
}

/* What is owed by one descriptor is there; waits until then, in real time. */
static bool await_owed(int fd, int64_t end_ns)
{
    struct pollfd one = {.fd = fd, .events = descriptors[fd].owed};
    int64_t left_ns;

    if (one.events == 0)
        return true;
    left_ns = end_ns - real_ns(CLOCK_MONOTONIC);
    return (int)syscall(SYS_poll, &one, 1, left_ns <= 0 ? 0 : (int)(left_ns / NS_A_MS) + 1) == 1;
}

/* The server seems to answer at once: whoever looks finds what is owed by these descriptors. */
static void await_all_owed(int first, int last)
{
    int64_t end_ns = real_ns(CLOCK_MONOTONIC) + OWED_MS * NS_A_MS;

    for (int fd = first; clock_file != NULL && fd >= 0 && fd <= last && fd < DESCRIPTORS_MAX; fd++)
        if (!await_owed(fd, end_ns))
            descriptors[fd].owed = 0; /* it may never come */
}

void shim_looks(int fd)
{
    await_all_owed(fd, fd);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    enum act act = OTHER(poll, -1, NULL);

    if (act == ACT_FAIL)
        return -1;
    for (nfds_t i = 0; i < count && shim_is_active(); i++)
        if ((fds[i].events & POLLIN) != 0)
            shim_looks(fds[i].fd);
    return (int)syscall(SYS_poll, fds, count, timeout);
}

/* The clock goes to the end of the wait, or to the timer if that is due before. */
static void jump(int64_t timeout_ms)
{
    int64_t now_ns = virtual_ns(CLOCK_MONOTONIC);
    int64_t end_ns = timeout_ms < 0 ? INT64_MAX : now_ns + timeout_ms * NS_A_MS;
    struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};

    if (timer_due_ns != 0 && timer_due_ns <= end_ns) {
        end_ns = timer_due_ns;
        timer_due_ns = 0;
        (void)REAL(timerfd_settime)(timer_fd, 0, &at_once, NULL);
    }
    if (end_ns != INT64_MAX)
        advance(end_ns - now_ns);
}

int epoll_wait(int epoll_fd, struct epoll_event *events, int count, int timeout)
{
    enum act act = OTHER(epoll_wait, -1, NULL);
    int found;

    if (act == ACT_FAIL)
        return -1;
    if (clock_file == NULL || !is_disk_slow)
        let_others_run();
    if (clock_file == NULL)
        return poll_events(epoll_fd, events, count, timeout);
    await_all_owed(0, DESCRIPTORS_MAX - 1);
    found = poll_events(epoll_fd, events, count, 0);
    if (found == 0 && is_disk_slow) {
        let_others_run();
        found = poll_events(epoll_fd, events, count, 0);
    }
    if (found != 0 || timeout == 0)
        return found;
    if (timeout < 0 && timer_due_ns == 0)
        return poll_events(epoll_fd, events, count, timeout);
    jump(timeout);
    return poll_events(epoll_fd, events, count, 0);
}

int timerfd_create(int clock, int flags)
{
    enum act act = OTHER(timerfd_create, -1, NULL);

    if (act == ACT_FAIL)
        return -1;
    timer_fd = REAL(timerfd_create)(clock, flags);
    return timer_fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *old)
{
    enum act act = OTHER(timerfd_settime, fd, NULL);
    const struct itimerspec never = {0};
    int64_t ns = (int64_t)when->it_value.tv_sec * NS_A_S + when->it_value.tv_nsec;

    if (act == ACT_FAIL)
        return -1;
    if (clock_file == NULL || fd != timer_fd || (flags & TFD_TIMER_ABSTIME) != 0)
        return REAL(timerfd_settime)(fd, flags, when, old);
    /* What is due at once is left to the kernel. */
    timer_due_ns = ns <= NS_A_MS ? 0 : virtual_ns(CLOCK_MONOTONIC) + ns;
    return REAL(timerfd_settime)(fd, flags, ns != 0 && ns <= NS_A_MS ? when : &never, old);
}
