#include "purser/cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/err.h"
#include "purser/base/log.h"
#include "purser/base/moment.h"
#include "purser/base/text.h"
#include "purser/cli/command.h"
#include "purser/cli/session.h"

enum {
    GRACE_DEFAULT_MS = 30000,
    OPTION_STATE = 256,
    OPTION_OUTPUT,
    OPTION_VAR,
    OPTION_WHERE,
    OPTION_SHOW,
    OPTION_AS,
    OPTION_CONNECTION,
    OPTION_WATCH,
    OPTION_WAIT,
    OPTION_GRACE,
    OPTION_LIMIT,
    OPTION_CHECK,
    OPTION_AFTER,
    OPTION_ALLOW_PRODUCTION,
    OPTION_VALIDATE,
    OPTION_APPLY_FOUND,
    OPTION_INPUT,
    OPTION_JOB,
    OPTION_ONLY,
    OPTION_CANARY,
    OPTION_PLAN,
    OPTION_SLOT,
    OPTION_SCHEDULED,
    OPTION_FROM,
    OPTION_NOW,
    OPTION_DRY_RUN,
    OPTION_AT_ONCE,
    OPTION_USER,
    OPTION_SYSTEM,
    OPTION_CRONTAB,
    OPTION_PRINT,
    OPTION_RUN,
    OPTION_OFFLINE,
};

struct option_rule {
    const char *name;
    int has_argument;
    int value;
    unsigned allowed; /* 0 = everywhere */
};

static const struct option_rule rules[] = {
    {"help", no_argument, 'h', 0},
    {"state", required_argument, OPTION_STATE, 0},
    {"quiet", no_argument, 'q', 0},
    {"verbose", no_argument, 'v', 0},
    {"output", required_argument, OPTION_OUTPUT, ALLOW_OUTPUT},
    {"var", required_argument, OPTION_VAR, ALLOW_VARIABLES},
    {"where", required_argument, OPTION_WHERE, ALLOW_WHERE | ALLOW_SELECT},
    {"show", required_argument, OPTION_SHOW, ALLOW_SHOW},
    {"as", required_argument, OPTION_AS, ALLOW_AS},
    {"connection", required_argument, OPTION_CONNECTION, ALLOW_CONNECTION},
    {"watch", no_argument, OPTION_WATCH, ALLOW_WATCH},
    {"wait", required_argument, OPTION_WAIT, ALLOW_RUN},
    {"grace", required_argument, OPTION_GRACE, ALLOW_RUN},
    {"limit", required_argument, OPTION_LIMIT, ALLOW_SELECT | ALLOW_INPUT},
    {"check", no_argument, OPTION_CHECK, ALLOW_CHECK},
    {"after", required_argument, OPTION_AFTER, ALLOW_PROBE},
    {"allow-production", no_argument, OPTION_ALLOW_PRODUCTION, ALLOW_PROBE},
    {"validate", required_argument, OPTION_VALIDATE, ALLOW_VALIDATE},
    {"apply-found", no_argument, OPTION_APPLY_FOUND, ALLOW_APPLY_FOUND},
    {"input", required_argument, OPTION_INPUT, ALLOW_INPUT},
    {"job", required_argument, OPTION_JOB, ALLOW_INPUT},
    {"only", required_argument, OPTION_ONLY, ALLOW_SELECT},
    {"canary", required_argument, OPTION_CANARY, ALLOW_SELECT},
    {"plan", required_argument, OPTION_PLAN, ALLOW_PLAN},
    {"slot", required_argument, OPTION_SLOT, ALLOW_SLOT},
    {"scheduled", no_argument, OPTION_SCHEDULED, ALLOW_SCHEDULED},
    {"from", required_argument, OPTION_FROM, ALLOW_NEXT},
    {"now", required_argument, OPTION_NOW, ALLOW_TICK},
    {"dry-run", no_argument, OPTION_DRY_RUN, ALLOW_TICK | ALLOW_UNDO},
    {"at-once", required_argument, OPTION_AT_ONCE, ALLOW_TICK},
    {"user", no_argument, OPTION_USER, ALLOW_INSTALL},
    {"system", no_argument, OPTION_SYSTEM, ALLOW_INSTALL},
    {"crontab", no_argument, OPTION_CRONTAB, ALLOW_INSTALL},
    {"print", no_argument, OPTION_PRINT, ALLOW_INSTALL},
    {"run", required_argument, OPTION_RUN, ALLOW_UNDO},
    {"offline", no_argument, OPTION_OFFLINE, ALLOW_DOCTOR},
};
enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

static int wrong(const char *command, const char *format, const char *text)
{
    char line[256];

    (void)snprintf(line, sizeof line, format, text);
    print_talk("purser %s: %s", command, line);
    print_talk("hint: `purser %s --help` shows examples", command);
    return EXIT_INPUT;
}

