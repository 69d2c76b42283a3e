#include "server.h"

#include "reply.h"
#include "world.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o/http1.h>
#include <h2o/http2.h>

#define BODY_BYTES_MAX (16 * 1024 * 1024)
#define ACCEPTS_A_TURN 64
#define IDLE_TURN_MS 1000

static struct sim simulator;
static struct text scratch; /* body of the answer that is being composed */
static h2o_globalconf_t configuration;
static h2o_context_t context;
static h2o_accept_ctx_t acceptor;
static volatile sig_atomic_t stopping;

static struct slice slice_from(h2o_iovec_t part)
{
    return (struct slice){part.base, part.len};
}

static void read_headers(h2o_req_t *h2o, struct request *request)
{
    static const struct {
        const char *name;
        size_t length;
        size_t offset;
    } wanted[] = {
        {"authorization", 13, offsetof(struct request, authorization)},
        {"content-type", 12, offsetof(struct request, content_type)},
        {"idempotency-key", 15, offsetof(struct request, key)},
        {"x-rutter-version", 16, offsetof(struct request, version)},
    };

    for (size_t i = 0; i < h2o->headers.size; i++) {
        const h2o_header_t *header = &h2o->headers.entries[i];

        for (size_t j = 0; j < sizeof wanted / sizeof wanted[0]; j++)
            if (header->name->len == wanted[j].length &&
                memcmp(header->name->base, wanted[j].name, wanted[j].length) == 0)
                *(struct slice *)(void *)((char *)request + wanted[j].offset) =
                    slice_from(header->value);
    }
}

static void read_request(h2o_req_t *h2o, struct request *request)
{
    size_t path_length = h2o->query_at == SIZE_MAX ? h2o->path.len : h2o->query_at;

    *request = (struct request){.method = slice_from(h2o->method),
                                .path = {h2o->path.base, path_length},
                                .authority = slice_from(h2o->authority),
                                .body = slice_from(h2o->entity)};
    if (path_length < h2o->path.len)
        request->query =
            (struct slice){h2o->path.base + path_length + 1, h2o->path.len - path_length - 1};
    read_headers(h2o, request);
}

static int on_request(h2o_handler_t *handler, h2o_req_t *h2o)
{
    struct request request;
    struct answer answer = {.body = &scratch};
    uint32_t from, to;

    (void)handler;
    sim_tick(&simulator);
    read_request(h2o, &request);
    if (slice_starts_with(request.path, SLICE("/_sim/"))) {
        if (control_handle(&simulator, &request, &answer, &from, &to))
            reply_with_ledger(&simulator, h2o, &answer, from, to);
        else
            reply(&simulator, h2o, &answer);
        return 0;
    }
    api_handle(&simulator, &request, &answer);
    reply(&simulator, h2o, &answer);
    return 0;
}

static void on_socket_close(void *data)
{
    (void)data;
    simulator.counters.open_connections--;
}

/* Only on request: who reads the ledger must be able to rely on a connection. */
static bool drops_connection(void)
{
    if (simulator.script.drop_connections == 0)
        return false;
    simulator.script.drop_connections--;
    return true;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    if (error != NULL)
        return;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);

        if (socket == NULL)
            return;
        simulator.counters.accepted_connections++;
        if (drops_connection()) {
            simulator.counters.dropped_connections++;
            h2o_socket_close(socket);
            continue;
        }
        simulator.counters.open_connections++;
        socket->on_close.cb = on_socket_close;
        h2o_accept(&acceptor, socket);
    }
}

static int listen_on(uint16_t *port)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1;

    if (descriptor == -1)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(descriptor, 4096) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
        fprintf(stderr, "rutter-sim: 127.0.0.1:%u: %s\n", *port, strerror(errno));
        close(descriptor);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return descriptor;
}

static bool set_up_tls(const struct options *options)
{
    if (options->tls_cert == NULL)
        return true;
    acceptor.ssl_ctx = SSL_CTX_new(TLS_server_method());
    if (acceptor.ssl_ctx == NULL ||
        SSL_CTX_use_certificate_chain_file(acceptor.ssl_ctx, options->tls_cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(acceptor.ssl_ctx, options->tls_key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "rutter-sim: --tls-cert %s, --tls-key %s: %s\n", options->tls_cert,
                options->tls_key, ERR_reason_error_string(ERR_peek_last_error()));
        return false;
    }
    SSL_CTX_set_min_proto_version(acceptor.ssl_ctx, TLS1_2_VERSION);
    h2o_ssl_register_alpn_protocols(acceptor.ssl_ctx, h2o_http2_alpn_protocols);
    return true;
}

static void set_up_http(h2o_loop_t *loop)
{
    h2o_hostconf_t *host;
    h2o_handler_t *handler;

    h2o_config_init(&configuration);
    configuration.server_name = h2o_iovec_init(H2O_STRLIT("rutter-sim"));
    configuration.max_request_entity_size = BODY_BYTES_MAX;
    configuration.http1.req_timeout = 5 * 60 * 1000;
    configuration.http1.upgrade_to_http2 = 0;
    configuration.http2.idle_timeout = 5 * 60 * 1000;
    host = h2o_config_register_host(&configuration, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    handler = h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof *handler);
    handler->on_req = on_request;
    h2o_context_init(&context, loop, &configuration);
    acceptor.ctx = &context;
    acceptor.hosts = configuration.hosts;
}

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

static void set_up_process(const struct options *options)
{
    struct sigaction stop = {.sa_handler = on_signal};
    pid_t parent = getppid();

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (options->exit_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) /* the parent ended before the line above */
            stopping = 1;
    }
}

static void serve(h2o_loop_t *loop)
{
    while (!stopping) {
        int64_t wait_ms;

        sim_tick(&simulator);
        timers_fire(&simulator.timers, simulator.now_ms);
        ledger_flush(&simulator);
        wait_ms = timers_wait_ms(&simulator.timers, simulator.now_ms);
        if (wait_ms < 0 || wait_ms > IDLE_TURN_MS)
            wait_ms = IDLE_TURN_MS;
        h2o_evloop_run(loop, (int32_t)wait_ms);
    }
}

int server_run(const struct options *options)
{
    uint16_t port = options->port;
    char authority[32];
    h2o_loop_t *loop;
    h2o_socket_t *listener;
    int descriptor;

    set_up_process(options);
    descriptor = listen_on(&port);
    if (descriptor == -1)
        return 1;
    snprintf(authority, sizeof authority, "127.0.0.1:%u", port);
    operations_init();
    sim_init(&simulator, options, slice_of(authority));
    world_open(&simulator);
    loop = h2o_evloop_create();
    set_up_http(loop);
    if (!set_up_tls(options))
        return 1;
    listener = h2o_evloop_socket_create(loop, descriptor, H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(listener, on_accept);
    printf("%s%s\n", simulator.scheme, authority);
    fflush(stdout);
    serve(loop);
    h2o_socket_close(listener);
    ledger_close(&simulator);
    return world_save(&simulator) ? 0 : 1;
}
