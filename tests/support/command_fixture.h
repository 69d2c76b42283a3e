/* Commands as command_run() runs them, with what they print; COMMAND_TEST(name) in the list of
 * tests. No process and no descriptor is left by any of them. */
#ifndef PURSER_TESTS_COMMAND_FIXTURE_H
#define PURSER_TESTS_COMMAND_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/buf.h"
#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/io/command.h"

static struct buf out, passed_on; /* its standard output; what came to standard error of it */
static struct err err;
static struct command_end end;
static int64_t live_before;
static int lowest_free_before;

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

static int set_up(void **state)
{
    (void)state;
    live_before = mem_test_live_count();
    lowest_free_before = lowest_free_descriptor();
    memset(&err, 0, sizeof err);
    memset(&end, 0xff, sizeof end);
    buf_init(&out, 1024 * 1024);
    buf_init(&passed_on, 64 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_deinit(&out);
    buf_deinit(&passed_on);
    log_forget();
    assert_int_equal(mem_test_live_count(), live_before);
    assert_int_equal(lowest_free_descriptor(), lowest_free_before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return 0;
}

static inline enum err_code take(void *context, const char *bytes, size_t length,
                                 struct err *sink_err)
{
    (void)sink_err;
    buf_append(context, bytes, length);
    return ERR_OK;
}

/* Runs it with standard error going into a file, which is then in passed_on. */
static enum err_code run_to(const char *const *arguments, const char *const *hidden,
                            const struct byte_sink *sink, int64_t timeout_ms)
{
    char name[] = "/tmp/purser-test-XXXXXX", bytes[4096];
    int file = mkstemp(name), kept = dup(STDERR_FILENO);
    enum err_code code;
    ssize_t count;

    assert_int_not_equal(file, -1);
    unlink(name);
    assert_int_not_equal(dup2(file, STDERR_FILENO), -1);
    code = command_run(
        &(struct command){
            .arguments = arguments, .folder = "/", .hidden = hidden, .timeout_ms = timeout_ms},
        sink, &end, &err);
    assert_int_not_equal(dup2(kept, STDERR_FILENO), -1);
    close(kept);
    lseek(file, 0, SEEK_SET);
    buf_clear(&passed_on);
    while ((count = read(file, bytes, sizeof bytes)) > 0)
        buf_append(&passed_on, bytes, (size_t)count);
    close(file);
    return code;
}

static inline enum err_code run(const char *script)
{
    const char *const arguments[] = {"sh", "-c", script, NULL};
    const struct byte_sink sink = {take, &out};

    buf_clear(&out);
    return run_to(arguments, NULL, &sink, 60000);
}

#define COMMAND_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
