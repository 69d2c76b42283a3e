/* Command lines: getopt_long under one table of options, so that all commands say the same things
 * in the same way. */
#ifndef PURSER_CLI_OPTIONS_H
#define PURSER_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/codec/spec.h"

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_NDJSON, OUTPUT_CSV };

/* More words for --output, with ALLOW_REPORT. */
enum report_format { REPORT_NONE, REPORT_SARIF, REPORT_GITHUB };

#define OPTION_ONLY_MAX SPEC_JOBS_MAX

enum install_target { INSTALL_USER, INSTALL_SYSTEM, INSTALL_CRONTAB };

/* What the commands about schedules take. */
struct schedule_options {
    bool has_slot, scheduled; /* run --slot TIME, --scheduled */
    int64_t slot_s;
    bool has_now; /* tick --now TIME, next --from TIME */
    int64_t now_s;
    uint32_t count;   /* -n; 0 = as it stands in the help */
    uint32_t at_once; /* tick --at-once N; 0 = as it stands in the help */
    bool dry_run;
    enum install_target target;
    bool print;
};

/* Everything that some command takes; a command says which of them it allows. */
struct options {
    const char *spec_file;      /* first operand; NULL = none */
    const char *item;           /* second operand, JOB/KEY; NULL = none */
    const char *request_method; /* with ALLOW_REQUEST and two operands */
    const char *request_path;   /* with ALLOW_REQUEST: the last operand */
    const char *state_root;
    enum output_format output;
    enum report_format report; /* REPORT_NONE = see `output` */
    bool quiet;
    const char *where;
    const char *show;           /* plan --show JOB/KEY */
    const char *directory;      /* results -o DIR, plan -o FILE */
    const char *as;             /* resolve --as WORD */
    const char *connection;     /* the alias, where a key stands on several connections */
    enum validation validation; /* --validate WORD */
    bool watch;
    bool apply_found;  /* reconcile --apply-found */
    bool check;        /* connections --check */
    bool offline;      /* doctor --offline */
    const char *after; /* probe --after; NULL = as it stands in the help */
    bool allow_production;
    int64_t wait_ms;   /* run --wait; INT64_MAX = no limit */
    int64_t grace_ms;  /* run --grace */
    uint64_t limit;    /* --limit; UINT64_MAX = no limit */
    uint32_t canary;   /* --canary; 0 = none */
    const char *plan;  /* run --plan FILE */
    uint64_t run;      /* undo --run N; 0 = none */
    const char *input; /* retry --input FILE */
    const char *job;   /* retry --job JOB: whose rows they are */
    struct spec_variable variables[OPTION_VARIABLES_MAX];
    size_t variable_count;
    const char *only[OPTION_ONLY_MAX]; /* --only JOB */
    size_t only_count;
    struct schedule_options schedule;
    char *const *operands; /* with ALLOW_OPERANDS: all of them */
    size_t operand_count;
};

/* What a command may allow beside --state, --quiet, -v and --help, which all have. */
#define ALLOW_OUTPUT (1u << 0)
#define ALLOW_VARIABLES (1u << 1)
#define ALLOW_WHERE (1u << 2)
#define ALLOW_SHOW (1u << 3)
#define ALLOW_DIRECTORY (1u << 4)
#define ALLOW_AS (1u << 5)
#define ALLOW_CONNECTION (1u << 6)
#define ALLOW_WATCH (1u << 7)
#define ALLOW_RUN (1u << 8)  /* --wait, --grace */
#define ALLOW_ITEM (1u << 9) /* a second operand, which is then required */
#define SPEC_OPTIONAL (1u << 10)
#define ALLOW_VALIDATE (1u << 12)
#define ALLOW_REQUEST (1u << 11) /* no spec; up to two operands: METHOD PATH, or one word */
#define ALLOW_CHECK (1u << 13)
#define ALLOW_PROBE (1u << 14) /* --after, --allow-production */
#define ALLOW_APPLY_FOUND (1u << 15)
#define ALLOW_INPUT (1u << 20)     /* --input, --job, --limit */
#define ALLOW_SELECT (1u << 21)    /* --only, --where, --limit, --canary */
#define ALLOW_PLAN (1u << 22)      /* --plan */
#define ALLOW_SLOT (1u << 16)      /* --slot */
#define ALLOW_NEXT (1u << 17)      /* --from */
#define ALLOW_TICK (1u << 18)      /* --now, --dry-run, --at-once */
#define ALLOW_INSTALL (1u << 19)   /* --user, --system, --crontab, --print */
#define ALLOW_COUNT (1u << 23)     /* -n */
#define ALLOW_OPERANDS (1u << 24)  /* any number of operands */
#define ALLOW_UNDO (1u << 25)      /* --run N, --dry-run */
#define ALLOW_SCHEDULED (1u << 27) /* --scheduled */
#define ALLOW_DOCTOR (1u << 26)    /* --offline, --json */
#define ALLOW_REPORT (1u << 31)    /* --output sarif, github */

/* Parses. Returns -1 to go on, else the exit status to end with: 0 after --help (printed on
 * stdout), 2 after a message on stderr. */
int options_parse(int argc, char **argv, unsigned allowed, struct options *options_out);

#endif
