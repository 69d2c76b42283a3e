#include "purser/io/credentials.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"

struct fixture {
    char folder[64], path[128];
    struct spec_connection connection;
    struct spec spec;
    struct credentials credentials;
    struct diagnostics diagnostics;
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof fixture);
    snprintf(fixture.folder, sizeof fixture.folder, "/tmp/purser-credentials-XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    snprintf(fixture.path, sizeof fixture.path, "%s/token", fixture.folder);
    setenv("TEST_ID", "the-id", 1);
    setenv("TEST_SECRET", "the+secret", 1);
    setenv("TEST_TOKEN", "the/token", 1);
    unsetenv("TEST_MISSING");
    unsetenv("CREDENTIALS_DIRECTORY");
    fixture.connection = (struct spec_connection){
        .alias = "shop", .access_token = {.kind = SECRET_ENV, .name = "TEST_TOKEN"}};
    fixture.spec = (struct spec){
        .api = {.environment = ENVIRONMENT_PRODUCTION,
                .client_id = {.kind = SECRET_ENV, .name = "TEST_ID", .place = {.line = 4}},
                .client_secret = {.kind = SECRET_ENV, .name = "TEST_SECRET", .place = {.line = 5}}},
        .connections = &fixture.connection,
        .connection_count = 1};
    diagnostics_init(&fixture.diagnostics);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    unlink(fixture->path);
    rmdir(fixture->folder);
    credentials_wipe(&fixture->credentials);
    diagnostics_deinit(&fixture->diagnostics);
    log_forget();
    assert_int_equal(mem_test_live_count(), 0);
    return 0;
}

static enum err_code load(struct fixture *fixture)
{
    return credentials_load(&fixture->spec, &fixture->credentials, &fixture->diagnostics,
                            &fixture->err);
}

