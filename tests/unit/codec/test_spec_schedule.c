#include "spec_fixture.h"

static void schedule_is_read(void **state)
{
    const struct spec_schedule *schedule =
        &loaded(HEAD CONNECTIONS JOBS "schedule:\n"
                                      "  cron: \"15 6 * * 1-5\"\n"
                                      "  timezone: Europe/Berlin\n"
                                      "  if_running: wait\n"
                                      "  if_missed: run_all\n"
                                      "  window: 2h\n")
             ->schedule;

    (void)state;
    assert_string_equal(schedule->cron_text, "15 6 * * 1-5");
    assert_int_equal(schedule->cron.hours, 1 << 6);
    assert_string_equal(schedule->timezone, "Europe/Berlin");
    assert_int_equal(schedule->timezone_place.line, 12);
    assert_int_equal(schedule->policy.if_running, IF_RUNNING_WAIT);
    assert_int_equal(schedule->policy.if_missed, IF_MISSED_RUN_ALL);
    assert_true(schedule->policy.window_s == 7200);
}

static void what_is_not_said_has_a_default(void **state)
{
    const struct spec_schedule *schedule;

    (void)state;
    assert_null(loaded(HEAD CONNECTIONS JOBS)->schedule.cron_text);
    schedule = &loaded(HEAD CONNECTIONS JOBS "schedule: { cron: \"@daily\" }\n")->schedule;
    assert_string_equal(schedule->timezone, "UTC");
    assert_int_equal(schedule->policy.if_running, IF_RUNNING_SKIP);
    assert_int_equal(schedule->policy.if_missed, IF_MISSED_RUN_ONCE);
    assert_true(schedule->policy.window_s == INT64_MAX);
    schedule = &loaded(HEAD CONNECTIONS JOBS "schedule: { cron: \"@daily\", if_missed: skip }\n")
                    ->schedule;
    assert_true(schedule->policy.window_s == 600);
}

static void what_is_wrong_is_shown_inside_the_expression(void **state)
{
    static const struct {
        const char *part, *message;
    } cases[] = {
        {"schedule: \"@daily\"\n", "t.yaml:3:11: error: 'schedule' is text, must be a map"},
        {"schedule: { timezone: UTC }\n", "t.yaml:3:11: error: 'cron' is missing in schedule"},
        {"schedule: { cron: \"@daily\", zone: UTC }\n",
         "t.yaml:3:29: error: unknown key 'zone' in schedule"},
        {"schedule: { cron: 15 }\n", "t.yaml:3:19: error: 'cron' is a whole number, must be text"},
        {"schedule: { cron: \"15 26 * * 1-5\" }\n",
         "t.yaml:3:23: error: the hour is 26, must be from 0 to 23   [spec.schedule]\n"
         "      help: minute hour day month weekday: \"15 6 * * 1-5\""},
        {"schedule:\n  cron: 15 6 31 2 *\n",
         "t.yaml:4:14: error: this never comes: none of these months has such a day"},
        {"schedule:\n  cron: '15 6 * *'\n",
         "t.yaml:4:18: error: the weekday is missing   [spec.schedule]"},
        {"schedule:\n  cron: >\n    15 6\n    * jum *\n",
         "t.yaml:6:7: error: there is no month 'jum'   [spec.schedule]"},
        {"schedule: { cron: \"@daily\", timezone: ../passwd }\n",
         "t.yaml:3:39: error: '../passwd' is no name of a time zone   [spec.time_zone]"},
        {"schedule: { cron: \"@daily\", if_running: kill }\n",
         "t.yaml:3:41: error: if_running is 'kill', must be one of: skip, wait"},
        {"schedule: { cron: \"@daily\", if_missed: all }\n",
         "t.yaml:3:40: error: if_missed is 'all', must be one of: run_once, skip, run_all"},
        {"schedule: { cron: \"@daily\", window: 30s }\n",
         "t.yaml:3:37: error: window is 30s, must be from 1m to 366d"},
    };
    char yaml[1024];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)snprintf(yaml, sizeof yaml, "%s%s%s", HEAD, cases[i].part, CONNECTIONS JOBS);
        assert_refused(yaml, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(schedule_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_said_has_a_default, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_shown_inside_the_expression, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
