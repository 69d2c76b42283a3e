#include "server.h"

#include "api.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define H2O_USE_LIBUV 0
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#define BODY_BYTES_MAX (16 * 1024 * 1024)
#define LEDGER_CHUNK_BYTES (256 * 1024)
#define HANG_MS (10 * 60 * 1000)
#define DRIP_MS 300
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

static h2o_iovec_t to_iovec(struct slice part)
{
    return h2o_iovec_init(part.bytes, part.length);
}

/* An answer that is not sent at once, or not in one piece. Lives in its request's pool. */
struct exchange {
    h2o_generator_t generator;
    struct timer timer;
    h2o_req_t *request;
    struct answer answer;
    struct slice body;
    bool is_started; /* the first part of the body is out */
    uint32_t ledger_next;
    uint32_t ledger_last;
    struct text chunk;
};

static void forget_exchange(void *pointer)
{
    struct exchange *exchange = pointer;

    timers_remove(&simulator.timers, &exchange->timer);
    text_free(&exchange->chunk);
}

static struct exchange *new_exchange(h2o_req_t *request, const struct answer *answer)
{
    struct exchange *exchange =
        h2o_mem_alloc_shared(&request->pool, sizeof *exchange, forget_exchange);

    memset(exchange, 0, sizeof *exchange);
    exchange->request = request;
    exchange->answer = *answer;
    return exchange;
}

static void wait_with(struct exchange *exchange, int64_t delay_ms, void (*fire)(struct timer *))
{
    exchange->timer.due_ms = simulator.now_ms + delay_ms;
    exchange->timer.fire = fire;
    timers_add(&simulator.timers, &exchange->timer);
}

static struct exchange *exchange_of(struct timer *timer)
{
    return (struct exchange *)(void *)((char *)timer - offsetof(struct exchange, timer));
}

static int descriptor_of(h2o_req_t *request)
{
    h2o_socket_t *socket = request->conn->callbacks->get_socket(request->conn);

    return h2o_socket_get_fd(socket);
}

