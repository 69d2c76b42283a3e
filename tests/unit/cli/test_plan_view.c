#include "purser/cli/plan_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { CONNECTIONS = 23 };

static const struct operation operation = {.method = METHOD_POST, .path = "/products"};
static const struct spec_job jobs[] = {
    {.name = "products", .method = METHOD_POST, .operation = &operation},
    {.name = "left", .method = METHOD_POST, .operation = &operation}};
static const bool left_out[] = {false, true};
static struct spec_connection connections[CONNECTIONS];
static char aliases[CONNECTIONS][8];
static struct comparison_counts counted[CONNECTIONS];
static struct comparison_counts *counts[] = {counted, NULL};
static struct options options;
static struct session session = {.options = &options};
static struct comparison comparison = {.session = &session, .run = 3, .counts = counts};
static struct plan_load load;
static struct buf out;

static int setup(void **context)
{
    (void)context;
    memset(counted, 0, sizeof counted);
    for (int i = 0; i < CONNECTIONS; i++) {
        (void)snprintf(aliases[i], sizeof aliases[i], "shop-%d", i + 1);
        connections[i] = (struct spec_connection){.alias = aliases[i]};
    }
    options = (struct options){.limit = UINT64_MAX};
    session.spec = (struct spec){.name = "demo",
                                 .jobs = jobs,
                                 .job_count = 1,
                                 .connections = connections,
                                 .connection_count = 1,
                                 .api = {.outstanding = 50}};
    comparison.selection.left_out = NULL;
    load = (struct plan_load){.sends = 7, .rate_millis = 2500};
    buf_init(&out, 1 << 20);
    return 0;
}

static int teardown(void **context)
{
    (void)context;
    buf_deinit(&out);
    return 0;
}

static void has(const char *part)
{
    if (strstr(buf_text(&out), part) == NULL)
        fail_msg("no '%s' in\n%s", part, buf_text(&out));
}

static void estimate_says(int64_t duration_ms, enum estimate_bound bound, const char *text)
{
    load.estimate = (struct estimate){.duration_ms = duration_ms, .bound = bound};
    buf_clear(&out);
    plan_append_table(&comparison, &load, &out);
    has(text);
}

static void what_holds_a_run_up_is_named(void **context)
{
    (void)context;
    estimate_says(2001, ESTIMATE_ALL_RATE,
                  "7 to send: about 3 s, limited by the limit of all requests, 2.5/s\n");
    estimate_says(119000, ESTIMATE_ALL_IN_FLIGHT, "about 119 s, limited by in_flight of all\n");
    estimate_says(119001, ESTIMATE_OUTSTANDING,
                  "about 2 min, limited by outstanding: 50 items at once\n");
    estimate_says(7199000, ESTIMATE_COMMITS,
                  "about 120 min, limited by writes without a key, which begin one at a time\n");
    estimate_says(7200000, ESTIMATE_LANE_RATE,
                  "about 2.0 h, limited by the limit of connection shop-1, 2.5/s\n");
    load.learned = true;
    estimate_says(9000000, ESTIMATE_LANE_RATE,
                  "about 2.5 h, limited by the limit of connection "
                  "shop-1, 2.5/s as learned\n");
    estimate_says(3000, ESTIMATE_LANE_IN_FLIGHT, "limited by in_flight of connection shop-1\n");
    estimate_says(3000, ESTIMATE_CHAIN, "limited by order_by of job products: the longest order\n");
    estimate_says(3000, ESTIMATE_ENDS, "limited by the time until an item is done\n");
}

static void what_is_short_or_nothing_is_held_up_by_nothing(void **context)
{
    (void)context;
    estimate_says(2000, ESTIMATE_ALL_RATE, "7 to send: about 2 s\n");
    estimate_says(9000, ESTIMATE_NOTHING, "7 to send\n");
}

static void what_the_time_rests_on_is_told(void **context)
{
    (void)context;
    load.origin = TIMES_LEARNED;
    load.write_ms = 1500;
    load.job_ms = 2500;
    load.repeats_each = 0.25;
    estimate_says(1, ESTIMATE_ALL_RATE,
                  "  (as in earlier runs: 1.5 s a write, 2.5 s its remote "
                  "job, 25% are sent again)\n");
    load.sends = 0;
    estimate_says(1, ESTIMATE_ALL_RATE, "0 to send: about 1 s\n");
    assert_null(strstr(buf_text(&out), "earlier runs"));
}

static void connections_beyond_the_shown_ones_are_added_up(void **context)
{
    (void)context;
    session.spec.connection_count = CONNECTIONS;
    for (int i = 0; i < CONNECTIONS; i++)
        counted[i].by_action[CONVERGE_ADD] = i == 4 ? 0 : 10;
    estimate_says(1, ESTIMATE_NOTHING,
                  "  on 2 more; --output json has each\n"
                  "        20 add ");
    has("  on shop-4\n        10 add");
    has("  on shop-21\n");
    assert_null(strstr(buf_text(&out), "shop-5\n"));
    assert_null(strstr(buf_text(&out), "shop-22"));
}

static void a_machine_gets_each_connection_and_no_job_that_is_left_out(void **context)
{
    (void)context;
    session.spec.job_count = 2;
    session.spec.connection_count = 2;
    counted[1].by_action[CONVERGE_ADD] = 4;
    counted[1].gone = 1;
    comparison.selection.left_out = left_out;
    load.estimate = (struct estimate){.duration_ms = 3000, .bound = ESTIMATE_ENDS};
    plan_append_json(&comparison, &load, &out);
    has("\"jobs\":[{\"job\":\"products\"");
    has("\"connections\":[{\"connection\":\"shop-2\",");
    has("\"gone\":1,\"to_send\":0}]}],\"dropped\":0");
    has("\"elapsed_ms\":3000,\"limited_by\":\"the time until an item is done\"");
    assert_null(strstr(buf_text(&out), "\"left\""));
    assert_null(strstr(buf_text(&out), "shop-1"));
    /* a job that has had no row */
    comparison.selection.left_out = NULL;
    buf_clear(&out);
    plan_append_json(&comparison, &load, &out);
    has("\"connections\":[]}],\"dropped\":0");
    buf_clear(&out);
    plan_append_table(&comparison, &load, &out);
    has("left  POST /products\n7 to send");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_holds_a_run_up_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_short_or_nothing_is_held_up_by_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_the_time_rests_on_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(connections_beyond_the_shown_ones_are_added_up, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_machine_gets_each_connection_and_no_job_that_is_left_out,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
