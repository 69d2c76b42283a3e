/* Interposed: the clocks, libcurl's timer, and the sockets. The definitions here stand before those
 * of the C library for libcurl as well, because the program's own symbols come first. */
#include "curl_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum { BEGIN_S = 1000, WALL_S = 1700000000, PORT = 8080, DESCRIPTORS_MAX = 256 };

struct peer {
    int fd, client_fd; /* -1 = free */
    size_t request_bytes;
};

static int64_t now_ns;
static int64_t timer_ns = -1; /* when it fires; -1 = never */
static int timer_fd = -1;
static int events_of_turn;
static struct peer peers[PEERS_MAX];
static const struct plan *plan;
static size_t pieces_sent;
static bool is_reset[DESCRIPTORS_MAX]; /* by the client's descriptor: its end is a reset */

struct witness world_seen;

/* --- the clock --- */

static void fill(struct timespec *time_out, int64_t ns)
{
    time_out->tv_sec = ns / 1000000000;
    time_out->tv_nsec = ns % 1000000000;
}

EXPORTED int clock_gettime(clockid_t id, struct timespec *time_out)
{
    bool wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;

    fill(time_out, now_ns + (wall ? WALL_S * INT64_C(1000000000) : 0));
    return 0;
}

EXPORTED time_t time(time_t *time_out)
{
    time_t now = now_ns / 1000000000 + WALL_S;

    if (time_out != NULL)
        *time_out = now;
    return now;
}

EXPORTED int gettimeofday(struct timeval *restrict time_out, void *restrict zone)
{
    (void)zone;
    time_out->tv_sec = now_ns / 1000000000 + WALL_S;
    time_out->tv_usec = now_ns % 1000000000 / 1000;
    return 0;
}

/* A counter is read like a timer that has fired. */
EXPORTED int timerfd_create(int id, int flags)
{
    (void)id;
    (void)flags;
    timer_ns = -1;
    timer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return timer_fd;
}

EXPORTED int timerfd_settime(int fd, int flags, const struct itimerspec *when,
                             struct itimerspec *old)
{
    uint64_t fired;
    int64_t wait_ns = when->it_value.tv_sec * INT64_C(1000000000) + when->it_value.tv_nsec;

    (void)flags;
    (void)old;
    while (read(fd, &fired, sizeof fired) > 0) {
    }
    timer_ns = wait_ns == 0 ? -1 : now_ns + wait_ns;
    return 0;
}

EXPORTED int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    (void)timeout; /* nobody waits in this world */
    events_of_turn = (int)syscall(SYS_epoll_pwait, fd, events, max, 0, NULL, 0);
    return events_of_turn;
}

/* --- sockets --- */

static struct peer *peer_of_client(int fd)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i].fd != -1 && peers[i].client_fd == fd)
            return &peers[i];
    return NULL;
}

static void peer_close(struct peer *peer)
{
    close(peer->fd);
    *peer = (struct peer){.fd = -1, .client_fd = -1};
}

EXPORTED int socket(int domain, int type, int protocol)
{
    int ends[2];
    struct peer *peer;

    if (domain != AF_INET || (type & 0xf) != SOCK_STREAM)
        return (int)syscall(SYS_socket, domain, type, protocol);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return -1;
    /* The descriptor's number may have been another connection's whose end was not seen yet. */
    peer = peer_of_client(ends[0]);
    if (peer != NULL)
        peer->client_fd = -1;
    for (peer = peers; peer < peers + PEERS_MAX && peer->fd != -1; peer++) {
    }
    if (peer == peers + PEERS_MAX || ends[0] >= DESCRIPTORS_MAX) {
        close(ends[0]);
        close(ends[1]);
        world_seen.leaks = true;
        errno = EMFILE;
        return -1;
    }
    is_reset[ends[0]] = false;
    *peer = (struct peer){.fd = ends[1], .client_fd = ends[0]};
    world_seen.opened++;
    return ends[0];
}

EXPORTED int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)fd;
    (void)address;
    (void)length;
    if (plan == NULL || !plan->refuse_connect)
        return 0;
    errno = ECONNREFUSED;
    return -1;
}

static int loopback(struct sockaddr *address, socklen_t *length)
{
    struct sockaddr_in own = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    memcpy(address, &own, *length < sizeof own ? *length : sizeof own);
    *length = sizeof own;
    return 0;
}

EXPORTED int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    (void)fd;
    return loopback(address, length);
}

EXPORTED int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    (void)fd;
    return loopback(address, length);
}

EXPORTED ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    if (plan != NULL && plan->write_limit > 0 && length > plan->write_limit &&
        peer_of_client(fd) != NULL)
        length = plan->write_limit;
    return syscall(SYS_sendto, fd, bytes, length, flags | MSG_NOSIGNAL, NULL, 0);
}

