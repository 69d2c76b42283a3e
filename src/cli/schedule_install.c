/* purser schedule install SPEC|DIR, purser schedule uninstall SPEC|DIR
 *
 * Promises: writes no secret and starts nothing; replaces and removes only what it wrote. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/cli/schedule_unit.h"

const char help_schedule_install[] =
    "usage: purser schedule install SPEC|DIR [options]\n\n"
    "  purser schedule install invoices.yaml               a timer of systemd\n"
    "  purser schedule install /etc/purser/specs --system  one of the machine's\n"
    "  purser schedule install invoices.yaml --crontab     a line for crontab -e\n\n"
    "Writes a service and a timer that ticks each minute: purser itself knows the\n"
    "schedule, its zone and what was missed, so changing the spec is enough to change\n"
    "the times. Nothing is started; the command that does it is printed. No secret is\n"
    "written: those of { credential: } are named to systemd (LoadCredential=), those\n"
    "of { env: } are read from a file of yours.\n\n"
    "  --user             (default) below $XDG_CONFIG_HOME/systemd/user\n"
    "  --system           in /etc/systemd/system; runs as the owner of the spec\n"
    "  --crontab          no systemd: prints the line\n"
    "  --print            print what would be written, and write nothing\n"
    "  --state DIR        where the ledgers are\n";

const char help_schedule_uninstall[] =
    "usage: purser schedule uninstall SPEC|DIR [options]\n\n"
    "  purser schedule uninstall invoices.yaml\n\n"
    "Removes what `purser schedule install` wrote; the ledger stays.\n\n"
    "  --user, --system   as with install\n"
    "  --print            print what would be removed, and remove nothing\n";

/* The folder of the units, without a slash at its end. */
static enum err_code find_folder(enum install_target target, char folder[PATH_MAX], struct err *err)
{
    const char *root = getenv("XDG_CONFIG_HOME"), *tail = "";

    if (target == INSTALL_SYSTEM) {
        (void)snprintf(folder, PATH_MAX, "/etc/systemd/system");
        return ERR_OK;
    }
    if (root == NULL || root[0] != '/') {
        root = getenv("HOME");
        tail = "/.config";
    }
    if (root == NULL || root[0] != '/')
        return err_set(err, ERR_SYSTEM, "neither XDG_CONFIG_HOME nor HOME is set");
    if (snprintf(folder, PATH_MAX, "%s%s/systemd/user", root, tail) >= PATH_MAX - 256)
        return err_set(err, ERR_SYSTEM, "the path of systemd's units is too long");
    return ERR_OK;
}

static enum err_code make_folders(char *path, struct err *err)
{
    for (char *end = path + 1;; end++) {
        char byte = *end;

        if (byte != '/' && byte != '\0')
            continue;
        *end = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return err_set(err, ERR_SYSTEM, "make %s: %s", path, strerror(errno));
        *end = byte;
        if (byte == '\0')
            return ERR_OK;
    }
}

/* OK if there is no such file or it is one of ours. */
static enum err_code check_ours(const char *path, struct err *err)
{
    char head[sizeof UNIT_MARK] = "";
    FILE *file = fopen(path, "re");
    bool is_read;

    if (file == NULL)
        return errno == ENOENT ? ERR_OK
                               : err_set(err, ERR_SYSTEM, "read %s: %s", path, strerror(errno));
    is_read = fgets(head, sizeof head, file) != NULL || ferror(file) == 0;
    if (!is_read)
        err_set(err, ERR_SYSTEM, "read %s: %s", path, strerror(errno));
    else if (strcmp(head, UNIT_MARK) == 0)
        err->code = ERR_OK;
    else
        err_set(err, ERR_INPUT,
                "%s was not written by purser and stays as it is\nhint: move it away", path);
    (void)fclose(file);
    return err->code;
}

static enum err_code write_file(const char *path, const struct buf *text, struct err *err)
{
    char temporary[PATH_MAX + 264];
    FILE *file;
    bool good;

    (void)snprintf(temporary, sizeof temporary, "%.*s.new", PATH_MAX + 255, path);
    file = fopen(temporary, "we");
    if (file == NULL)
        return err_set(err, ERR_SYSTEM, "write %s: %s", temporary, strerror(errno));
    good = fwrite(text->bytes, 1, text->length, file) == text->length;
    good = fclose(file) == 0 && good;
    if (!good || chmod(temporary, 0644) != 0 || rename(temporary, path) != 0) {
        err_set(err, ERR_SYSTEM, "write %s: %s", path, strerror(errno));
        (void)unlink(temporary);
        return err->code;
    }
    print_talk("wrote %s", path);
    return ERR_OK;
}

/* `folder` is CONFIG/systemd/user or …/system. */
static void tell_next(const struct timer_unit *unit, const char *folder)
{
    const char *user = unit->target == INSTALL_USER ? "--user " : "";
    int config = (int)(strstr(folder, "/systemd/") - folder);

    for (size_t i = 0; i < unit->credential_count; i++)
        print_talk("the secret %s: in a file of its own, %.*s/credstore/%s, mode 0600",
                   unit->credentials[i], config, folder, unit->credentials[i]);
    if (unit->has_environment)
        print_talk("the secrets of { env: }: lines NAME=VALUE in %.*s/purser/%s.env, mode 0600",
                   config, folder, unit->name);
    print_talk("next: systemctl %sdaemon-reload && systemctl %senable --now %s.timer", user, user,
               unit->name);
}

