/* Every stated maximum of size, depth and count in one place. Each has a test at and above it. */
#ifndef PURSER_CORE_LIMITS_H
#define PURSER_CORE_LIMITS_H

/* spec */
#define SPEC_BYTES_MAX (4u * 1024 * 1024)
#define SPEC_DEPTH_MAX 64
#define SPEC_NODES_MAX 100000 /* after aliases are expanded */
#define SPEC_ANCHORS_MAX 1000
#define SPEC_JOBS_MAX 256
#define SPEC_CONNECTIONS_MAX 4096
#define SPEC_NAME_BYTES_MAX 63
#define SPEC_ARENA_BYTES_MAX (256u * 1024 * 1024)
#define EXPRESSION_DEPTH_MAX 32       /* parentheses and the like in one another */
#define EXPRESSION_TREE_DEPTH_MAX 256 /* operators and filters in a row */
#define TIME_ZONE_BYTES_MAX (64u * 1024)
#define LOOPS_MAX 8 /* $for in $for */
#define KEY_WINDOW_MAX_MS (7LL * 24 * 60 * 60 * 1000)
#define DECIMAL_PLACES_MAX 30    /* of a result */
#define DECIMAL_EXPONENT_MAX 400 /* written out */

/* credentials */
#define SECRET_BYTES_MAX 4096

/* command line */
#define OPTION_VARIABLES_MAX 64 /* --var */
#define CANARY_MAX 1000000
#define WHERE_TERMS_MAX 16
#define PROBE_REPEATS_MAX 16

/* schedules */
#define TICK_SPECS_MAX 1000
#define TICK_AT_ONCE_MAX 64
#define SCHEDULE_LINES_MAX 10000 /* of next and log */
#define SCHEDULE_WINDOW_MAX_MS (366LL * 24 * 60 * 60 * 1000)

/* sources */
#define ROW_BYTES_MAX (16u * 1024 * 1024)
#define ROW_COLUMNS_MAX 4096
#define GROUP_ROWS_MAX 100000
#define UNIT_ARENA_BYTES_MAX (256u * 1024 * 1024)
#define JSON_DEPTH_MAX 64
#define JSON_PATH_DEPTH_MAX 8  /* members named by at: */
#define SOURCE_FILES_MAX 10000 /* that one pattern may name */
#define SKIP_LINES_MAX 1000000
#define COMMAND_ARGUMENTS_MAX 1000
#define COMMAND_TIMEOUT_MAX_MS (7LL * 24 * 60 * 60 * 1000)

/* items */
#define ROW_KEY_BYTES_MAX 300
#define ITEM_KEY_BYTES_MAX                                                 \
    (ROW_KEY_BYTES_MAX + 12) /* that of an undo has a generation behind it \
                              */
#define BODY_BYTES_MAX (16u * 1024 * 1024)
#define PATH_BYTES_MAX 2048
#define REMOTE_JOB_BYTES_MAX 128
#define REQUEST_ID_BYTES_MAX 128 /* longer ones are cut */
#define SOURCE_FILE_BYTES_MAX 4096
#define ERROR_CODE_BYTES_MAX 64
#define ERROR_MESSAGE_BYTES_MAX 1024
#define NEEDS_MAX 16           /* of one item */
#define ATTEMPTS_KEPT_MAX 1000 /* an item */
#define RULE_NAME_BYTES_MAX 64

/* wire */
#define URL_BYTES_MAX 511 /* of the API, and of a response_url */
#define API_VERSION_BYTES_MAX 64
#define IDEMPOTENCY_KEY_BYTES_MAX 100
#define INFORMATIONAL_ANSWERS_MAX 32 /* 1xx before the real answer */
#define ANSWER_BYTES_MAX (4u * 1024 * 1024)
#define ANSWER_HEADER_BYTES_MAX (64u * 1024)
#define IN_FLIGHT_MAX 1024
#define OUTSTANDING_MAX 100000 /* sent and not final, over all connections */
#define RETRY_AFTER_MAX_MS (60 * 60 * 1000)
#define LINK_URL_BYTES_MAX 2048 /* a longer link for the merchant is not shown */

/* look-ups: reconcile */
#define RECONCILE_PAGES_MAX 20
#define RECONCILE_ITEMS_MAX 32 /* asked about at a time */
#define CURSOR_BYTES_MAX 1024

/* API description: api.openapi */
#define OPENAPI_BYTES_MAX (16u * 1024 * 1024)
#define OPENAPI_ARENA_BYTES_MAX (512u * 1024 * 1024)
#define OPENAPI_OPERATIONS_MAX 10000
#define SCHEMAS_MAX 100000
#define SCHEMA_DEPTH_MAX 256 /* schemas in one another while a value is checked */
#define SCHEMA_STEPS_MAX 20000000u
#define PATTERN_STEPS_MAX 1000

/* ledger */
#define BATCH_BYTES_MAX (2u * 1024 * 1024)
#define LEDGER_NAMES_MAX 65536 /* of jobs, and of connections, in the life of a ledger */

#endif
