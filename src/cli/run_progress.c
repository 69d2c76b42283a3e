#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "purser/base/mem.h"
#include "purser/cli/run.h"

enum { BAR_EVERY_MS = 100, LINE_EVERY_MS = 10000, BAR_CELLS = 24, RATE_OVER_MS = 2000 };

struct progress_line {
    bool quiet, terminal, shown;
    uint64_t total;
    int64_t last_boot_ms;
    int64_t rate_boot_ms; /* start of the stretch that the rate is taken over */
    uint64_t rate_done;
    double items_per_second;
};

/* A dumb terminal shows control sequences as letters. */
static bool is_terminal(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDERR_FILENO) == 1 && kind != NULL && kind[0] != '\0' &&
           strcmp(kind, "dumb") != 0;
}

struct progress_line *progress_line_new(const struct run *run, uint64_t total)
{
    struct progress_line *line = mem_new(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->quiet = run->session->options->quiet;
    line->terminal = is_terminal();
    line->total = total;
    line->last_boot_ms = run->started_boot_ms;
    line->rate_boot_ms = run->started_boot_ms;
    return line;
}

static void measure_rate(struct progress_line *line, uint64_t done, int64_t boot_ms)
{
    int64_t span_ms = boot_ms - line->rate_boot_ms;

    if (span_ms < RATE_OVER_MS && line->items_per_second > 0)
        return;
    line->items_per_second = (double)(done - line->rate_done) * 1000.0 / (double)span_ms;
    if (span_ms >= RATE_OVER_MS) {
        line->rate_boot_ms = boot_ms;
        line->rate_done = done;
    }
}

/* What the run is waiting for, when it is not simply working. */
static void waiting_for(const struct engine_progress *progress, int64_t boot_ms, char *text,
                        size_t size)
{
    text[0] = '\0';
    if (progress->phase == ENGINE_DRAINING)
        (void)snprintf(text, size, ", stopping");
    else if (progress->paused_until_boot_ms > boot_ms)
        (void)snprintf(text, size, ", waiting %lld s: 429",
                       (long long)(progress->paused_until_boot_ms - boot_ms + 999) / 1000);
    else if (progress->parked_connections > 0 && progress->parked_alias != NULL &&
             progress->parked_reason != NULL)
        (void)snprintf(text, size, ", %s is parked: %.60s", progress->parked_alias,
                       progress->parked_reason);
}

static void format_line(const struct progress_line *line, const struct engine_progress *progress,
                        uint64_t finished, int64_t boot_ms, char *text, size_t size)
{
    char bar[BAR_CELLS + 1], waiting[128], eta[32] = "", doubt[40] = "";
    uint64_t cells = line->total == 0 ? 0 : finished * BAR_CELLS / line->total;

    for (uint64_t i = 0; i < BAR_CELLS; i++)
        bar[i] = i < cells ? '#' : '.';
    bar[BAR_CELLS] = '\0';
    waiting_for(progress, boot_ms, waiting, sizeof waiting);
    if (progress->in_doubt > 0)
        (void)snprintf(doubt, sizeof doubt, ", %llu in doubt",
                       (unsigned long long)progress->in_doubt);
    if (line->items_per_second > 0.05 && finished < line->total)
        (void)snprintf(eta, sizeof eta, ", %.0f s left",
                       (double)(line->total - finished) / line->items_per_second);
    (void)snprintf(text, size, "[%s] %llu/%llu, %llu failed%s, %u in flight, %u open, %.0f/s%s%s",
                   bar, (unsigned long long)finished, (unsigned long long)line->total,
                   (unsigned long long)progress->failed, doubt, progress->in_flight,
                   progress->active, line->items_per_second, eta, waiting);
}

void progress_line_show(struct progress_line *line, const struct engine_progress *progress,
                        uint64_t done_before, int64_t boot_ms)
{
    uint64_t done = progress->succeeded + progress->failed + progress->in_doubt;
    struct winsize window;
    char text[512];

    if (line == NULL || line->quiet ||
        boot_ms - line->last_boot_ms < (line->terminal ? BAR_EVERY_MS : LINE_EVERY_MS))
        return;
    line->last_boot_ms = boot_ms;
    measure_rate(line, done, boot_ms);
    format_line(line, progress, done_before + done, boot_ms, text, sizeof text);
    if (!line->terminal) {
        print_talk("purser: %s", text);
        return;
    }
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 &&
        strlen(text) >= window.ws_col)
        text[window.ws_col - 1] = '\0';
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
    line->shown = true;
}

void progress_line_free(struct progress_line *line)
{
    if (line == NULL)
        return;
    if (line->shown)
        fprintf(stderr, "\r\033[K");
    mem_free(line);
}
