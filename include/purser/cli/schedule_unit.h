/* The texts of a service, a timer and a line of crontab that tick. */
#ifndef PURSER_CLI_SCHEDULE_UNIT_H
#define PURSER_CLI_SCHEDULE_UNIT_H

#include <limits.h>

#include "purser/cli/schedule.h"

/* The first line of what is written, without its line end. */
#define UNIT_MARK "# Written by purser schedule install."
#define UNIT_BYTES_MAX (256u * 1024)
#define UNIT_CREDENTIALS_MAX 256

struct timer_unit {
    enum install_target target;
    char name[128];         /* without its suffix */
    char program[PATH_MAX]; /* all paths are absolute */
    char path[PATH_MAX];    /* of the spec or the folder */
    char state[4096];       /* root of the ledgers; "" = systemd's StateDirectory= */
    char owner[64];         /* of the spec, --system */
    bool has_credentials, has_environment;
    const char *credentials[UNIT_CREDENTIALS_MAX];
    size_t credential_count;
    struct arena arena; /* of the names of credentials */
};

/* Looks at the spec or the specs of the folder; `unit` is to be deinitialised also after an error.
 * Errors are told, or in `err`: ERR_INPUT (no spec with a schedule; a path with a control
 * character), ERR_SYSTEM, ERR_NO_MEMORY. */
enum err_code unit_describe(const struct options *options, struct timer_unit *unit,
                            struct err *err) ERR_CHECKED;
void unit_deinit(struct timer_unit *unit);

void unit_append_service(const struct timer_unit *unit, struct buf *out);
void unit_append_timer(const struct timer_unit *unit, struct buf *out);
void unit_append_crontab(const struct timer_unit *unit, struct buf *out);

#endif
