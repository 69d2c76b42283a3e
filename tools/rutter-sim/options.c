#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: rutter-sim [OPTION]... A server on 127.0.0.1 that behaves like the Rutter\n"
    "API, with faults on demand. Prints its address as one line on standard output\n"
    "and runs until SIGTERM or SIGINT.\n\n"
    "      --port PORT           port to listen on; 0 takes a free one (default 0)\n"
    "      --seed N              number that decides ids and faults (default 1)\n"
    "      --profile NAME        clean, realistic or hostile (default clean)\n"
    "      --latency MS[-MS]     time before each answer (default 0; realistic 5-40)\n"
    "      --job-time MS[-MS]    time a job takes (default 0; realistic, hostile\n"
    "                            50-800)\n"
    "      --key-retention TIME  how long keys are remembered: 500ms, 24h (default:\n"
    "                            for ever)\n"
    "      --read-lag MS         how far list reads are behind what was done (default\n"
    "                            0)\n"
    "      --sync-wait MS        how long prefer_sync waits for its job (default\n"
    "                            30000)\n"
    "      --rate-limit RATE     of the organisation, else 429: 500/10s, 50/s,\n"
    "                            unlimited (default unlimited; realistic, hostile\n"
    "                            500/10s)\n"
    "      --platform-limit RATE of each connection's writes, else 452\n"
    "                            (default unlimited)\n"
    "      --client-id ID        default $RUTTER_CLIENT_ID, else sim-client\n"
    "      --client-secret TEXT  default $RUTTER_CLIENT_SECRET, else sim-secret\n"
    "      --access-token TOKEN  accept only this one (may be repeated); default any\n"
    "                            UUID, each a connection of its own\n"
    "      --any-token           accept every access token, UUID or not\n"
    "      --tls-cert FILE       certificate chain (PEM); with --tls-key serves HTTPS\n"
    "                            and HTTP/2\n"
    "      --tls-key FILE        its key (PEM)\n"
    "      --foreign-origin URL  where redirects and foreign addresses lead\n"
    "                            (default https://jobs.rutter.example)\n"
    "      --clock-skew TIME     how far the Date header is ahead; -2h: behind\n"
    "                            (default 0s)\n"
    "      --ledger FILE         append every request and effect to FILE as NDJSON\n"
    "      --world FILE          remember keys, jobs, entities and connections in\n"
    "                            FILE: read at the start, written at the end\n"
    "      --no-echo             forget bodies once checked (for very large runs)\n"
    "      --exit-with-parent    end when the process that started it ends\n"
    "      --outcomes            list the outcomes for sim:NAME and /_sim/fail\n"
    "      --help, --version\n";

enum option_code {
    OPTION_PORT = 256,
    OPTION_SEED,
    OPTION_PROFILE,
    OPTION_LATENCY,
    OPTION_JOB_TIME,
    OPTION_SYNC_WAIT,
    OPTION_READ_LAG,
    OPTION_KEY_RETENTION,
    OPTION_RATE_LIMIT,
    OPTION_PLATFORM_LIMIT,
    OPTION_CLIENT_ID,
    OPTION_CLIENT_SECRET,
    OPTION_ACCESS_TOKEN,
    OPTION_ANY_TOKEN,
    OPTION_TLS_CERT,
    OPTION_TLS_KEY,
    OPTION_FOREIGN_ORIGIN,
    OPTION_CLOCK_SKEW,
    OPTION_LEDGER,
    OPTION_WORLD,
    OPTION_NO_ECHO,
    OPTION_EXIT_WITH_PARENT,
    OPTION_OUTCOMES,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, OPTION_PORT},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"latency", required_argument, NULL, OPTION_LATENCY},
    {"job-time", required_argument, NULL, OPTION_JOB_TIME},
    {"key-retention", required_argument, NULL, OPTION_KEY_RETENTION},
    {"read-lag", required_argument, NULL, OPTION_READ_LAG},
    {"sync-wait", required_argument, NULL, OPTION_SYNC_WAIT},
    {"rate-limit", required_argument, NULL, OPTION_RATE_LIMIT},
    {"platform-limit", required_argument, NULL, OPTION_PLATFORM_LIMIT},
    {"client-id", required_argument, NULL, OPTION_CLIENT_ID},
    {"client-secret", required_argument, NULL, OPTION_CLIENT_SECRET},
    {"access-token", required_argument, NULL, OPTION_ACCESS_TOKEN},
    {"any-token", no_argument, NULL, OPTION_ANY_TOKEN},
    {"tls-cert", required_argument, NULL, OPTION_TLS_CERT},
    {"tls-key", required_argument, NULL, OPTION_TLS_KEY},
    {"foreign-origin", required_argument, NULL, OPTION_FOREIGN_ORIGIN},
    {"clock-skew", required_argument, NULL, OPTION_CLOCK_SKEW},
    {"ledger", required_argument, NULL, OPTION_LEDGER},
    {"world", required_argument, NULL, OPTION_WORLD},
    {"no-echo", no_argument, NULL, OPTION_NO_ECHO},
    {"exit-with-parent", no_argument, NULL, OPTION_EXIT_WITH_PARENT},
    {"outcomes", no_argument, NULL, OPTION_OUTCOMES},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0}};