static void write_file(struct fixture *fixture, const char *text, mode_t mode)
{
    int fd = open(fixture->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void refer_to_file(struct fixture *fixture)
{
    fixture->connection.access_token =
        (struct secret_reference){.kind = SECRET_FILE, .name = fixture->path};
}

/* The load fails with this code, and says nothing of the value. */
static void assert_refused(struct fixture *fixture, const char *code, const char *words,
                           const char *value)
{
    struct buf text;

    assert_int_equal(load(fixture), ERR_INPUT);
    assert_null(fixture->credentials.client_id);
    assert_int_equal(fixture->diagnostics.error_count, 1);
    buf_init(&text, 65536);
    diagnostics_print(&fixture->diagnostics, &text);
    assert_non_null(strstr(buf_text(&text), code));
    assert_non_null(strstr(buf_text(&text), words));
    if (value != NULL)
        assert_null(strstr(buf_text(&text), value));
    buf_deinit(&text);
}

static void secrets_come_from_the_environment(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(load(fixture), ERR_OK);
    assert_string_equal(fixture->credentials.client_id, "the-id");
    assert_string_equal(fixture->credentials.client_secret, "the+secret");
    assert_string_equal(fixture->credentials.access_tokens[0], "the/token");
    assert_int_equal(fixture->credentials.connection_count, 1);
}

static void loaded_secrets_are_hidden_in_every_form(void **state)
{
    struct fixture *fixture = *state;
    /* the-id:the+secret */
    char text[] = "the/token the%2Ftoken the+secret the%2Bsecret dGhlLWlkOnRoZStzZWNyZXQ= the-id";

    assert_int_equal(load(fixture), ERR_OK);
    text[log_redact(text, strlen(text))] = '\0';
    assert_string_equal(text, "[secret] [secret] [secret] [secret] [secret]= the-id");
}

static void a_missing_or_empty_variable_is_named(void **state)
{
    struct fixture *fixture = *state;

    fixture->connection.access_token.name = "TEST_MISSING";
    assert_refused(fixture, "credentials.missing",
                   "access token of connection 'shop': environment variable 'TEST_MISSING' is not "
                   "set",
                   NULL);
}

static void an_empty_variable_is_missing(void **state)
{
    struct fixture *fixture = *state;

    setenv("TEST_SECRET", "", 1);
    assert_refused(fixture, "credentials.missing", "client secret", NULL);
}

static void all_that_is_missing_is_said_at_once(void **state)
{
    struct fixture *fixture = *state;

    unsetenv("TEST_ID");
    unsetenv("TEST_SECRET");
    unsetenv("TEST_TOKEN");
    assert_int_equal(load(fixture), ERR_INPUT);
    assert_int_equal(fixture->diagnostics.error_count, 3);
}

static void a_value_that_is_not_visible_ascii_is_refused_and_not_shown(void **state)
{
    struct fixture *fixture = *state;

    setenv("TEST_SECRET", "half secret", 1);
    assert_refused(fixture, "credentials.value", "visible ASCII", "half");
}

static void an_id_with_a_colon_is_refused(void **state)
{
    struct fixture *fixture = *state;

    setenv("TEST_ID", "first:second", 1);
    assert_refused(fixture, "credentials.value", "':'", "first");
}

static void a_file_is_read_without_its_line_break(void **state)
{
    static const char *const texts[] = {"file-token", "file-token\n", "file-token\r\n"};
    struct fixture *fixture = *state;

    refer_to_file(fixture);
    for (int i = 0; i < 3; i++) {
        write_file(fixture, texts[i], 0600);
        assert_int_equal(load(fixture), ERR_OK);
        assert_string_equal(fixture->credentials.access_tokens[0], "file-token");
        credentials_wipe(&fixture->credentials);
    }
}

static void a_file_with_two_lines_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refer_to_file(fixture);
    write_file(fixture, "one-token\n\n", 0600);
    assert_refused(fixture, "credentials.value", "visible ASCII", "one-token");
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refer_to_file(fixture);
    write_file(fixture, "file-token", 0640);
    assert_refused(fixture, "credentials.mode", "can be read by others", "file-token");
}

static void a_pipe_in_place_of_a_file_does_not_hang(void **state)
{
    struct fixture *fixture = *state;

    refer_to_file(fixture);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_refused(fixture, "credentials.file", "not a regular file", NULL);
}

static void a_missing_file_is_named(void **state)
{
    struct fixture *fixture = *state;

    refer_to_file(fixture);
    assert_refused(fixture, "credentials.missing", fixture->path, NULL);
}

static void a_secret_has_a_longest_length(void **state)
{
    struct fixture *fixture = *state;
    char text[4096 + 2];

    memset(text, 'x', sizeof text);
    text[4097] = '\0';
    refer_to_file(fixture);
    text[4096] = '\n';
    write_file(fixture, text, 0600);
    assert_int_equal(load(fixture), ERR_OK);
    assert_int_equal(strlen(fixture->credentials.access_tokens[0]), 4096);
    credentials_wipe(&fixture->credentials);
    text[4096] = 'x';
    write_file(fixture, text, 0600);
    assert_refused(fixture, "credentials.value", "longer than 4096", "xxxx");
}

static void a_credential_of_the_service_manager_is_found_by_its_name(void **state)
{
    struct fixture *fixture = *state;

    setenv("CREDENTIALS_DIRECTORY", fixture->folder, 1);
    write_file(fixture, "unit-token", 0440);
    fixture->connection.access_token =
        (struct secret_reference){.kind = SECRET_CREDENTIAL, .name = "token"};
    assert_int_equal(load(fixture), ERR_OK);
    assert_string_equal(fixture->credentials.access_tokens[0], "unit-token");
}

static void a_credential_is_a_name_and_no_path(void **state)
{
    struct fixture *fixture = *state;

    setenv("CREDENTIALS_DIRECTORY", fixture->folder, 1);
    fixture->connection.access_token =
        (struct secret_reference){.kind = SECRET_CREDENTIAL, .name = "../token"};
    assert_refused(fixture, "credentials.name", "is a path", NULL);
}

static void a_credential_without_a_service_manager_is_explained(void **state)
{
    struct fixture *fixture = *state;

    fixture->connection.access_token =
        (struct secret_reference){.kind = SECRET_CREDENTIAL, .name = "token"};
    assert_refused(fixture, "credentials.missing", "CREDENTIALS_DIRECTORY is not set", NULL);
}

static void the_simulator_needs_no_secrets(void **state)
{
    struct fixture *fixture = *state;
    char first[64];

    unsetenv("TEST_ID");
    unsetenv("TEST_SECRET");
    fixture->spec.api.environment = ENVIRONMENT_SIMULATOR;
    fixture->connection.access_token.name = NULL;
    assert_int_equal(load(fixture), ERR_OK);
    assert_string_equal(fixture->credentials.client_id, "sim-client");
    assert_string_equal(fixture->credentials.client_secret, "sim-secret");
    assert_int_equal(strlen(fixture->credentials.access_tokens[0]), 36);
    snprintf(first, sizeof first, "%s", fixture->credentials.access_tokens[0]);
    credentials_wipe(&fixture->credentials);
    assert_int_equal(load(fixture), ERR_OK);
    assert_string_equal(fixture->credentials.access_tokens[0], first);
    credentials_wipe(&fixture->credentials);
    fixture->connection.alias = "another";
    assert_int_equal(load(fixture), ERR_OK);
    assert_string_not_equal(fixture->credentials.access_tokens[0], first);
}

static void the_simulator_takes_secrets_that_are_there(void **state)
{
    struct fixture *fixture = *state;

    fixture->spec.api.environment = ENVIRONMENT_SIMULATOR;
    assert_int_equal(load(fixture), ERR_OK);
    assert_string_equal(fixture->credentials.access_tokens[0], "the/token");
}

static void no_memory_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    enum err_code code = ERR_NO_MEMORY;

    for (int64_t nth = 0; code != ERR_OK; nth++) {
        mem_test_fail(nth, 0);
        code = load(fixture);
        mem_test_fail(-1, 0);
        assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
        log_forget();
        if (code != ERR_OK)
            assert_int_equal(mem_test_live_count(), 0);
    }
}

static void the_process_leaves_no_core(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct rlimit limit;

        credentials_protect_process();
        _exit(getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 ||
              prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(secrets_come_from_the_environment),
        TEST(loaded_secrets_are_hidden_in_every_form),
        TEST(a_missing_or_empty_variable_is_named),
        TEST(an_empty_variable_is_missing),
        TEST(all_that_is_missing_is_said_at_once),
        TEST(a_value_that_is_not_visible_ascii_is_refused_and_not_shown),
        TEST(an_id_with_a_colon_is_refused),
        TEST(a_file_is_read_without_its_line_break),
        TEST(a_file_with_two_lines_is_refused),
        TEST(a_file_that_others_can_read_is_refused),
        TEST(a_pipe_in_place_of_a_file_does_not_hang),
        TEST(a_missing_file_is_named),
        TEST(a_secret_has_a_longest_length),
        TEST(a_credential_of_the_service_manager_is_found_by_its_name),
        TEST(a_credential_is_a_name_and_no_path),
        TEST(a_credential_without_a_service_manager_is_explained),
        TEST(the_simulator_needs_no_secrets),
        TEST(the_simulator_takes_secrets_that_are_there),
        TEST(no_memory_leaves_nothing),
        TEST(the_process_leaves_no_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
