/* libcurl's multi socket interface on the event loop.
 * Source: curl_multi_socket_action(3), CURLMOPT_SOCKETFUNCTION(3), CURLMOPT_TIMERFUNCTION(3). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "curl_transport_internal.h"
#include "purser/base/mem.h"

enum { DESCRIPTORS_MAX = 1 << 20 };

/* The first failure is the cause of all others. libcurl itself is told of none: 7.88 does not
 * survive a callback that fails (it keeps a handle that it says it has not taken, and frees it
 * twice). */
static void give_up(struct curl_transport *transport, const char *doing, const char *why)
{
    if (transport->broken.code == ERR_OK)
        err_set(&transport->broken, ERR_SYSTEM, "%s: %s", doing, why);
}

static void act(struct curl_transport *transport, curl_socket_t socket, int ready)
{
    int running;
    CURLMcode code = curl_multi_socket_action(transport->multi, socket, ready, &running);

    if (code != CURLM_OK)
        give_up(transport, "libcurl", curl_multi_strerror(code));
}

static void on_timer_ready(void *context, int fd, int ready)
{
    struct curl_transport *transport = context;
    uint64_t expirations;

    (void)ready;
    /* Empty when the timer was set anew after it fired: act all the same. */
    if (read(fd, &expirations, sizeof expirations) == -1 && errno != EAGAIN)
        give_up(transport, "libcurl's timer", strerror(errno));
    act(transport, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket_ready(void *context, int fd, int ready)
{
    int select_bits = 0;

    if (ready & LOOP_READ)
        select_bits |= CURL_CSELECT_IN;
    if (ready & LOOP_WRITE)
        select_bits |= CURL_CSELECT_OUT;
    act(context, fd, select_bits);
}

/* libcurl must not be called from in here, so this only sets the timer. A zero wait becomes 1 ns,
 * because zero would switch the timer off. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct curl_transport *transport = context;
    struct itimerspec when = {0};

    (void)multi;
    if (timeout_ms > 0) {
        when.it_value.tv_sec = timeout_ms / 1000;
        when.it_value.tv_nsec = timeout_ms % 1000 * 1000000;
    } else if (timeout_ms == 0) {
        when.it_value.tv_nsec = 1;
    }
    if (timerfd_settime(transport->timer_fd, 0, &when, NULL) != 0)
        give_up(transport, "libcurl's timer", strerror(errno));
    return 0;
}

static struct socket_entry *entry_of(struct curl_transport *transport, curl_socket_t socket)
{
    size_t capacity = transport->socket_capacity == 0 ? 64 : transport->socket_capacity;
    struct socket_entry *grown;

    if (socket < 0 || socket >= DESCRIPTORS_MAX)
        return NULL;
    if ((size_t)socket < transport->socket_capacity)
        return &transport->sockets[socket];
    while (capacity <= (size_t)socket)
        capacity *= 2;
    grown = mem_resize(transport->sockets, capacity, sizeof *grown);
    if (grown == NULL)
        return NULL;
    memset(grown + transport->socket_capacity, 0,
           (capacity - transport->socket_capacity) * sizeof *grown);
    transport->sockets = grown;
    transport->socket_capacity = capacity;
    return &grown[socket];
}

static void forget(struct socket_entry *entry)
{
    if (entry->watch != NULL)
        loop_watch_remove(entry->watch);
    *entry = (struct socket_entry){0};
}

/* A connection between two exchanges is "removed" and soon added again: its watch is kept, without
 * interest, until the socket is closed. Descriptors that libcurl opens for itself (the resolver's)
 * are closed without a word, so their watch must go at once. */
static int on_curl_socket(CURL *easy, curl_socket_t socket, int what, void *context,
                          void *socket_context)
{
    struct curl_transport *transport = context;
    struct socket_entry *entry = entry_of(transport, socket);
    struct err err = {0};
    int interest = 0;

    (void)easy;
    (void)socket_context;
    if (entry == NULL) {
        give_up(transport, "libcurl's sockets", "no memory for one more");
        return 0;
    }
    if (what == CURL_POLL_REMOVE && !entry->opened_here) {
        forget(entry);
        return 0;
    }
    if (what != CURL_POLL_REMOVE) {
        interest |= what & CURL_POLL_IN ? LOOP_READ : 0;
        interest |= what & CURL_POLL_OUT ? LOOP_WRITE : 0;
    }
    if (entry->watch != NULL
            ? loop_watch_change(entry->watch, interest, &err) != ERR_OK
            : interest != 0 && loop_watch_add(transport->loop, socket, interest, on_socket_ready,
                                              transport, &entry->watch, &err) != ERR_OK)
        give_up(transport, "libcurl's sockets", err.text);
    return 0;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct curl_transport *transport = context;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    struct socket_entry *entry;

    (void)purpose;
    if (fd == -1)
        return CURL_SOCKET_BAD;
    entry = entry_of(transport, fd);
    if (entry == NULL) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    forget(entry); /* of an earlier descriptor with this number, if it was closed in silence */
    entry->opened_here = true;
    return fd;
}

static int on_close_socket(void *context, curl_socket_t socket)
{
    struct curl_transport *transport = context;

    if (socket >= 0 && (size_t)socket < transport->socket_capacity)
        forget(&transport->sockets[socket]);
    return close(socket);
}

enum err_code sockets_open(struct curl_transport *transport, struct err *err)
{
    transport->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (transport->timer_fd == -1)
        return err_set(err, ERR_SYSTEM, "timerfd_create: %s", strerror(errno));
    if (loop_watch_add(transport->loop, transport->timer_fd, LOOP_READ, on_timer_ready, transport,
                       &transport->timer_watch, err) != ERR_OK)
        return err_wrap(err, "libcurl's timer");
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
    return ERR_OK;
}

void sockets_attach(struct curl_transport *transport, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transport);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transport);
}

void sockets_close(struct curl_transport *transport)
{
    for (size_t fd = 0; fd < transport->socket_capacity; fd++)
        forget(&transport->sockets[fd]);
    mem_free(transport->sockets);
    if (transport->timer_watch != NULL)
        loop_watch_remove(transport->timer_watch);
    if (transport->timer_fd != -1)
        close(transport->timer_fd);
}
