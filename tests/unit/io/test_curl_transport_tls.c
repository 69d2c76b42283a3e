/* Trust, against a real TLS server: `openssl s_server` with a certificate made here. */
#include "purser/io/curl_transport.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/io/clock.h"

struct tls_server {
    char folder[64], certificate[96], key[96];
    pid_t process;
    int input; /* its standard input: it ends when this is closed */
    unsigned port;
};

static const char *const tokens[] = {"token"};

static void run_openssl(const char *const arguments[])
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        char *words[32] = {NULL};

        for (size_t i = 0; arguments[i] != NULL; i++)
            words[i] = strdup(arguments[i]);
        if (freopen("/dev/null", "w", stderr) != NULL)
            execvp("openssl", words);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("openssl cannot make a certificate: ./tools/deps.sh installs it");
}

/* `alternative_name` is what the certificate is for. */
static void make_certificate(struct tls_server *server, const char *alternative_name)
{
    char extension[128];

    snprintf(server->folder, sizeof server->folder, "/tmp/purser-tls-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->certificate, sizeof server->certificate, "%s/cert.pem", server->folder);
    snprintf(server->key, sizeof server->key, "%s/key.pem", server->folder);
    snprintf(extension, sizeof extension, "subjectAltName=%s", alternative_name);
    run_openssl((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                      "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                                      "/CN=test", "-addext", extension, "-keyout", server->key,
                                      "-out", server->certificate, NULL});
}

/* Signed again with a time that was over a day ago. */
static void let_it_expire(const struct tls_server *server)
{
    run_openssl((const char *const[]){"openssl", "x509", "-in", server->certificate, "-signkey",
                                      server->key, "-days", "-1", "-out", server->certificate,
                                      NULL});
}

static void run_server(const struct tls_server *server, const int input[2], const int output[2])
{
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    if (freopen("/dev/null", "w", stderr) ==
        NULL) /* it tells of the alerts that are the point here */
        _exit(126);
    close(input[1]);
    close(output[0]);
    execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
           server->certificate, "-key", server->key, (char *)NULL);
    _exit(127);
}

/* Says "ACCEPT 127.0.0.1:port" once it listens. */
static void serve(struct tls_server *server)
{
    int input[2], output[2];
    char line[256];
    FILE *talk;

    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    server->process = fork();
    if (server->process == 0)
        run_server(server, input, output);
    close(input[0]);
    close(output[1]);
    server->input = input[1];
    server->port = 0;
    talk = fdopen(output[0], "r");
    while (server->port == 0 && fgets(line, sizeof line, talk) != NULL)
        (void)sscanf(line, "ACCEPT 127.0.0.1:%u", &server->port);
    assert_int_not_equal(server->port, 0);
    fclose(talk);
}

static void start_server(struct tls_server *server, const char *alternative_name)
{
    make_certificate(server, alternative_name);
    serve(server);
}

