#include "purser/io/time_zone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/text.h"
#include "purser/codec/tzif.h"
#include "purser/core/limits.h"

#define DATABASE "/usr/share/zoneinfo"

enum { PATH_BYTES = 4096, NAME_BYTES = 256, NAMES_MAX = 4096, FOLDERS_IN_ONE_ANOTHER_MAX = 3 };

static const char *database(void)
{
    const char *folder = getenv("TZDIR");

    return folder != NULL && folder[0] == '/' ? folder : DATABASE;
}

/* --- what may have been meant --- */

struct names {
    struct arena *arena;
    const char **names;
    size_t count;
};

/* Zones begin with a capital letter; what does not is another list or copy of them. */
static void gather(struct names *names, const char *folder, const char *prefix, int depth)
{
    char path[PATH_BYTES], name[NAME_BYTES];
    DIR *directory;
    struct dirent *entry;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, prefix) >= sizeof path)
        return;
    directory = opendir(path);
    if (directory == NULL)
        return;
    while (names->count < NAMES_MAX && (entry = readdir(directory)) != NULL) {
        bool is_folder = entry->d_type == DT_DIR;

        if (entry->d_name[0] < 'A' || entry->d_name[0] > 'Z' ||
            (size_t)snprintf(name, sizeof name, "%s%s%s", prefix, entry->d_name,
                             is_folder ? "/" : "") >= sizeof name)
            continue;
        if (!is_folder) {
            names->names[names->count] = arena_copy_text(names->arena, name, strlen(name));
            if (names->names[names->count] == NULL)
                break;
            names->count++;
        } else if (depth < FOLDERS_IN_ONE_ANOTHER_MAX) {
            gather(names, folder, name, depth + 1);
        }
    }
    closedir(directory);
}

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash != NULL ? slash + 1 : name;
}

/* Berlin is Europe/Berlin. */
static const char *by_last_part(const struct names *names, const char *wanted)
{
    const char **parts = arena_new(names->arena, names->count + 1, sizeof *parts);
    const char *closest;

    if (parts == NULL)
        return NULL;
    for (size_t i = 0; i < names->count; i++)
        parts[i] = last_part(names->names[i]);
    closest = text_closest(last_part(wanted), parts, names->count);
    for (size_t i = 0; closest != NULL && i < names->count; i++)
        if (parts[i] == closest)
            return names->names[i];
    return NULL;
}

static enum err_code unknown(struct arena *arena, const char *name, struct err *err)
{
    struct names names = {.arena = arena,
                          .names = arena_new(arena, NAMES_MAX, sizeof(const char *))};
    const char *closest;

    if (names.names == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of time zones");
    gather(&names, database(), "", 1);
    if (names.count == 0)
        return err_set(err, ERR_INPUT,
                       "there are no time zones in %s\n"
                       "hint: install the package tzdata, or leave timezone out for UTC",
                       database());
    closest = text_closest(name, names.names, names.count);
    if (closest == NULL)
        closest = by_last_part(&names, name);
    if (closest != NULL)
        return err_set(err, ERR_INPUT, "there is no time zone '%s'\nhint: did you mean '%s'?", name,
                       closest);
    return err_set(err, ERR_INPUT,
                   "there is no time zone '%s'\nhint: a name as Europe/Berlin; %s has all of them",
                   name, database());
}

/* --- reading --- */

static bool read_all(int fd, char *bytes, size_t *length_out)
{
    size_t length = 0;

    for (;;) {
        ssize_t got = read(fd, bytes + length, TIME_ZONE_BYTES_MAX + 1 - length);

        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            return false;
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > TIME_ZONE_BYTES_MAX) {
            errno = EFBIG;
            return false;
        }
    }
    *length_out = length;
    return true;
}

static enum err_code load(struct arena *arena, int fd, const char *path,
                          const struct zone **zone_out, struct err *err)
{
    char *bytes = arena_new(arena, TIME_ZONE_BYTES_MAX + 1, 1);
    struct stat status;
    size_t length;

    if (bytes == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a time zone");
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return err_set(err, ERR_INPUT, "%s is no file", path);
    if (!read_all(fd, bytes, &length))
        return err_set(err, ERR_INPUT, "%s cannot be read: %s", path, strerror(errno));
    if (tzif_load(arena, bytes, length, zone_out, err) != ERR_OK)
        return err_wrap(err, "%s", path);
    return ERR_OK;
}

/* Only below the database: a name can lead nowhere else. */
static bool is_plain(const char *name)
{
    return name[0] != '\0' && name[0] != '/' && strstr(name, "..") == NULL;
}

enum err_code time_zone_open(struct arena *arena, const char *name, const struct zone **zone_out,
                             struct err *err)
{
    char path[PATH_BYTES];
    struct stat status;
    enum err_code code;
    int fd;

    if (strcmp(name, "UTC") == 0) {
        *zone_out = &zone_utc;
        return ERR_OK;
    }
    if (!is_plain(name) ||
        (size_t)snprintf(path, sizeof path, "%s/%s", database(), name) >= sizeof path)
        return unknown(arena, name, err);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1 && errno != ENOENT && errno != ENOTDIR)
        return err_set(err, ERR_INPUT, "%s cannot be opened: %s", path, strerror(errno));
    if (fd == -1 || (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))) {
        if (fd != -1)
            close(fd);
        return unknown(arena, name, err);
    }
    code = load(arena, fd, path, zone_out, err);
    close(fd);
    return code;
}