/* Ends the connection under the request. libh2o notices when it writes, and cleans up. */
static void cut_connection(h2o_req_t *request, bool with_reset)
{
    int descriptor = descriptor_of(request);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    if (with_reset) /* Linux: disconnecting a TCP socket sends a reset */
        connect(descriptor, &nowhere, sizeof nowhere);
    else
        shutdown(descriptor, SHUT_RDWR);
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {204, "No Content"},
                   {302, "Found"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {409, "Conflict"},
                   {410, "Gone"},
                   {415, "Unsupported Media Type"},
                   {429, "Too Many Requests"},
                   {450, "Platform Bad Request"},
                   {451, "Platform Unauthorized"},
                   {452, "Platform Rate Limit"},
                   {500, "Internal Server Error"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {550, "Platform Error"}};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

/* `shown` is the name as HTTP/1.1 writes it; HTTP/2 has lower case only. */
static void add_header(h2o_req_t *request, const char *name, const char *shown, struct slice value)
{
    h2o_add_header_by_str(&request->pool, &request->res.headers, name, strlen(name), 0, shown,
                          value.bytes, value.length);
}

static struct slice in_pool(h2o_req_t *request, struct slice text)
{
    char *copy = h2o_mem_alloc_pool(&request->pool, text.length + 1);

    if (text.length > 0)
        memcpy(copy, text.bytes, text.length);
    return (struct slice){copy, text.length};
}

static void add_script_headers(h2o_req_t *request, const struct script_entry *script)
{
    for (size_t i = 0; i < script->header_count; i++) {
        struct slice name = script->headers[i].name;
        char *lower = h2o_mem_alloc_pool(&request->pool, name.length + 1);

        for (size_t j = 0; j < name.length; j++) {
            char c = name.bytes[j];

            lower[j] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        h2o_set_header_by_str(&request->pool, &request->res.headers, lower, name.length, 1,
                              script->headers[i].value.bytes, script->headers[i].value.length, 1);
    }
}

static void set_head(h2o_req_t *request, const struct answer *answer)
{
    char *ids = h2o_mem_alloc_pool(&request->pool, 2 * UUID_LENGTH);

    request->res.status = answer->status;
    request->res.reason = reason_of(answer->status);
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   answer->content_type, strlen(answer->content_type));
    if (answer->entry != 0) {
        uuid_format(ids, hash_mix(answer->draw, 31), hash_mix(answer->draw, 32));
        add_header(request, "x-rutter-request-id", "X-Rutter-Request-ID",
                   (struct slice){ids, UUID_LENGTH});
    }
    if (answer->has_job_id) {
        memcpy(ids + UUID_LENGTH, answer->job_id, UUID_LENGTH);
        add_header(request, "x-rutter-job-id", "X-Rutter-Job-ID",
                   (struct slice){ids + UUID_LENGTH, UUID_LENGTH});
    }
    if (answer->retry_after[0] != '\0')
        add_header(request, "retry-after", "Retry-After",
                   in_pool(request, slice_of(answer->retry_after)));
    if (answer->location != NULL)
        add_header(request, "location", "Location", slice_of(answer->location));
    if (answer->headers != NULL)
        add_script_headers(request, answer->headers);
}

static void stop_nothing(h2o_generator_t *generator, h2o_req_t *request)
{
    (void)generator;
    (void)request;
}

static void send_rest(struct timer *timer)
{
    struct exchange *exchange = exchange_of(timer);
    size_t half = exchange->body.length / 2;
    h2o_iovec_t rest = h2o_iovec_init(exchange->body.bytes + half, exchange->body.length - half);

    h2o_send(exchange->request, &rest, 1, H2O_SEND_STATE_FINAL);
}

/* Called when the first half has left: what follows is the fault. */
static void after_first_half(h2o_generator_t *generator, h2o_req_t *request)
{
    struct exchange *exchange = (struct exchange *)generator;
    bool is_http2 = request->version >= 0x200;

    if (exchange->answer.wire == WIRE_DRIP) {
        wait_with(exchange, DRIP_MS, send_rest);
        return;
    }
    if (!is_http2)
        cut_connection(request, exchange->answer.wire == WIRE_RESET_BODY);
    h2o_send(request, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void send_in_halves(struct exchange *exchange)
{
    h2o_req_t *request = exchange->request;
    h2o_iovec_t half = h2o_iovec_init(exchange->body.bytes, exchange->body.length / 2);

    exchange->generator.proceed = after_first_half;
    exchange->generator.stop = stop_nothing;
    request->http1_is_persistent = exchange->answer.wire == WIRE_DRIP;
    if (exchange->answer.wire == WIRE_NO_LENGTH && request->version == 0x101)
        request->version = 0x100; /* else libh2o would choose chunks */
    else if (exchange->answer.wire != WIRE_CHUNKS_CUT)
        request->res.content_length = exchange->body.length;
    h2o_start_response(request, &exchange->generator);
    h2o_send(request, &half, 1, H2O_SEND_STATE_IN_PROGRESS);
}

/* The head promises one body; behind it comes the whole answer once more. HTTP/1.1 only. */
static void send_twice(h2o_req_t *request, const struct answer *answer, struct slice body)
{
    static h2o_generator_t generator = {NULL, NULL};
    struct text all = {0};
    struct slice kept;
    h2o_iovec_t part;

    text_add(&all, body);
    text_addf(&all, "HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n",
              answer->status, reason_of(answer->status), answer->content_type, body.length);
    text_add(&all, body);
    kept = in_pool(request, text_slice(&all));
    text_free(&all);
    part = to_iovec(kept);
    request->res.content_length = body.length;
    request->http1_is_persistent = 0;
    h2o_start_response(request, &generator);
    h2o_send(request, &part, 1, H2O_SEND_STATE_FINAL);
}

static void send_early_hints(h2o_req_t *request)
{
    static const char hints[] = "HTTP/1.1 103 Early Hints\r\n\r\n"
                                "HTTP/1.1 103 Early Hints\r\n\r\n"
                                "HTTP/1.1 103 Early Hints\r\n\r\n";

    if (request->version < 0x200 && simulator.options.tls_cert == NULL)
        (void)!send(descriptor_of(request), hints, sizeof hints - 1, MSG_NOSIGNAL);
}

static void end_hang(struct timer *timer)
{
    struct exchange *exchange = exchange_of(timer);

    cut_connection(exchange->request, false);
    h2o_send_inline(exchange->request, "", 0);
}

static void send_answer(h2o_req_t *request, const struct answer *answer, struct slice body)
{
    enum wire wire = answer->wire;
    struct exchange *exchange;

    api_answered(&simulator, answer);
    set_head(request, answer);
    if (wire == WIRE_TWICE && request->version >= 0x200)
        wire = WIRE_NORMAL;
    switch (wire) {
    case WIRE_EARLY_HINTS:
        send_early_hints(request);
        break;
    case WIRE_NORMAL:
        break;
    case WIRE_CLOSE:
    case WIRE_RESET:
        cut_connection(request, wire == WIRE_RESET);
        break;
    case WIRE_HANG:
        wait_with(new_exchange(request, answer), HANG_MS, end_hang);
        return;
    case WIRE_TRUNCATED:
    case WIRE_RESET_BODY:
    case WIRE_DRIP:
    case WIRE_NO_LENGTH:
    case WIRE_CHUNKS_CUT:
        exchange = new_exchange(request, answer);
        exchange->body = in_pool(request, body);
        send_in_halves(exchange);
        return;
    case WIRE_TWICE:
        send_twice(request, answer, body);
        return;
    }
    if (answer->status == 204) {
        request->res.content_length = SIZE_MAX;
        h2o_send_inline(request, "", 0);
        return;
    }
    request->res.content_length = body.length;
    h2o_send_inline(request, body.bytes == NULL ? "" : body.bytes, body.length);
}

static void send_later(struct timer *timer)
{
    struct exchange *exchange = exchange_of(timer);

    if (exchange->answer.waits_for != NULL) {
        exchange->answer.body = &scratch;
        api_finish(&simulator, &exchange->answer);
        exchange->body = text_slice(&scratch);
    }
    send_answer(exchange->request, &exchange->answer, exchange->body);
}

static void ledger_proceed(h2o_generator_t *generator, h2o_req_t *request)
{
    struct exchange *exchange = (struct exchange *)generator;
    bool is_same = exchange->answer.epoch == simulator.epoch;
    h2o_iovec_t part;
    bool is_last;

    text_clear(&exchange->chunk);
    while (is_same && exchange->ledger_next <= exchange->ledger_last &&
           exchange->chunk.length < LEDGER_CHUNK_BYTES)
        ledger_add_line(&exchange->chunk, &simulator, exchange->ledger_next++);
    is_last = !is_same || exchange->ledger_next > exchange->ledger_last;
    part = h2o_iovec_init(exchange->chunk.bytes, exchange->chunk.length);
    h2o_send(request, &part, part.len > 0 ? 1 : 0,
             is_last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void send_ledger(h2o_req_t *request, const struct answer *answer, uint32_t from, uint32_t to)
{
    struct exchange *exchange = new_exchange(request, answer);

    set_head(request, answer);
    exchange->answer.epoch = simulator.epoch;
    exchange->ledger_next = from;
    exchange->ledger_last = to;
    exchange->generator.proceed = ledger_proceed;
    exchange->generator.stop = stop_nothing;
    h2o_start_response(request, &exchange->generator);
    ledger_proceed(&exchange->generator, request);
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
    timers_fire(&simulator.timers, simulator.now_ms);
    read_request(h2o, &request);
    if (slice_starts_with(request.path, SLICE("/_sim/"))) {
        if (control_handle(&simulator, &request, &answer, &from, &to))
            send_ledger(h2o, &answer, from, to);
        else
            send_answer(h2o, &answer, text_slice(&scratch));
        return 0;
    }
    api_handle(&simulator, &request, &answer);
    if (answer.waits_for != NULL || answer.delay_ms > 0) {
        struct exchange *exchange = new_exchange(h2o, &answer);

        exchange->body = in_pool(h2o, text_slice(&scratch));
        wait_with(exchange, answer.delay_ms, send_later);
        return 0;
    }
    send_answer(h2o, &answer, text_slice(&scratch));
    return 0;
}

static void on_socket_close(void *data)
{
    (void)data;
    simulator.counters.open_connections--;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    if (error != NULL)
        return;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);

        if (socket == NULL)
            return;
        simulator.counters.open_connections++;
        simulator.counters.accepted_connections++;
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
    int descriptor;

    set_up_process(options);
    descriptor = listen_on(&port);
    if (descriptor == -1)
        return 1;
    snprintf(authority, sizeof authority, "127.0.0.1:%u", port);
    operations_init();
    sim_init(&simulator, options, slice_of(authority));
    loop = h2o_evloop_create();
    set_up_http(loop);
    if (!set_up_tls(options))
        return 1;
    h2o_socket_read_start(h2o_evloop_socket_create(loop, descriptor, H2O_SOCKET_FLAG_DONT_READ),
                          on_accept);
    printf("%s%s\n", simulator.scheme, authority);
    fflush(stdout);
    serve(loop);
    ledger_flush(&simulator);
    return 0;
}