static int unknown_option(const char *command, const char *word, unsigned allowed)
{
    const char *names[RULE_COUNT];
    const char *closest;
    size_t count = 0;

    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rules[i].allowed == 0 || (rules[i].allowed & allowed) != 0)
            names[count++] = rules[i].name;
    closest = strncmp(word, "--", 2) == 0 ? text_closest(word + 2, names, count) : NULL;
    print_talk("purser %s: there is no option '%.100s'", command, word);
    if (closest != NULL)
        print_talk("hint: did you mean '--%s'?", closest);
    else
        print_talk("hint: `purser %s --help` lists the options", command);
    return EXIT_INPUT;
}

static bool parse_output(const char *word, enum output_format *format_out)
{
    static const char *const names[] = {[OUTPUT_TABLE] = "table",
                                        [OUTPUT_JSON] = "json",
                                        [OUTPUT_NDJSON] = "ndjson",
                                        [OUTPUT_CSV] = "csv"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], word) == 0) {
            *format_out = (enum output_format)i;
            return true;
        }
    }
    return false;
}

static bool parse_report(const char *word, enum report_format *report_out)
{
    if (strcmp(word, "sarif") == 0)
        *report_out = REPORT_SARIF;
    else if (strcmp(word, "github") == 0)
        *report_out = REPORT_GITHUB;
    else
        return false;
    return true;
}

static bool parse_validation(const char *word, enum validation *validation_out)
{
    static const char *const names[] = {
        [VALIDATE_ERROR] = "error", [VALIDATE_WARN] = "warn", [VALIDATE_OFF] = "off"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], word) == 0) {
            *validation_out = (enum validation)i;
            return true;
        }
    }
    return false;
}

static bool parse_variable(const char *word, struct options *options)
{
    const char *equals = strchr(word, '=');

    if (equals == NULL || equals == word)
        return false;
    options->variables[options->variable_count++] = (struct spec_variable){
        .name = {word, (size_t)(equals - word)}, .value = slice_of(equals + 1)};
    return true;
}

/* Which rows, and how many of them. */
static int apply_time(const char *command, const char *argument, bool *has_out, int64_t *time_out)
{
    if (!moment_parse(slice_of(argument), time_out))
        return wrong(command,
                     "'%.60s' is no time with its zone, as 2026-11-27T05:15:00Z or "
                     "2026-11-27T06:15+01:00",
                     argument);
    *has_out = true;
    return -1;
}

static int apply_count(const char *command, const char *option, uint32_t most, const char *argument,
                       uint32_t *count_out)
{
    uint64_t count;
    char line[128];

    if (text_to_u64(slice_of(argument), &count) && count > 0 && count <= most) {
        *count_out = (uint32_t)count;
        return -1;
    }
    (void)snprintf(line, sizeof line, "%s takes a number from 1 to %u, not '%%.60s'", option, most);
    return wrong(command, line, argument);
}

static int apply_schedule(const char *command, int value, const char *argument,
                          struct schedule_options *schedule)
{
    switch (value) {
    case OPTION_SLOT:
        return apply_time(command, argument, &schedule->has_slot, &schedule->slot_s);
    case OPTION_SCHEDULED:
        schedule->scheduled = true;
        return -1;
    case OPTION_FROM:
    case OPTION_NOW:
        return apply_time(command, argument, &schedule->has_now, &schedule->now_s);
    case OPTION_DRY_RUN:
        schedule->dry_run = true;
        return -1;
    case OPTION_AT_ONCE:
        return apply_count(command, "--at-once", TICK_AT_ONCE_MAX, argument, &schedule->at_once);
    case 'n':
        return apply_count(command, "-n", SCHEDULE_LINES_MAX, argument, &schedule->count);
    case OPTION_USER:
        schedule->target = INSTALL_USER;
        return -1;
    case OPTION_SYSTEM:
        schedule->target = INSTALL_SYSTEM;
        return -1;
    case OPTION_CRONTAB:
        schedule->target = INSTALL_CRONTAB;
        return -1;
    case OPTION_PRINT:
        schedule->print = true;
        return -1;
    default:
        return wrong(command, "the option '%.60s' is not known", argument);
    }
}

static int apply_selection(const char *command, int value, const char *argument,
                           struct options *options)
{
    switch (value) {
    case OPTION_WHERE:
        options->where = argument;
        return -1;
    case OPTION_LIMIT:
        return text_to_u64(slice_of(argument), &options->limit)
                   ? -1
                   : wrong(command, "--limit takes a whole number, not '%.60s'", argument);
    case OPTION_ONLY:
        if (options->only_count == OPTION_ONLY_MAX)
            return wrong(command, "--only is given too often; the last was '%.60s'", argument);
        options->only[options->only_count++] = argument;
        return -1;
    case OPTION_CANARY:
        return apply_count(command, "--canary", CANARY_MAX, argument, &options->canary);
    case OPTION_PLAN:
        options->plan = argument;
        return -1;
    case OPTION_INPUT:
        options->input = argument;
        return -1;
    case OPTION_JOB:
        options->job = argument;
        return -1;
    case OPTION_RUN:
        return text_to_u64(slice_of(argument), &options->run)
                   ? -1
                   : wrong(command, "--run takes the number of a run, not '%.60s'", argument);
    default:
        return apply_schedule(command, value, argument, &options->schedule);
    }
}

