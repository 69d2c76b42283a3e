#include "scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 512, REQUESTS_MAX = 4096, REQUEST_BYTES_MAX = 1 << 20 };

struct peer {
    int fd;
    char *bytes;
    size_t length;
};

struct scripted_server {
    const struct scripted_answer *script;
    size_t script_count;
    int listener, wake[2];
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    char *requests[REQUESTS_MAX];
    size_t request_count, connection_count;
    /* of the thread alone */
    struct peer peers[CONNECTIONS_MAX];
    size_t peer_count;
};

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    abort();
}

/* Length of the first complete request in the bytes, 0 when it is not complete. */
static size_t complete_request(const struct peer *peer)
{
    const char *end = memmem(peer->bytes, peer->length, "\r\n\r\n", 4);
    size_t head, body = 0;

    if (end == NULL)
        return 0;
    head = (size_t)(end - peer->bytes) + 4;
    for (const char *line = peer->bytes; line < end; line++) {
        if (strncasecmp(line, "\nContent-Length:", 16) == 0)
            body = strtoul(line + 16, NULL, 10);
    }
    return peer->length >= head + body ? head + body : 0;
}

static void send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void drop_peer(struct scripted_server *server, struct peer *peer, bool reset)
{
    if (reset) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};

        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    close(peer->fd);
    free(peer->bytes);
    *peer = server->peers[--server->peer_count];
}

static struct scripted_answer record(struct scripted_server *server, const char *bytes,
                                     size_t length)
{
    static const struct scripted_answer past_end = {
        "HTTP/1.1 500 Script Ended\r\nContent-Length: 0\r\n\r\n", 0, SCRIPT_KEEP};
    struct scripted_answer answer = past_end;
    char *copy = strndup(bytes, length);

    pthread_mutex_lock(&server->mutex);
    must(copy != NULL && server->request_count < REQUESTS_MAX, "record a request");
    if (server->request_count < server->script_count)
        answer = server->script[server->request_count];
    server->requests[server->request_count++] = copy;
    pthread_mutex_unlock(&server->mutex);
    return answer;
}

/* False when the peer is gone. */
static bool serve(struct scripted_server *server, struct peer *peer)
{
    size_t length;
    ssize_t got;

    got = recv(peer->fd, peer->bytes + peer->length, REQUEST_BYTES_MAX - peer->length, 0);
    if (got <= 0) {
        drop_peer(server, peer, false);
        return false;
    }
    peer->length += (size_t)got;
    peer->bytes[peer->length] = '\0';
    while ((length = complete_request(peer)) > 0) {
        struct scripted_answer answer = record(server, peer->bytes, length);

        peer->length -= length;
        memmove(peer->bytes, peer->bytes + length, peer->length + 1);
        if (answer.bytes != NULL)
            send_all(peer->fd, answer.bytes,
                     answer.length > 0 ? answer.length : strlen(answer.bytes));
        if (answer.then != SCRIPT_KEEP) {
            drop_peer(server, peer, answer.then == SCRIPT_RESET);
            return false;
        }
    }
    return true;
}

static void accept_peer(struct scripted_server *server)
{
    struct peer *peer = &server->peers[server->peer_count];

    peer->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (peer->fd == -1)
        return;
    peer->bytes = malloc(REQUEST_BYTES_MAX + 1);
    must(peer->bytes != NULL && ++server->peer_count < CONNECTIONS_MAX, "accept");
    peer->length = 0;
    pthread_mutex_lock(&server->mutex);
    server->connection_count++;
    pthread_mutex_unlock(&server->mutex);
}

static void *run(void *context)
{
    struct scripted_server *server = context;
    struct pollfd fds[CONNECTIONS_MAX + 2];

    for (;;) {
        size_t count = server->peer_count;

        fds[0] = (struct pollfd){.fd = server->wake[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = server->listener, .events = POLLIN};
        for (size_t i = 0; i < count; i++)
            fds[i + 2] = (struct pollfd){.fd = server->peers[i].fd, .events = POLLIN};
        must(poll(fds, count + 2, -1) >= 0, "poll");
        if (fds[0].revents != 0)
            return NULL;
        /* From the end: a peer that goes is replaced by the last one. */
        for (size_t i = count; i-- > 0;) {
            if (fds[i + 2].revents != 0)
                serve(server, &server->peers[i]);
        }
        if (fds[1].revents != 0)
            accept_peer(server);
    }
}

struct scripted_server *scripted_server_start(const struct scripted_answer *script, size_t count)
{
    struct scripted_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    must(server != NULL, "calloc");
    server->script = script;
    server->script_count = count;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->listener != -1, "socket");
    must(bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(server->listener, 128) == 0, "listen");
    must(getsockname(server->listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    server->port = ntohs(address.sin_port);
    must(pipe(server->wake) == 0, "pipe");
    pthread_mutex_init(&server->mutex, NULL);
    must(pthread_create(&server->thread, NULL, run, server) == 0, "pthread_create");
    return server;
}

void scripted_server_stop(struct scripted_server *server)
{
    must(write(server->wake[1], "", 1) == 1, "wake");
    pthread_join(server->thread, NULL);
    while (server->peer_count > 0)
        drop_peer(server, &server->peers[0], false);
    for (size_t i = 0; i < server->request_count; i++)
        free(server->requests[i]);
    close(server->listener);
    close(server->wake[0]);
    close(server->wake[1]);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

uint16_t scripted_server_port(const struct scripted_server *server)
{
    return server->port;
}

size_t scripted_server_request_count(struct scripted_server *server)
{
    size_t count;

    pthread_mutex_lock(&server->mutex);
    count = server->request_count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

const char *scripted_server_request(struct scripted_server *server, size_t index)
{
    const char *text;

    pthread_mutex_lock(&server->mutex);
    text = index < server->request_count ? server->requests[index] : NULL;
    pthread_mutex_unlock(&server->mutex);
    return text;
}

size_t scripted_server_connection_count(struct scripted_server *server)
{
    size_t count;

    pthread_mutex_lock(&server->mutex);
    count = server->connection_count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}