EXPORTED ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
    ssize_t got = syscall(SYS_recvfrom, fd, bytes, length, flags, NULL, NULL);

    if (got != 0 || fd >= DESCRIPTORS_MAX || !is_reset[fd])
        return got;
    errno = ECONNRESET;
    return -1;
}

/* --- peers --- */

/* Reads at most `max` bytes, at least one, of a request. */
static bool peer_read(struct peer *peer, size_t max)
{
    char *at = world_seen.request + world_seen.request_bytes;
    size_t room = sizeof world_seen.request - world_seen.request_bytes;
    ssize_t got = recv(peer->fd, at, max < room ? max : room, MSG_DONTWAIT);

    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        peer_close(peer);
        return true;
    }
    if (got <= 0)
        return false;
    world_seen.connections += peer->request_bytes == 0;
    peer->request_bytes += (size_t)got;
    world_seen.request_bytes += (size_t)got;
    return true;
}

/* Head and as many bytes as its Content-Length says. */
static bool is_whole_request(void)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *text = world_seen.request;
    size_t length = world_seen.request_bytes;
    const char *end = memmem(text, length, "\r\n\r\n", 4);
    const char *field = end == NULL ? NULL : memmem(text, (size_t)(end - text), name, 18);
    size_t body = field == NULL ? 0 : strtoul(field + 18, NULL, 10);

    return end != NULL && length >= (size_t)(end - text) + 4 + body;
}

static void play_ending(struct peer *peer)
{
    world_seen.ended = true;
    if (plan->ending == END_KEEPS)
        return;
    if (plan->ending == END_RESETS && peer->client_fd != -1)
        is_reset[peer->client_fd] = true;
    peer_close(peer);
}

static void send_piece(struct peer *peer)
{
    size_t from = pieces_sent == 0 ? 0 : plan->piece_ends[pieces_sent - 1];
    size_t to = plan->piece_ends[pieces_sent++];

    if (to > from && syscall(SYS_sendto, peer->fd, plan->text + from, to - from,
                             MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0) == (long)(to - from))
        world_seen.sent_bytes = to;
    if (pieces_sent == plan->piece_count)
        play_ending(peer);
}

static bool peer_act(struct peer *peer)
{
    size_t missing = is_whole_request() ? 0 : SIZE_MAX;

    if (plan->read_first <= world_seen.request_bytes)
        missing = 0;
    else if (missing > 0 && plan->read_first != SIZE_MAX)
        missing = plan->read_first - world_seen.request_bytes;
    if (missing > 0)
        return peer_read(peer, missing);
    if (peer->request_bytes == 0)
        return peer_read(peer, SIZE_MAX); /* not the one that is answered */
    if (pieces_sent == plan->piece_count)
        return false;
    send_piece(peer);
    return true;
}

void world_reset(void)
{
    now_ns = BEGIN_S * INT64_C(1000000000);
    timer_ns = -1;
    plan = NULL;
    for (size_t i = 0; i < PEERS_MAX; i++)
        peers[i] = (struct peer){.fd = -1, .client_fd = -1};
}

int64_t world_now_ns(void)
{
    return now_ns;
}

void world_pass_ms(int64_t ms)
{
    now_ns += ms * NANOSECONDS_OF_MS;
}

void world_begin(const struct plan *next)
{
    plan = next;
    pieces_sent = 0;
    world_seen = (struct witness){0};
    for (size_t i = 0; i < PEERS_MAX; i++)
        peers[i].request_bytes = 0;
}

bool world_act(void)
{
    bool acted = false;

    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i].fd != -1)
            acted |= peer_act(&peers[i]);
    return acted;
}

int world_events(void)
{
    return events_of_turn;
}

bool world_jump(void)
{
    const uint64_t one = 1;

    if (timer_ns < 0)
        return false;
    if (timer_ns > now_ns)
        now_ns = timer_ns;
    timer_ns = -1;
    return write(timer_fd, &one, sizeof one) == sizeof one;
}

void world_settle(void)
{
    for (size_t i = 0; i < PEERS_MAX; i++) {
        while (peers[i].fd != -1 && peer_read(&peers[i], SIZE_MAX)) {
        }
    }
}

bool world_keeps_used(void)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i].fd != -1 && peers[i].request_bytes > 0)
            return true;
    return false;
}

void world_hang_up(void)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i].fd != -1)
            peer_close(&peers[i]);
}

uint32_t world_open_peers(void)
{
    uint32_t open = 0;

    for (size_t i = 0; i < PEERS_MAX; i++)
        open += peers[i].fd != -1;
    return open;
}
