/* Networks that fail: names, ways, ports, and peers that hardly read. The failing ones are those of
 * a child with a network of its own, in which there is nothing; where that is not allowed a test is
 * skipped. */
#include "purser/io/curl_transport.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "purser/io/clock.h"
#include "scripted_server.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
enum { BIG_BODY_BYTES = 8 * 1024 * 1024 };

static const char *const tokens[] = {"token"};

struct fixture {
    struct event_loop *loop;
    struct curl_transport *transport;
    struct transport *port;
};

static bool open_fixture(struct fixture *fixture, const char *base_url, int64_t connect_timeout_ms)
{
    const struct curl_transport_options options = {.base_url = base_url,
                                                   .version = "2024-08-31",
                                                   .client_id = "id",
                                                   .client_secret = "secret",
                                                   .access_tokens = tokens,
                                                   .connection_count = 1,
                                                   .in_flight = 1,
                                                   .connect_timeout_ms = connect_timeout_ms};
    struct err err = {0};

    if (event_loop_open(&fixture->loop, &err) != ERR_OK ||
        curl_transport_open(fixture->loop, &options, &fixture->transport, &err) != ERR_OK)
        return false;
    fixture->port = curl_transport_port(fixture->transport);
    return true;
}

static void close_fixture(struct fixture *fixture)
{
    curl_transport_close(fixture->transport);
    event_loop_close(fixture->loop);
}

static struct transfer_request post_of(struct slice body)
{
    return (struct transfer_request){.tag = 1,
                                     .connection = 0,
                                     .method = METHOD_POST,
                                     .path = SLICE("/products"),
                                     .body = body,
                                     .idempotency_key = "11111111-2222-4333-8444-555555555555",
                                     .timeout_ms = 10000};
}

static struct reply exchange(struct fixture *fixture, const struct transfer_request *request)
{
    struct reply reply = {.outcome = (enum transfer_outcome) - 1};
    struct err err = {0};
    int64_t start_ms = clock_boot_ms();

    if (fixture->port->ops->start(fixture->port, request, &err) != ERR_OK)
        return reply;
    while (!fixture->port->ops->take(fixture->port, &reply)) {
        if (event_loop_turn(fixture->loop, 1000, &err) != ERR_OK ||
            clock_boot_ms() - start_ms > 30000)
            break;
    }
    return reply;
}

/* In a child: 0 when the request was not sent and a text says why. */
static int expect_not_sent(const char *base_url, int64_t connect_timeout_ms)
{
    struct transfer_request request = post_of(SLICE("{}"));
    struct fixture fixture;
    struct reply reply;

    if (!open_fixture(&fixture, base_url, connect_timeout_ms))
        return 10;
    reply = exchange(&fixture, &request);
    if (reply.outcome != TRANSFER_NOT_SENT)
        return 11;
    if (reply.failure[0] == '\0' || strstr(reply.failure, "token") != NULL)
        return 12;
    close_fixture(&fixture);
    return 0;
}