static void stop_server(struct tls_server *server)
{
    kill(server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
    close(server->input);
    unlink(server->certificate);
    unlink(server->key);
    rmdir(server->folder);
}

/* One poll; the reply's texts are copied to `failure`. */
static struct reply poll_host(const char *host, const struct tls_server *server,
                              const char *ca_file, char failure[256])
{
    struct event_loop *loop;
    struct curl_transport *transport;
    struct transport *port;
    struct err err = {0};
    struct reply reply;
    char base_url[64];
    const struct curl_transport_options options = {.base_url = base_url,
                                                   .version = "2024-08-31",
                                                   .client_id = "id",
                                                   .client_secret = "secret",
                                                   .access_tokens = tokens,
                                                   .connection_count = 1,
                                                   .ca_file = ca_file,
                                                   .in_flight = 1};
    const struct transfer_request request = {
        .connection = UINT32_MAX, .remote_job = "job-1", .timeout_ms = 20000};
    int64_t start_ms = clock_boot_ms();

    snprintf(base_url, sizeof base_url, "https://%s:%u", host, server->port);
    assert_int_equal(event_loop_open(&loop, &err), ERR_OK);
    assert_int_equal(curl_transport_open(loop, &options, &transport, &err), ERR_OK);
    port = curl_transport_port(transport);
    assert_int_equal(port->ops->start(port, &request, &err), ERR_OK);
    while (!port->ops->take(port, &reply)) {
        assert_int_equal(event_loop_turn(loop, 1000, &err), ERR_OK);
        assert_true(clock_boot_ms() - start_ms < 30000);
    }
    snprintf(failure, 256, "%s", reply.failure);
    curl_transport_close(transport);
    event_loop_close(loop);
    return reply;
}

static struct reply poll_once(const struct tls_server *server, const char *ca_file,
                              char failure[256])
{
    return poll_host("127.0.0.1", server, ca_file, failure);
}

static void a_server_with_a_known_certificate_is_answered(void **state)
{
    struct tls_server server;
    char failure[256];
    struct reply reply;

    (void)state;
    start_server(&server, "IP:127.0.0.1");
    reply = poll_once(&server, server.certificate, failure);
    assert_string_equal(failure, "");
    assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
    assert_int_equal(reply.http_status, 200);
    stop_server(&server);
}

static void an_unknown_authority_is_not_trusted(void **state)
{
    struct tls_server server;
    char failure[256];

    (void)state;
    start_server(&server, "IP:127.0.0.1");
    assert_int_equal(poll_once(&server, NULL, failure).outcome, TRANSFER_UNTRUSTED);
    assert_non_null(strstr(failure, "certificate"));
    stop_server(&server);
}

static void a_certificate_for_another_host_is_not_trusted(void **state)
{
    struct tls_server server;
    char failure[256];

    (void)state;
    start_server(&server, "DNS:other.example");
    assert_int_equal(poll_once(&server, server.certificate, failure).outcome, TRANSFER_UNTRUSTED);
    assert_string_not_equal(failure, "");
    stop_server(&server);
}

static void an_authority_file_that_is_not_there_is_not_trusted(void **state)
{
    struct tls_server server;
    char failure[256];

    (void)state;
    start_server(&server, "IP:127.0.0.1");
    assert_int_equal(poll_once(&server, "/nonexistent/ca.pem", failure).outcome,
                     TRANSFER_UNTRUSTED);
    stop_server(&server);
}

static void a_certificate_that_is_over_is_not_trusted(void **state)
{
    struct tls_server server;
    char failure[256];

    (void)state;
    make_certificate(&server, "IP:127.0.0.1");
    let_it_expire(&server);
    serve(&server);
    assert_int_equal(poll_once(&server, server.certificate, failure).outcome, TRANSFER_UNTRUSTED);
    assert_non_null(strstr(failure, "expired"));
    stop_server(&server);
}

/* In a child whose /etc/hosts is ours: 0 = as it should be, 77 = cannot be tried here. */
static int poll_a_name_of_this_machine(const struct tls_server *server)
{
    char hosts[128], failure[256];
    FILE *file;

    snprintf(hosts, sizeof hosts, "%s/hosts", server->folder);
    file = fopen(hosts, "we");
    fputs("127.0.0.1 shop.example\n", file);
    fclose(file);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(hosts, "/etc/hosts", NULL, MS_BIND, NULL) != 0) {
        unlink(hosts);
        return 77;
    }
    if (poll_host("shop.example", server, server->certificate, failure).outcome !=
        TRANSFER_UNTRUSTED)
        return 1;
    unlink(hosts);
    return strstr(failure, "leads to 127.0.0.1, which is not a public address") != NULL ? 0 : 2;
}

static void a_public_name_that_leads_to_this_machine_gets_no_byte(void **state)
{
    struct tls_server server;
    int status = -1;
    pid_t child;

    (void)state;
    start_server(&server, "DNS:shop.example");
    child = fork();
    if (child == 0)
        _exit(poll_a_name_of_this_machine(&server));
    assert_int_equal(waitpid(child, &status, 0), child);
    stop_server(&server);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_libcurl_without_tls_or_too_old_is_refused(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(curl_transport_check_library(0x075800, "OpenSSL/3.0.15", &err), ERR_OK);
    assert_int_equal(curl_transport_check_library(0x080c01, "GnuTLS/3.8.4", &err), ERR_OK);
    assert_int_equal(curl_transport_check_library(0x0757ff, "OpenSSL/1.1.1", &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "libcurl 7.87.255 is too old"));
    assert_int_equal(curl_transport_check_library(0x080c01, NULL, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "no TLS"));
    assert_int_equal(curl_transport_check_library(0x080c01, "", &err), ERR_SYSTEM);
    assert_int_equal(curl_transport_check_library(0x075800, "NSS/3.87", &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "NSS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_with_a_known_certificate_is_answered),
        cmocka_unit_test(an_unknown_authority_is_not_trusted),
        cmocka_unit_test(a_certificate_for_another_host_is_not_trusted),
        cmocka_unit_test(an_authority_file_that_is_not_there_is_not_trusted),
        cmocka_unit_test(a_certificate_that_is_over_is_not_trusted),
        cmocka_unit_test(a_public_name_that_leads_to_this_machine_gets_no_byte),
        cmocka_unit_test(a_libcurl_without_tls_or_too_old_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
