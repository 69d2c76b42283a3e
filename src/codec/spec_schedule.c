/* schedule: when `purser schedule tick` runs the spec. */
#include <string.h>

#include "expr_tree.h"
#include "purser/codec/spec_check.h"

/* With if_missed: skip, what could not start in time does not run: this is in time. */
#define SKIP_WINDOW_DEFAULT_MS ((int64_t)10 * 60 * 1000)

enum {
    SCHEDULE_CRON,
    SCHEDULE_TIMEZONE,
    SCHEDULE_IF_RUNNING,
    SCHEDULE_IF_MISSED,
    SCHEDULE_WINDOW,
    SCHEDULE_KEY_COUNT
};

static const struct spec_key schedule_keys[SCHEDULE_KEY_COUNT] = {
    [SCHEDULE_CRON] = {"cron", KINDS_TEXT, true, NULL},
    [SCHEDULE_TIMEZONE] = {"timezone", KINDS_TEXT, false, NULL},
    [SCHEDULE_IF_RUNNING] = {"if_running", KINDS_TEXT, false, NULL},
    [SCHEDULE_IF_MISSED] = {"if_missed", KINDS_TEXT, false, NULL},
    [SCHEDULE_WINDOW] = {"window", KINDS_TEXT, false, NULL},
};

static void read_cron(struct spec_reader *reader, const struct yaml_node *node,
                      struct spec_schedule *schedule)
{
    struct cron_error error;
    struct expr_origin origin;
    struct place place;

    schedule->cron_text = node->text.bytes;
    if (cron_parse(node->text, &schedule->cron, &error))
        return;
    expr_origin_start(&origin, node);
    place = expr_place(&origin, (struct slice){node->text.bytes + error.offset, error.length});
    spec_error(reader, place, "spec.schedule",
               error.help != NULL ? error.help : "minute hour day month weekday: \"15 6 * * 1-5\"",
               "%s", error.problem.text);
}

/* Only a name that can lead nowhere but into the time zone database. Whether it is there is known
 * where files are read. */
static void read_timezone(struct spec_reader *reader, const struct yaml_node *node,
                          struct spec_schedule *schedule)
{
    bool good = node->text.length > 0 && node->text.length <= SPEC_NAME_BYTES_MAX &&
                node->text.bytes[0] != '/';

    for (size_t i = 0; good && i < node->text.length; i++) {
        char byte = node->text.bytes[i];

        good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || strchr("_+-/", byte) != NULL;
    }
    if (!good) {
        spec_error(reader, node->place, "spec.time_zone",
                   "a name as Europe/Berlin, or leave it out for UTC",
                   "'%s' is no name of a time zone", node->text.bytes);
        return;
    }
    schedule->timezone = node->text.bytes;
    schedule->timezone_place = node->place;
}

void spec_read_schedule(struct spec_reader *reader, const struct yaml_node *node)
{
    static const char *const running[] = {[IF_RUNNING_SKIP] = "skip", [IF_RUNNING_WAIT] = "wait"};
    static const char *const missed[] = {[IF_MISSED_RUN_ONCE] = "run_once",
                                         [IF_MISSED_SKIP] = "skip",
                                         [IF_MISSED_RUN_ALL] = "run_all"};
    struct spec_schedule *schedule = &reader->spec->schedule;
    const struct yaml_node *found[SCHEDULE_KEY_COUNT];
    int64_t window_ms = INT64_MAX;
    unsigned word;

    if (!spec_read_map(reader, node, "schedule", schedule_keys, SCHEDULE_KEY_COUNT, found))
        return;
    schedule->timezone = "UTC";
    if (found[SCHEDULE_CRON] != NULL)
        read_cron(reader, found[SCHEDULE_CRON], schedule);
    if (found[SCHEDULE_TIMEZONE] != NULL)
        read_timezone(reader, found[SCHEDULE_TIMEZONE], schedule);
    if (found[SCHEDULE_IF_RUNNING] != NULL &&
        spec_read_word(reader, found[SCHEDULE_IF_RUNNING], "if_running", running, 2, &word))
        schedule->policy.if_running = (enum if_running)word;
    if (found[SCHEDULE_IF_MISSED] != NULL &&
        spec_read_word(reader, found[SCHEDULE_IF_MISSED], "if_missed", missed, 3, &word))
        schedule->policy.if_missed = (enum if_missed)word;
    if (schedule->policy.if_missed == IF_MISSED_SKIP)
        window_ms = SKIP_WINDOW_DEFAULT_MS;
    if (found[SCHEDULE_WINDOW] != NULL)
        spec_read_duration(reader, found[SCHEDULE_WINDOW], "window", 60 * 1000,
                           SCHEDULE_WINDOW_MAX_MS, &window_ms);
    schedule->policy.window_s = window_ms == INT64_MAX ? INT64_MAX : window_ms / 1000;
}