/* A network with nothing in it: not even loopback is up. */
static bool leave_the_network(void)
{
    return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static bool bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool done;

    request.ifr_flags = IFF_UP;
    done = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

static int ask_for_a_name(void)
{
    return leave_the_network() ? expect_not_sent("https://api.example.invalid", 5000) : SKIPPED;
}

static int ask_without_a_way(void)
{
    return leave_the_network() ? expect_not_sent("https://192.0.2.1", 5000) : SKIPPED;
}

static int ask_by_both_protocols(void)
{
    return leave_the_network() ? expect_not_sent("http://localhost:1", 5000) : SKIPPED;
}

static void a_name_that_nobody_resolves_is_not_sent(void **state)
{
    (void)state;
    run_in_child(ask_for_a_name);
}

static void without_a_way_there_nothing_is_sent(void **state)
{
    (void)state;
    run_in_child(ask_without_a_way);
}

static void when_neither_ipv6_nor_ipv4_works_nothing_is_sent(void **state)
{
    (void)state;
    run_in_child(ask_by_both_protocols);
}

/* --- a server on a socket of its own --- */

struct listener {
    int fd;
    char base_url[64];
};

static struct listener listen_here(int backlog, int receive_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    struct listener listener = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    if (receive_bytes > 0)
        setsockopt(listener.fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (bind(listener.fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener.fd, backlog) != 0 ||
        getsockname(listener.fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    snprintf(listener.base_url, sizeof listener.base_url, "http://127.0.0.1:%u",
             ntohs(address.sin_port));
    return listener;
}

/* As many connections as the queue of nobody's accept() takes. */
static void fill_the_queue(const struct listener *listener, int fds[8])
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    getsockname(listener->fd, (struct sockaddr *)&address, &length);
    for (int i = 0; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, sizeof address);
    }
}

static void a_connection_that_never_stands_is_not_sent(void **state)
{
    struct listener listener = listen_here(0, 0);
    int fds[8];

    (void)state;
    fill_the_queue(&listener, fds);
    assert_int_equal(expect_not_sent(listener.base_url, 100), 0);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    close(listener.fd);
}

/* In a network of our own: the two ports that may be used for connecting are taken. */
static int connect_without_a_port(void)
{
    static const char range[] = "40000 40001\n";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct listener listener;
    int fd;

    if (!leave_the_network() || !bring_loopback_up())
        return SKIPPED;
    listener = listen_here(8, 0);
    fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
    if (fd == -1 || write(fd, range, sizeof range - 1) != sizeof range - 1)
        return SKIPPED;
    for (uint16_t number = 40000; number <= 40001; number++) {
        address.sin_port = htons(number);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
            return 1;
    }
    return expect_not_sent(listener.base_url, 5000);
}

static void when_no_port_is_left_nothing_is_sent(void **state)
{
    (void)state;
    run_in_child(connect_without_a_port);
}

struct reader {
    int listener;
    const char *answer;
    bool reads_all; /* else only the head, and the connection stays open */
    char *got;
    size_t got_bytes, expected_bytes;
    int connections, peer;
    pthread_t thread;
};

/* Reads a few bytes at a time: 1, 2, 3 … so that the sender meets every kind of short write. */
static void *read_slowly(void *argument)
{
    struct reader *reader = argument;
    size_t step = 1;

    reader->peer = accept(reader->listener, NULL, NULL);
    reader->connections++;
    while (reader->got_bytes < reader->expected_bytes) {
        size_t left = reader->expected_bytes - reader->got_bytes;
        ssize_t count =
            recv(reader->peer, reader->got + reader->got_bytes, step < left ? step : left, 0);

        if (count <= 0)
            break;
        reader->got_bytes += (size_t)count;
        step = step % 1500 + 1;
        if (!reader->reads_all && memmem(reader->got, reader->got_bytes, "\r\n\r\n", 4) != NULL)
            break;
    }
    (void)!send(reader->peer, reader->answer, strlen(reader->answer), MSG_NOSIGNAL);
    return NULL;
}

static void start_reader(struct reader *reader, const struct listener *listener, size_t bytes)
{
    reader->listener = listener->fd;
    reader->expected_bytes = bytes;
    reader->got = calloc(1, bytes + 1);
    assert_non_null(reader->got);
    assert_int_equal(pthread_create(&reader->thread, NULL, read_slowly, reader), 0);
}

static void stop_reader(struct reader *reader, const struct listener *listener)
{
    assert_int_equal(pthread_join(reader->thread, NULL), 0);
    close(reader->peer);
    close(listener->fd);
    free(reader->got);
}

static void a_peer_that_reads_little_at_a_time_gets_the_same_bytes_once(void **state)
{
    enum { BODY_BYTES = 300000, HEAD_BYTES_MIN = 200 };
    struct listener listener = listen_here(8, 2048);
    struct reader reader = {.answer = OK_HEAD "Content-Length: 2\r\n\r\n{}", .reads_all = true};
    struct fixture fixture;
    struct transfer_request request;
    struct reply reply;
    char *body = malloc(BODY_BYTES), *end;

    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < BODY_BYTES; i++)
        body[i] = (char)('a' + i * i % 23 % 26);
    /* The length of the head is not known before it came: the reader ends with the last byte. */
    body[BODY_BYTES - 1] = '}';
    request = post_of((struct slice){body, BODY_BYTES});
    assert_true(open_fixture(&fixture, listener.base_url, 5000));
    start_reader(&reader, &listener, BODY_BYTES + HEAD_BYTES_MIN);
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
    end = memmem(reader.got, reader.got_bytes, "\r\n\r\n", 4);
    assert_non_null(end);
    assert_memory_equal(end + 4, body, reader.got_bytes - (size_t)(end + 4 - reader.got));
    assert_non_null(strstr(reader.got, "Content-Length: 300000\r\n"));
    assert_int_equal(reader.connections, 1);
    close_fixture(&fixture);
    stop_reader(&reader, &listener);
    free(body);
}

static struct reply ask_one_who_answers_early(const char *answer, int64_t timeout_ms)
{
    struct listener listener = listen_here(8, 2048);
    struct reader reader = {.answer = answer};
    struct fixture fixture;
    struct transfer_request request;
    struct reply reply;
    char *body = malloc(BIG_BODY_BYTES);

    assert_non_null(body);
    memset(body, 'x', BIG_BODY_BYTES);
    request = post_of((struct slice){body, BIG_BODY_BYTES});
    request.timeout_ms = timeout_ms;
    assert_true(open_fixture(&fixture, listener.base_url, 5000));
    start_reader(&reader, &listener, BIG_BODY_BYTES);
    reply = exchange(&fixture, &request);
    assert_int_equal(reader.connections, 1);
    close_fixture(&fixture);
    stop_reader(&reader, &listener);
    free(body);
    return reply;
}

static void an_answer_before_the_request_was_read_counts_only_when_it_is_complete(void **state)
{
    (void)state;
    assert_int_equal(
        ask_one_who_answers_early("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", 10000)
            .http_status,
        413);
    /* Half an answer, and a peer that reads no more: the outcome is not known. */
    assert_int_equal(ask_one_who_answers_early(OK_HEAD "Content-Length: 10\r\n\r\n{}", 300).outcome,
                     TRANSFER_LOST);
}

static void a_cookie_is_never_sent_back(void **state)
{
    static const struct scripted_answer script[] = {
        {OK_HEAD "Set-Cookie: session=stolen; Path=/\r\nContent-Length: 2\r\n\r\n{}", 0,
         SCRIPT_KEEP},
        {"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
         "WWW-Authenticate: NTLM\r\nSet-Cookie: session=stolen\r\nContent-Length: 0\r\n\r\n",
         0, SCRIPT_KEEP},
        {OK_HEAD "Content-Length: 2\r\n\r\n{}", 0, SCRIPT_KEEP}};
    struct scripted_server *server = scripted_server_start(script, 3);
    struct transfer_request request = post_of(SLICE("{}"));
    struct fixture fixture;
    char base_url[64];

    (void)state;
    snprintf(base_url, sizeof base_url, "http://127.0.0.1:%u", scripted_server_port(server));
    assert_true(open_fixture(&fixture, base_url, 5000));
    assert_int_equal(exchange(&fixture, &request).http_status, 200);
    assert_int_equal(exchange(&fixture, &request).http_status, 401);
    assert_int_equal(exchange(&fixture, &request).http_status, 200);
    assert_int_equal(scripted_server_request_count(server), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_null(strcasestr(scripted_server_request(server, i), "\nCookie:"));
        assert_non_null(
            strstr(scripted_server_request(server, i), "\nAuthorization: Basic aWQ6c2VjcmV0"));
    }
    close_fixture(&fixture);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_nobody_resolves_is_not_sent),
        cmocka_unit_test(without_a_way_there_nothing_is_sent),
        cmocka_unit_test(when_neither_ipv6_nor_ipv4_works_nothing_is_sent),
        cmocka_unit_test(a_connection_that_never_stands_is_not_sent),
        cmocka_unit_test(when_no_port_is_left_nothing_is_sent),
        cmocka_unit_test(a_peer_that_reads_little_at_a_time_gets_the_same_bytes_once),
        cmocka_unit_test(an_answer_before_the_request_was_read_counts_only_when_it_is_complete),
        cmocka_unit_test(a_cookie_is_never_sent_back),
    };

    return cmocka_run_group_tests_name("io/curl_transport: network", tests, NULL, NULL);
}
