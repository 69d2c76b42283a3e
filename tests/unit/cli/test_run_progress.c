#include "purser/cli/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TOTAL = 200 };

static struct options options;
static struct session session = {.options = &options};
static int saved_fd, reader_fd;
static char shown[8192];

/* stderr is `fd` until said(). */
static void redirect(int fd)
{
    saved_fd = dup(STDERR_FILENO);
    assert_true(saved_fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    (void)close(fd);
}

/* What was written there, to its end; stderr is as before. */
static const char *said(void)
{
    size_t length = 0;
    ssize_t got;

    (void)fflush(stderr);
    assert_true(dup2(saved_fd, STDERR_FILENO) >= 0);
    (void)close(saved_fd);
    while ((got = read(reader_fd, shown + length, sizeof shown - 1 - length)) > 0)
        length += (size_t)got;
    shown[length] = '\0';
    (void)close(reader_fd);
    return shown;
}

static void into_a_pipe(void)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    reader_fd = ends[0];
    redirect(ends[1]);
}

static void onto_a_terminal(const char *kind, unsigned short columns)
{
    const struct winsize window = {.ws_row = 24, .ws_col = columns};
    int fd;

    assert_int_equal(kind == NULL ? unsetenv("TERM") : setenv("TERM", kind, 1), 0);
    reader_fd = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(reader_fd >= 0 && grantpt(reader_fd) == 0 && unlockpt(reader_fd) == 0);
    fd = open(ptsname(reader_fd), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0 && ioctl(fd, TIOCSWINSZ, &window) == 0);
    redirect(fd);
}

static struct progress_line *line_of(uint64_t total)
{
    const struct run run = {.session = &session, .started_boot_ms = 1000};
    struct progress_line *line = progress_line_new(&run, total);

    assert_non_null(line);
    return line;
}

static int setup(void **context)
{
    (void)context;
    options = (struct options){.quiet = false};
    return 0;
}

static void without_a_terminal_a_line_comes_every_ten_seconds(void **context)
{
    struct engine_progress progress = {
        .succeeded = 40, .failed = 2, .in_doubt = 8, .in_flight = 3, .active = 150};
    struct progress_line *line;

    (void)context;
    into_a_pipe();
    line = line_of(TOTAL);
    progress_line_show(line, &progress, 50, 10999);
    progress_line_show(line, &progress, 50, 11000);
    progress.in_doubt = 0;
    progress.succeeded = 150;
    progress.failed = 0;
    progress_line_show(line, &progress, 50, 20999);
    progress_line_show(line, &progress, 50, 21000);
    progress_line_free(line);
    assert_string_equal(
        said(), "purser: [############............] 100/200, 2 failed, 8 in doubt, 3 in flight, "
                "150 open, 5/s, 20 s left\n"
                "purser: [########################] 200/200, 0 failed, 3 in flight, 150 open, "
                "10/s\n");
}

static void it_says_what_is_waited_for(void **context)
{
    struct engine_progress progress = {.parked_connections = 1};
    struct progress_line *line;
    const char *text;

    (void)context;
    into_a_pipe();
    line = line_of(0);
    progress_line_show(line, &progress, 0, 11000);
    progress.parked_alias = "shop";
    progress_line_show(line, &progress, 0, 21000);
    progress.parked_reason = "needs_update";
    progress_line_show(line, &progress, 0, 31000);
    progress.paused_until_boot_ms = 42500;
    progress_line_show(line, &progress, 0, 41000);
    progress.phase = ENGINE_DRAINING;
    progress_line_show(line, &progress, 0, 51000);
    progress_line_free(line);
    text = said();
    assert_null(strstr(text, "null"));
    assert_non_null(strstr(text, "0/0, 0 failed, 0 in flight, 0 open, 0/s, shop is parked: "
                                 "needs_update\n"));
    assert_non_null(strstr(text, "0/s, waiting 2 s: 429\n"));
    assert_non_null(strstr(text, "0/s, stopping\n"));
}

static void a_terminal_has_one_line_that_fits_and_is_gone_at_the_end(void **context)
{
    struct engine_progress progress = {.succeeded = 10};
    struct progress_line *line;

    (void)context;
    onto_a_terminal("xterm", 30);
    line = line_of(TOTAL);
    progress_line_show(line, &progress, 0, 1099);
    progress_line_show(line, &progress, 0, 1100);
    progress_line_free(line);
    assert_string_equal(said(), "\r[#.......................] 10\033[K\r\033[K");
}

static void a_terminal_that_does_not_tell_its_width_has_all_of_it(void **context)
{
    struct engine_progress progress = {.succeeded = 10};
    struct progress_line *line;

    (void)context;
    onto_a_terminal("xterm", 0);
    line = line_of(TOTAL);
    progress_line_show(line, &progress, 0, 1100);
    progress_line_show(line, &progress, 0, 1200); /* the rate is still that of 100 ms */
    progress_line_free(line);
    assert_string_equal(said(), "\r[#.......................] 10/200, 0 failed, 0 in flight, "
                                "0 open, 100/s, 2 s left\033[K"
                                "\r[#.......................] 10/200, 0 failed, 0 in flight, "
                                "0 open, 100/s, 2 s left\033[K\r\033[K");
}

static void no_terminal_that_shows_control_sequences_gets_them(void **context)
{
    static const char *const kinds[] = {"dumb", "", NULL};
    struct engine_progress progress = {.succeeded = 10};

    (void)context;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct progress_line *line;

        onto_a_terminal(kinds[i], 80);
        line = line_of(TOTAL);
        progress_line_show(line, &progress, 0, 1100);
        progress_line_show(line, &progress, 0, 11000);
        progress_line_free(line);
        assert_null(strchr(said(), '\033'));
        assert_non_null(strstr(shown, "purser: [#"));
    }
}

static void quiet_is_quiet(void **context)
{
    struct engine_progress progress = {.succeeded = 10};
    struct progress_line *line;

    (void)context;
    options.quiet = true;
    into_a_pipe();
    line = line_of(TOTAL);
    progress_line_show(line, &progress, 0, 100000);
    progress_line_free(line);
    assert_string_equal(said(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_terminal_a_line_comes_every_ten_seconds, setup),
        cmocka_unit_test_setup(it_says_what_is_waited_for, setup),
        cmocka_unit_test_setup(a_terminal_has_one_line_that_fits_and_is_gone_at_the_end, setup),
        cmocka_unit_test_setup(a_terminal_that_does_not_tell_its_width_has_all_of_it, setup),
        cmocka_unit_test_setup(no_terminal_that_shows_control_sequences_gets_them, setup),
        cmocka_unit_test_setup(quiet_is_quiet, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