static _Noreturn void refuse(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "rutter-sim: --%s %s: %s\n", option, value, wanted);
    exit(2);
}

static uint64_t read_number(const char *option, const char *value, uint64_t maximum)
{
    uint64_t number = 0;

    if (!slice_to_number(slice_of(value), maximum, &number))
        refuse(option, value, "a whole number was expected, or it is too large");
    return number;
}

static void read_range(const char *option, const char *value, int64_t range_out[2])
{
    const char *dash = strchr(value, '-');
    size_t length = dash == NULL ? strlen(value) : (size_t)(dash - value);
    uint64_t least = 0, most = 0;

    if (!slice_to_number((struct slice){value, length}, 86400000, &least))
        refuse(option, value, "milliseconds were expected: 50 or 50-800");
    most = least;
    if (dash != NULL && (!slice_to_number(slice_of(dash + 1), 86400000, &most) || most < least))
        refuse(option, value, "milliseconds were expected: 50 or 50-800");
    range_out[0] = (int64_t)least;
    range_out[1] = (int64_t)most;
}

static int64_t read_duration(const char *option, const char *value)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = strspn(value, "0123456789");
    uint64_t number = 0;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(value + digits, units[i].unit) == 0 &&
            slice_to_number((struct slice){value, digits}, 1000000000, &number))
            return (int64_t)number * units[i].ms;
    refuse(option, value, "a duration was expected: 500ms, 30s, 24h");
}

static void read_rate(const char *option, const char *value, struct limit_rule *rule_out)
{
    if (!limit_rule_from_text(slice_of(value), rule_out))
        refuse(option, value, "500/10s, 50/s or unlimited was expected");
}

static void add_token(struct options *options, const char *value)
{
    if (options->token_count == OPTIONS_TOKENS_MAX)
        refuse("access-token", "...", "at most 64 tokens");
    options->tokens[options->token_count++] = slice_of(value);
}

static void print_outcomes(void)
{
    static const char *const stages[] = {[STAGE_REFUSE] = "refused, no job, no effect",
                                         [STAGE_BEFORE] = "not acted on, connection fault",
                                         [STAGE_AFTER] = "acted on, answer changed or lost",
                                         [STAGE_JOB] = "accepted, then in the job",
                                         [STAGE_POLL] = "answer to a poll"};

    for (size_t i = 0; outcome_at(i) != NULL; i++)
        printf("%-20s %s%s\n", outcome_at(i)->name, stages[outcome_at(i)->stage],
               outcome_at(i)->once ? " (first time only)" : "");
}

/* The values that depend on the profile, where no option has set them. */
static void fill_defaults(struct options *options, bool latency, bool job_time, bool rate)
{
    bool is_clean = options->profile == PROFILE_CLEAN;

    if (!latency && options->profile == PROFILE_REALISTIC) {
        options->latency_ms[0] = 5;
        options->latency_ms[1] = 40;
    }
    if (!job_time && !is_clean) {
        options->job_time_ms[0] = 50;
        options->job_time_ms[1] = 800;
    }
    if (!rate && !is_clean)
        options->organisation_limit = (struct limit_rule){500, 10000};
}

