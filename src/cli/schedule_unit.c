#include "purser/cli/schedule_unit.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES_MAX = 1024 * 1024 };

/* --- what the specs need --- */

static enum err_code add_credential(struct timer_unit *unit, const char *name, struct err *err)
{
    unit->has_credentials = true;
    for (size_t i = 0; i < unit->credential_count; i++)
        if (strcmp(unit->credentials[i], name) == 0)
            return ERR_OK;
    if (unit->credential_count == UNIT_CREDENTIALS_MAX)
        return err_set(err, ERR_TOO_BIG, "more than %d credentials", UNIT_CREDENTIALS_MAX);
    unit->credentials[unit->credential_count] = arena_copy_text(&unit->arena, name, strlen(name));
    if (unit->credentials[unit->credential_count] == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for credentials");
    unit->credential_count++;
    return ERR_OK;
}

static enum err_code add_secret(struct timer_unit *unit, const struct secret_reference *secret,
                                struct err *err)
{
    if (secret->name == NULL)
        return ERR_OK;
    if (secret->kind == SECRET_ENV)
        unit->has_environment = true;
    return secret->kind == SECRET_CREDENTIAL ? add_credential(unit, secret->name, err) : ERR_OK;
}

static enum err_code add_secrets(struct timer_unit *unit, const struct spec *spec, struct err *err)
{
    if (spec->api.environment == ENVIRONMENT_SIMULATOR)
        return ERR_OK;
    if (add_secret(unit, &spec->api.client_id, err) != ERR_OK ||
        add_secret(unit, &spec->api.client_secret, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < spec->connection_count; i++)
        if (add_secret(unit, &spec->connections[i].access_token, err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

/* Loads one spec; counts it when it has a schedule. */
static enum err_code add_spec(const struct options *base, struct timer_unit *unit, const char *path,
                              bool must_have_schedule, size_t *count, struct err *err)
{
    struct options options = *base;
    struct session session;
    enum err_code code;

    options.spec_file = path;
    session_init(&session, &options);
    code = session_load_spec(&session, err);
    if (code == ERR_OK && must_have_schedule)
        code = schedule_require(&session, err);
    if (code == ERR_OK && session.spec.schedule.cron_text != NULL) {
        *count += 1;
        if (must_have_schedule)
            (void)snprintf(unit->name, sizeof unit->name, "purser-%s", session.spec.name);
        code = add_secrets(unit, &session.spec, err);
    }
    if (code != ERR_OK) {
        (void)session_fail(&session, err);
        err->text[0] = '\0'; /* it is told */
    }
    session_deinit(&session);
    return code;
}

static enum err_code add_folder(const struct options *options, struct timer_unit *unit,
                                DIR *directory, struct err *err)
{
    struct dirent *entry;
    size_t count = 0, length = 0;
    const char *base = strrchr(unit->path, '/');

    while ((entry = readdir(directory)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        char path[PATH_MAX + 256];

        if (entry->d_name[0] == '.' || dot == NULL ||
            (strcmp(dot, ".yaml") != 0 && strcmp(dot, ".yml") != 0))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", unit->path, entry->d_name);
        if (add_spec(options, unit, path, false, &count, err) != ERR_OK)
            return err->code;
    }
    if (count == 0)
        return err_set(err, ERR_INPUT, "no spec in %s has a schedule", unit->path);
    length = (size_t)snprintf(unit->name, sizeof unit->name, "purser-");
    for (base = base != NULL ? base + 1 : ""; *base != '\0' && length < 100; base++)
        unit->name[length++] = (*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z') ||
                                       (*base >= '0' && *base <= '9')
                                   ? *base
                                   : '-';
    unit->name[length] = '\0';
    return ERR_OK;
}

static enum err_code find_program(struct timer_unit *unit, struct err *err)
{
    ssize_t length = readlink("/proc/self/exe", unit->program, sizeof unit->program - 1);

    if (length <= 0 || length >= (ssize_t)sizeof unit->program - 1)
        return err_set(err, ERR_SYSTEM, "where purser is cannot be found out: %s", strerror(errno));
    unit->program[length] = '\0';
    return ERR_OK;
}

static enum err_code find_owner(struct timer_unit *unit, struct err *err)
{
    struct passwd entry, *found = NULL;
    struct stat status;
    char text[4096];

    if (stat(unit->path, &status) != 0)
        return err_set(err, ERR_SYSTEM, "stat %s: %s", unit->path, strerror(errno));
    if (getpwuid_r(status.st_uid, &entry, text, sizeof text, &found) == 0 && found != NULL &&
        strlen(entry.pw_name) < sizeof unit->owner)
        (void)snprintf(unit->owner, sizeof unit->owner, "%s", entry.pw_name);
    else
        (void)snprintf(unit->owner, sizeof unit->owner, "%u", (unsigned)status.st_uid);
    return ERR_OK;
}

enum err_code unit_describe(const struct options *options, struct timer_unit *unit, struct err *err)
{
    DIR *directory;
    size_t count = 0;

    *unit = (struct timer_unit){.target = options->schedule.target};
    arena_init(&unit->arena, ARENA_BYTES_MAX);
    if (realpath(options->spec_file, unit->path) == NULL)
        return err_set(err, ERR_INPUT, "%s: %s", options->spec_file, strerror(errno));
    if (find_program(unit, err) != ERR_OK)
        return err->code;
    /* A service of the machine has a directory of its own. */
    if ((unit->target != INSTALL_SYSTEM || options->state_root != NULL) &&
        state_directory_root(options->state_root, unit->state, err) != ERR_OK)
        return err->code;
    if (unit->target == INSTALL_SYSTEM && find_owner(unit, err) != ERR_OK)
        return err->code;
    if (text_has_control(unit->path) || text_has_control(unit->program) ||
        text_has_control(unit->state))
        return err_set(err, ERR_INPUT, "a path with a line break cannot be written into a unit");
    directory = opendir(unit->path);
    if (directory == NULL)
        return add_spec(options, unit, unit->path, true, &count, err);
    (void)add_folder(options, unit, directory, err);
    closedir(directory);
    return err->code;
}

void unit_deinit(struct timer_unit *unit)
{
    arena_deinit(&unit->arena);
}

/* --- texts --- */

/* A word of ExecStart=. Source: systemd.service(5), "Command lines"; systemd.syntax(7). */
static void append_word(struct buf *out, const char *text)
{
    buf_append_byte(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_byte(out, '\\');
        if (*text == '%')
            buf_append_byte(out, '%');
        buf_append_byte(out, *text);
    }
    buf_append_byte(out, '"');
}

/* A % begins a specifier also where there are no words. */
static void append_plain(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '%')
            buf_append_byte(out, '%');
        buf_append_byte(out, *text);
    }
}

void unit_append_service(const struct timer_unit *unit, struct buf *out)
{
    buf_append_text(out, UNIT_MARK "\n\n[Unit]\nDescription=purser: what is due of ");
    append_plain(out, unit->path);
    if (unit->target == INSTALL_SYSTEM)
        buf_append_text(out, "\nWants=network-online.target\nAfter=network-online.target");
    /* The colon: no $ is a variable. */
    buf_append_text(out, "\n\n[Service]\nType=oneshot\nExecStart=:");
    append_word(out, unit->program);
    buf_append_text(out, " schedule tick --quiet");
    if (unit->state[0] != '\0') {
        buf_append_text(out, " --state ");
        append_word(out, unit->state);
    }
    buf_append_text(out, " -- ");
    append_word(out, unit->path);
    buf_append_byte(out, '\n');
    if (unit->target == INSTALL_SYSTEM) {
        buf_append_format(out, "User=%s\n", unit->owner);
        if (unit->state[0] == '\0')
            buf_append_text(out, "StateDirectory=purser\nStateDirectoryMode=0700\n");
    }
    for (size_t i = 0; i < unit->credential_count; i++) {
        buf_append_text(out, "LoadCredential=");
        append_plain(out, unit->credentials[i]);
        buf_append_text(out, ":%E/credstore/");
        append_plain(out, unit->credentials[i]);
        buf_append_byte(out, '\n');
    }
    if (unit->has_environment)
        buf_append_format(out, "EnvironmentFile=%%E/purser/%s.env\n", unit->name);
    buf_append_text(out, "# Not finished (75) is gone on with by the next tick.\n"
                         "SuccessExitStatus=75\n"
                         "# purser finishes what is on the wire before it ends.\n"
                         "KillMode=mixed\nTimeoutStopSec=60\n"
                         "NoNewPrivileges=yes\nUMask=0077\n"
                         "# Without a line in the journal for each minute.\n"
                         "SyslogLevel=notice\nLogLevelMax=notice\n");
}

void unit_append_timer(const struct timer_unit *unit, struct buf *out)
{
    buf_append_text(out, UNIT_MARK "\n"
                                   "# Each minute: purser knows the schedule, its time zone and "
                                   "what was missed.\n\n[Unit]\nDescription=purser: tick of ");
    append_plain(out, unit->path);
    buf_append_text(out, "\n\n[Timer]\nOnCalendar=*-*-* *:*:00\nAccuracySec=1s\n\n"
                         "[Install]\nWantedBy=timers.target\n");
}

/* A word of a shell, in a line where cron takes % for a line break.
 * Source: crontab(5), Debian 12. */
static void append_shell_word(struct buf *out, const char *text)
{
    buf_append_text(out, " '");
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_append_text(out, "'\\'");
        if (*text == '%')
            buf_append_byte(out, '\\');
        buf_append_byte(out, *text);
    }
    buf_append_byte(out, '\'');
}

void unit_append_crontab(const struct timer_unit *unit, struct buf *out)
{
    buf_append_format(out, "# %s: purser knows the schedule; this looks each minute\n* * * * *",
                      unit->name);
    append_shell_word(out, unit->program);
    buf_append_text(out, " schedule tick --quiet --state");
    append_shell_word(out, unit->state);
    buf_append_text(out, " --");
    append_shell_word(out, unit->path);
    buf_append_byte(out, '\n');
}