/* Both are looked at before one is written. */
static enum err_code find_paths(const struct timer_unit *unit, const char *folder, bool print,
                                char paths_out[2][PATH_MAX + 256], struct err *err)
{
    static const char *const suffixes[] = {".service", ".timer"};

    for (int i = 0; i < 2; i++) {
        (void)snprintf(paths_out[i], sizeof paths_out[i], "%s/%s%s", folder, unit->name,
                       suffixes[i]);
        if (!print && check_ours(paths_out[i], err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static enum err_code install_units(const struct timer_unit *unit, bool print, struct err *err)
{
    char folder[PATH_MAX], paths[2][PATH_MAX + 256];
    enum err_code code = find_folder(unit->target, folder, err);
    struct buf text;

    if (code == ERR_OK && !print)
        code = make_folders(folder, err);
    if (code == ERR_OK)
        code = find_paths(unit, folder, print, paths, err);
    buf_init(&text, UNIT_BYTES_MAX);
    for (int i = 0; i < 2 && code == ERR_OK; i++) {
        buf_clear(&text);
        if (i == 0)
            unit_append_service(unit, &text);
        else
            unit_append_timer(unit, &text);
        if (text.failed != ERR_OK)
            code = buf_error(&text, "the unit is too large", err);
        else if (print) {
            print_talk("would write %s", paths[i]);
            code = print_out(&text, err);
        } else
            code = write_file(paths[i], &text, err);
    }
    buf_deinit(&text);
    if (code == ERR_OK)
        tell_next(unit, folder);
    return code;
}

static enum err_code print_crontab(const struct timer_unit *unit, struct err *err)
{
    struct buf text;
    enum err_code code;

    buf_init(&text, UNIT_BYTES_MAX);
    unit_append_crontab(unit, &text);
    code = print_out(&text, err);
    buf_deinit(&text);
    if (code != ERR_OK)
        return code;
    if (unit->has_credentials)
        print_talk("warning: { credential: } is of systemd; cron needs { file: } or { env: }");
    if (unit->has_environment)
        print_talk("the variables of { env: } are set by lines above it, NAME=VALUE");
    print_talk("next: crontab -e, and put these lines at the end");
    return ERR_OK;
}

static enum err_code install(const struct timer_unit *unit, bool print, struct err *err)
{
    return unit->target == INSTALL_CRONTAB ? print_crontab(unit, err)
                                           : install_units(unit, print, err);
}

/* What install and uninstall do alike. */
static int with_unit(int argc, char **argv,
                     enum err_code (*act)(const struct timer_unit *unit, bool print,
                                          struct err *err))
{
    struct options options;
    struct timer_unit unit;
    struct err err = {0};
    int exit_status = options_parse(argc, argv, ALLOW_VARIABLES | ALLOW_INSTALL, &options);
    enum err_code code;

    if (exit_status != -1)
        return exit_status;
    code = unit_describe(&options, &unit, &err);
    if (code == ERR_OK)
        code = act(&unit, options.schedule.print, &err);
    if (code != ERR_OK && err.text[0] != '\0')
        print_talk("purser: %s", err.text);
    unit_deinit(&unit);
    return code == ERR_OK ? EXIT_DONE : err_exit_status(code);
}

int schedule_install_command(int argc, char **argv)
{
    return with_unit(argc, argv, install);
}

/* The link is what `systemctl enable` makes. */
static enum err_code remove_units(const struct timer_unit *unit, bool print, struct err *err)
{
    static const char *const parts[][2] = {
        {"timers.target.wants/", ".timer"}, {"", ".timer"}, {"", ".service"}};
    char folder[PATH_MAX], path[PATH_MAX + 256];
    size_t count = 0;

    if (find_folder(unit->target, folder, err) != ERR_OK)
        return err->code;
    for (int i = 0; i < 3; i++) {
        struct stat status;

        (void)snprintf(path, sizeof path, "%s/%s%s%s", folder, parts[i][0], unit->name,
                       parts[i][1]);
        if (lstat(path, &status) != 0) {
            if (errno == ENOENT || errno == ENOTDIR)
                continue;
            return err_set(err, ERR_SYSTEM, "stat %s: %s", path, strerror(errno));
        }
        if (i > 0 && check_ours(path, err) != ERR_OK)
            return err->code;
        if (!print && unlink(path) != 0)
            return err_set(err, ERR_SYSTEM, "remove %s: %s", path, strerror(errno));
        print_talk("%s %s", print ? "would remove" : "removed", path);
        count++;
    }
    if (count == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no %s.timer in %s", unit->name, folder);
    if (!print)
        print_talk("next: systemctl %sstop %s.timer; systemctl %sdaemon-reload",
                   unit->target == INSTALL_USER ? "--user " : "", unit->name,
                   unit->target == INSTALL_USER ? "--user " : "");
    return ERR_OK;
}

static enum err_code uninstall(const struct timer_unit *unit, bool print, struct err *err)
{
    if (unit->target != INSTALL_CRONTAB)
        return remove_units(unit, print, err);
    print_talk("next: crontab -e, and remove the lines of %s", unit->name);
    return ERR_OK;
}

int schedule_uninstall_command(int argc, char **argv)
{
    return with_unit(argc, argv, uninstall);
}