static struct slice from_environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return slice_of(value != NULL && value[0] != '\0' ? value : otherwise);
}

/* The options that ask for a text, and those that nobody knows. */
static _Noreturn void print_and_exit(int code)
{
    if (code == OPTION_OUTCOMES) {
        print_outcomes();
    } else if (code == OPTION_HELP || code == 'h') {
        fputs(usage, stdout);
    } else if (code == OPTION_VERSION) {
        puts("rutter-sim " RUTTER_SIM_VERSION);
    } else {
        fputs("rutter-sim: see rutter-sim --help\n", stderr);
        exit(2);
    }
    exit(0);
}

/* The options whose value is taken as it stands. False: `code` is none of them. */
static bool read_text(int code, const char *value, struct options *options)
{
    switch (code) {
    case OPTION_CLIENT_ID:
        options->client_id = slice_of(value);
        return true;
    case OPTION_CLIENT_SECRET:
        options->client_secret = slice_of(value);
        return true;
    case OPTION_ACCESS_TOKEN:
        add_token(options, value);
        return true;
    case OPTION_TLS_CERT:
        options->tls_cert = value;
        return true;
    case OPTION_TLS_KEY:
        options->tls_key = value;
        return true;
    case OPTION_FOREIGN_ORIGIN:
        options->foreign_origin = value;
        return true;
    case OPTION_LEDGER:
        options->ledger_file = value;
        return true;
    case OPTION_WORLD:
        options->world_file = value;
        return true;
    default:
        return false;
    }
}

void options_read(int argc, char **argv, struct options *options)
{
    bool latency = false, job_time = false, rate = false;
    int code, place;

    *options = (struct options){
        .seed = 1, .sync_wait_ms = 30000, .foreign_origin = "https://jobs.rutter.example"};
    options->client_id = from_environment("RUTTER_CLIENT_ID", "sim-client");
    options->client_secret = from_environment("RUTTER_CLIENT_SECRET", "sim-secret");
    while ((code = getopt_long(argc, argv, "h", long_options, &place)) != -1) {
        switch (code) {
        case OPTION_PORT:
            options->port = (uint16_t)read_number("port", optarg, 65535);
            break;
        case OPTION_SEED:
            options->seed = read_number("seed", optarg, INT64_MAX);
            break;
        case OPTION_PROFILE:
            if (!profile_from_text(slice_of(optarg), &options->profile))
                refuse("profile", optarg, "clean, realistic or hostile was expected");
            break;
        case OPTION_LATENCY:
            read_range("latency", optarg, options->latency_ms);
            latency = true;
            break;
        case OPTION_JOB_TIME:
            read_range("job-time", optarg, options->job_time_ms);
            job_time = true;
            break;
        case OPTION_CLOCK_SKEW:
            options->clock_skew_ms = optarg[0] == '-' ? -read_duration("clock-skew", optarg + 1)
                                                      : read_duration("clock-skew", optarg);
            break;
        case OPTION_KEY_RETENTION:
            options->key_retention_ms = read_duration("key-retention", optarg);
            break;
        case OPTION_READ_LAG:
            options->read_lag_ms = (int64_t)read_number("read-lag", optarg, 86400000);
            break;
        case OPTION_SYNC_WAIT:
            options->sync_wait_ms = (int64_t)read_number("sync-wait", optarg, 86400000);
            break;
        case OPTION_RATE_LIMIT:
            read_rate("rate-limit", optarg, &options->organisation_limit);
            rate = true;
            break;
        case OPTION_PLATFORM_LIMIT:
            read_rate("platform-limit", optarg, &options->platform_limit);
            break;
        case OPTION_ANY_TOKEN:
            options->any_token = true;
            break;
        case OPTION_NO_ECHO:
            options->no_echo = true;
            break;
        case OPTION_EXIT_WITH_PARENT:
            options->exit_with_parent = true;
            break;
        default:
            if (!read_text(code, optarg, options))
                print_and_exit(code);
        }
    }
    if (optind < argc)
        refuse("", argv[optind], "unexpected argument; see rutter-sim --help");
    if ((options->tls_cert == NULL) != (options->tls_key == NULL))
        refuse("tls-cert", "", "--tls-cert and --tls-key go together");
    fill_defaults(options, latency, job_time, rate);
}