static int apply(const char *command, int value, const char *argument, struct options *options)
{
    switch (value) {
    case OPTION_STATE:
        options->state_root = argument;
        return -1;
    case 'q':
        options->quiet = true;
        return -1;
    case 'v':
        log_set_level(log_enabled(LOG_INFO) ? LOG_DEBUG : LOG_INFO);
        return -1;
    case OPTION_OUTPUT:
        options->report = REPORT_NONE;
        return parse_output(argument, &options->output) || parse_report(argument, &options->report)
                   ? -1
                   : wrong(command, "--output takes table, json, ndjson or csv, not '%.60s'",
                           argument);
    case OPTION_VAR:
        if (options->variable_count == OPTION_VARIABLES_MAX)
            return wrong(command, "--var is given too often; the last was '%.60s'", argument);
        return parse_variable(argument, options)
                   ? -1
                   : wrong(command, "--var takes NAME=VALUE, not '%.60s'", argument);
    case OPTION_SHOW:
        options->show = argument;
        return -1;
    case 'o':
        options->directory = argument;
        return -1;
    case OPTION_AS:
        options->as = argument;
        return -1;
    case OPTION_CONNECTION:
        options->connection = argument;
        return -1;
    case OPTION_APPLY_FOUND:
        options->apply_found = true;
        return -1;
    case OPTION_WATCH:
        options->watch = true;
        return -1;
    case OPTION_AFTER:
        options->after = argument;
        return -1;
    case OPTION_ALLOW_PRODUCTION:
        options->allow_production = true;
        return -1;
    case OPTION_CHECK:
        options->check = true;
        return -1;
    case OPTION_OFFLINE:
        options->offline = true;
        return -1;
    case OPTION_WAIT:
        return text_to_duration_ms(slice_of(argument), &options->wait_ms)
                   ? -1
                   : wrong(command, "--wait takes a duration such as 90s or 2h, not '%.60s'",
                           argument);
    case OPTION_GRACE:
        return text_to_duration_ms(slice_of(argument), &options->grace_ms)
                   ? -1
                   : wrong(command, "--grace takes a duration such as 30s, not '%.60s'", argument);
    case OPTION_VALIDATE:
        return parse_validation(argument, &options->validation)
                   ? -1
                   : wrong(command, "--validate takes error, warn or off, not '%.60s'", argument);
    default:
        return apply_selection(command, value, argument, options);
    }
}

/* METHOD PATH, or one of the two in a word. */
static int take_request(const char *command, int count, char **operands, struct options *options)
{
    if (count > 2)
        return wrong(command, "one word too many: '%.60s'", operands[2]);
    if (count == 2)
        options->request_method = operands[0];
    if (count > 0)
        options->request_path = operands[count - 1];
    return -1;
}

static int take_operands(const char *command, int count, char **operands, unsigned allowed,
                         struct options *options)
{
    int most = (allowed & ALLOW_ITEM) != 0 ? 2 : 1;

    if ((allowed & ALLOW_REQUEST) != 0)
        return take_request(command, count, operands, options);
    if ((allowed & ALLOW_OPERANDS) != 0) {
        options->operands = operands;
        options->operand_count = (size_t)count;
    } else if (count > most)
        return wrong(command, "one word too many: '%.60s'", operands[most]);
    if (count == 0 && (allowed & SPEC_OPTIONAL) == 0)
        return wrong(command, "which spec? Give the YAML file%s", "");
    if (count >= 1)
        options->spec_file = operands[0];
    if (count == 2 && (allowed & ALLOW_ITEM) != 0)
        options->item = operands[1];
    if ((allowed & ALLOW_ITEM) != 0 && options->item == NULL)
        return wrong(command, "which item? Give JOB/KEY after the spec%s", "");
    return -1;
}

int options_parse(int argc, char **argv, unsigned allowed, struct options *options_out)
{
    struct option table[RULE_COUNT + 1] = {{0}};
    const char *command = argv[0];
    const char *letters = (allowed & ALLOW_DIRECTORY) != 0 ? ":hqvo:"
                          : (allowed & ALLOW_COUNT) != 0   ? ":hqvn:"
                                                           : ":hqv";
    size_t count = 0;
    int value;

    *options_out =
        (struct options){.wait_ms = INT64_MAX, .grace_ms = GRACE_DEFAULT_MS, .limit = UINT64_MAX};
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rules[i].allowed == 0 || (rules[i].allowed & allowed) != 0)
            table[count++] =
                (struct option){rules[i].name, rules[i].has_argument, NULL, rules[i].value};
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        int status;

        if (value == 'h') {
            fputs(command_find(command)->help, stdout);
            return EXIT_DONE;
        }
        if (value == ':')
            return wrong(command, "'%.60s' needs a value", argv[optind - 1]);
        if (value == '?')
            return unknown_option(command, argv[optind - 1], allowed);
        status = apply(command, value, optarg, options_out);
        if (status != -1)
            return status;
    }
    if (options_out->report != REPORT_NONE && (allowed & ALLOW_REPORT) == 0)
        return wrong(command, "--output %s", "sarif and github are for `purser check` alone");
    return take_operands(command, argc - optind, argv + optind, allowed, options_out);
}
