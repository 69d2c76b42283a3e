#include "purser/io/state_directory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "purser/base/text.h"
#include "purser/core/limits.h"
#include "purser/io/clock.h"

#define LOCK_FILE "purser.lock"
#define LOCK_TEXT_BYTES 128
#define LOCK_TRIES 8 /* of taking a lock file that somebody keeps removing */
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

const char *state_directory_refused_file_system(unsigned long type)
{
    /* LMDB needs coherent memory maps and locks between processes, and a sync that reaches a disk.
     * Source: statfs(2) and linux/magic.h, except where a name is given. */
    static const struct {
        unsigned long type;
        const char *name;
    } refused[] = {
        {0x6969, "NFS"},
        {0x517b, "SMB"},
        {0xff534d42, "CIFS"},
        {0xfe534d42, "SMB2"},
        {0x65735546, "FUSE"},
        {0x01021997, "9p"},
        {0x00c36400, "Ceph"},
        {0x5346414f, "AFS"},
        {0x6b414653, "AFS"},
        {0x73757245, "Coda"},
        {0x0bd00bd0, "Lustre"}, /* lustre_user.h */
        {0x786f4256, "VirtualBox shared folders"},
        {0xbacbacbc, "VMware shared folders"}, /* open-vm-tools */
    };

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (refused[i].type == type)
            return refused[i].name;
    }
    return NULL;
}

/* --- where it is --- */

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* The root as given or from the environment, absolute: the process may change its directory. */
enum err_code state_directory_root(const char *root, char path_out[4096], struct err *err)
{
    char working[4096] = "";
    const char *tail = "";
    int length, root_length = 4096;

    if (!is_set(root))
        root = getenv("PURSER_STATE");
    if (!is_set(root) && is_set(getenv("STATE_DIRECTORY"))) {
        /* systemd separates several state directories by colons; the first one is ours. */
        root = getenv("STATE_DIRECTORY");
        root_length = (int)strcspn(root, ":");
    }
    if (!is_set(root)) {
        root = getenv("XDG_STATE_HOME");
        tail = "/purser";
    }
    if (!is_set(root)) {
        root = getenv("HOME");
        tail = "/.local/state/purser";
    }
    if (!is_set(root))
        return err_set(err, ERR_STATE_DIRECTORY,
                       "no place for the ledger: neither PURSER_STATE, STATE_DIRECTORY, "
                       "XDG_STATE_HOME nor HOME is set\nhint: use --state DIRECTORY");
    if (root[0] != '/' && getcwd(working, sizeof working) == NULL)
        return err_set(err, ERR_SYSTEM, "working directory: %s", strerror(errno));
    length = snprintf(path_out, 4096, "%s%s%.*s%s", working, root[0] == '/' ? "" : "/", root_length,
                      root, tail);
    if (length < 0 || length > 4096 - 2 - SPEC_NAME_BYTES_MAX - 32)
        return err_set(err, ERR_STATE_DIRECTORY, "the path of the state directory is too long");
    return ERR_OK;
}

static enum err_code check_name(const char *name, struct err *err)
{
    size_t length = strnlen(name, SPEC_NAME_BYTES_MAX + 1);

    if (length == 0 || length > SPEC_NAME_BYTES_MAX || name[0] == '.' || strchr(name, '/') != NULL)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "the spec name cannot name a directory\n"
                       "hint: use 1 to %d letters, digits, '-' and '_'",
                       SPEC_NAME_BYTES_MAX);
    return ERR_OK;
}

/* --- making it --- */

/* A new name is lost with the power unless the directory that holds it is synced. */
static enum err_code sync_parent(char *path, struct err *err)
{
    char *slash = strrchr(path, '/');
    int fd;

    assert(slash != NULL);
    *slash = '\0';
    fd = open(slash == path ? "/" : path, OPEN_DIRECTORY);
    *slash = '/';
    if (fd == -1 || fsync(fd) != 0) {
        err_set(err, ERR_SYSTEM, "sync the parent of %s: %s", path, strerror(errno));
        if (fd != -1)
            close(fd);
        return err->code;
    }
    close(fd);
    return ERR_OK;
}

static enum err_code make_one(char *path, struct err *err)
{
    enum err_code code;

    if (mkdir(path, 0700) == 0) {
        /* The umask may have taken bits that the owner needs. */
        if (chmod(path, 0700) != 0)
            code = err_set(err, ERR_SYSTEM, "chmod 700 %s: %s", path, strerror(errno));
        else
            code = sync_parent(path, err);
        if (code != ERR_OK)
            (void)rmdir(path); /* the next who finds it takes it for synced */
        return code;
    }
    if (errno == EEXIST)
        return ERR_OK;
    if (errno == ENOTDIR || errno == ELOOP)
        return err_set(err, ERR_STATE_DIRECTORY, "make directory %s: %s", path, strerror(errno));
    return err_set(err, ERR_SYSTEM,
                   "make directory %s: %s\nhint: choose another place with --state DIRECTORY", path,
                   strerror(errno));
}

/* `path` and all that is missing above it. */
static enum err_code make_path(char *path, struct err *err)
{
    for (char *end = path + 1; *end != '\0'; end++) {
        enum err_code code;

        if (*end != '/' || end[-1] == '/')
            continue;
        *end = '\0';
        code = make_one(path, err);
        *end = '/';
        if (code != ERR_OK)
            return code;
    }
    return make_one(path, err);
}

/* --- checking it --- */

/* Who can rename entries of the root can put another directory in our place. */
static enum err_code check_root(int fd, const char *path, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return err_set(err, ERR_SYSTEM, "stat %s: %s", path, strerror(errno));
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return err_set(err, ERR_STATE_DIRECTORY, "%s belongs to uid %u, not to you (uid %u)", path,
                       (unsigned)status.st_uid, (unsigned)geteuid());
    if ((status.st_mode & 022) != 0 && (status.st_mode & S_ISVTX) == 0)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "others can write to %s (mode %04o)\nhint: chmod go-w %s", path,
                       (unsigned)status.st_mode & 07777, path);
    return ERR_OK;
}

static enum err_code check_own(int fd, const char *path, struct err *err)
{
    struct statfs file_system;
    struct stat status;
    const char *refused;

    if (fstat(fd, &status) != 0 || fstatfs(fd, &file_system) != 0)
        return err_set(err, ERR_SYSTEM, "stat %s: %s", path, strerror(errno));
    if (status.st_uid != geteuid())
        return err_set(err, ERR_STATE_DIRECTORY,
                       "%s belongs to uid %u, not to you (uid %u)\n"
                       "hint: run as its owner, or choose another place with --state DIRECTORY",
                       path, (unsigned)status.st_uid, (unsigned)geteuid());
    if ((status.st_mode & 077) != 0)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "%s is open to others (mode %04o); it holds business data\n"
                       "hint: chmod 700 %s",
                       path, (unsigned)status.st_mode & 07777, path);
    refused = state_directory_refused_file_system((unsigned long)file_system.f_type);
    if (refused != NULL)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "%s is on %s, where a ledger is not safe\n"
                       "hint: use --state with a directory on a local disk",
                       path, refused);
    return ERR_OK;
}

/* --- locking it --- */

/* Who wrote into the lock file, when a process with that pid is there: its pid, and since when in
 * `text`; else 0. */
static pid_t read_holder(int lock_fd, char text[LOCK_TEXT_BYTES], const char **since_out)
{
    ssize_t length = pread(lock_fd, text, LOCK_TEXT_BYTES - 1, 0);
    char *end = length > 0 ? memchr(text, '\n', (size_t)length) : NULL;
    char *space = end != NULL ? memchr(text, ' ', (size_t)(end - text)) : NULL;
    uint64_t pid;

    if (space == NULL || !text_to_u64((struct slice){text, (size_t)(space - text)}, &pid) ||
        pid == 0 || pid > INT32_MAX || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
        return 0;
    *end = '\0';
    *since_out = space + 1;
    return (pid_t)pid;
}

/* Names the holder as far as the lock file tells and a process with that pid is there. */
static enum err_code tell_holder(int lock_fd, const char *path, struct err *err)
{
    char text[LOCK_TEXT_BYTES] = "";
    const char *since = "";
    pid_t pid = read_holder(lock_fd, text, &since);

    if (pid == 0)
        return err_set(err, ERR_LOCKED,
                       "%s is locked by another purser\nhint: wait until it has ended", path);
    return err_set(err, ERR_LOCKED,
                   "%s is locked by purser with pid %d since %s\nhint: wait until it has ended, or "
                   "stop it with: kill %d",
                   path, (int)pid, since, (int)pid);
}

/* A killed holder leaves its text, and its pid may be another's by now: then the lock decides. */
bool state_directory_is_held(const struct state_directory *directory,
                             char holder_out[STATE_HOLDER_BYTES])
{
    int fd = openat(directory->fd, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    char text[LOCK_TEXT_BYTES] = "";
    const char *since = "";
    bool held = false;
    pid_t pid;

    if (fd == -1)
        return false;
    pid = read_holder(fd, text, &since);
    if (pid != 0)
        held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (held && snprintf(holder_out, STATE_HOLDER_BYTES, "pid %d since %s", (int)pid, since) < 0)
        holder_out[0] = '\0';
    close(fd);
    return held;
}

/* What a second purser prints about us. A full disk may keep it from being written: the lock is
 * held all the same. */
static void write_holder(int lock_fd)
{
    char text[LOCK_TEXT_BYTES], time[TEXT_TIME_BYTES];
    int length;

    text_from_time_ms(clock_wall_ms(), time);
    length = snprintf(text, sizeof text, "%d %s\n", (int)getpid(), time);
    if (ftruncate(lock_fd, 0) != 0 || pwrite(lock_fd, text, (size_t)length, 0) != length)
        length = ftruncate(lock_fd, 0);
    (void)length; /* half a text is removed if that is possible */
}

static enum err_code open_lock(const struct state_directory *directory, int *lock_fd_out,
                               struct err *err)
{
    struct stat status;
    int fd = openat(directory->fd, LOCK_FILE,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

    if (fd == -1)
        return err_set(err, errno == ELOOP ? ERR_STATE_DIRECTORY : ERR_SYSTEM, "open %s/%s: %s",
                       directory->path, LOCK_FILE, strerror(errno));
    if (fstat(fd, &status) != 0) {
        err_set(err, ERR_SYSTEM, "stat %s/%s: %s", directory->path, LOCK_FILE, strerror(errno));
        close(fd);
        return err->code;
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid()) {
        close(fd);
        return err_set(err, ERR_STATE_DIRECTORY, "%s/%s is not a regular file of yours",
                       directory->path, LOCK_FILE);
    }
    if (fchmod(fd, 0600) != 0) {
        err_set(err, ERR_SYSTEM, "chmod 600 %s/%s: %s", directory->path, LOCK_FILE,
                strerror(errno));
        close(fd);
        return err->code;
    }
    *lock_fd_out = fd;
    return ERR_OK;
}

/* False if the name has gone to another file since ours was opened: a lock on ours excludes
 * nobody. */
static bool is_still_named(const struct state_directory *directory, int lock_fd)
{
    struct stat ours, named;

    return fstat(lock_fd, &ours) == 0 &&
           fstatat(directory->fd, LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static enum err_code lock_directory(struct state_directory *directory, struct err *err)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        int fd = -1;

        if (open_lock(directory, &fd, err) != ERR_OK)
            return err->code;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK)
                tell_holder(fd, directory->path, err);
            else
                err_set(err, ERR_SYSTEM, "lock %s/%s: %s", directory->path, LOCK_FILE,
                        strerror(errno));
            close(fd);
            return err->code;
        }
        if (is_still_named(directory, fd)) {
            write_holder(fd);
            directory->lock_fd = fd;
            return ERR_OK;
        }
        close(fd);
    }
    return err_set(err, ERR_LOCKED, "%s/%s is removed again and again by somebody", directory->path,
                   LOCK_FILE);
}

/* --- all together --- */

static enum err_code make_own(int root_fd, const char *name, const char *path, struct err *err)
{
    enum err_code code;

    if (mkdirat(root_fd, name, 0700) != 0) {
        if (errno == EEXIST)
            return ERR_OK;
        return err_set(err, ERR_SYSTEM, "make directory %s: %s", path, strerror(errno));
    }
    if (fchmodat(root_fd, name, 0700, 0) != 0)
        code = err_set(err, ERR_SYSTEM, "chmod 700 %s: %s", path, strerror(errno));
    else if (fsync(root_fd) != 0)
        code = err_set(err, ERR_SYSTEM, "sync the parent of %s: %s", path, strerror(errno));
    else
        return ERR_OK;
    (void)unlinkat(root_fd, name, AT_REMOVEDIR);
    return code;
}

static enum err_code not_opened(const char *path, bool write, struct err *err)
{
    if (errno == ENOENT && !write)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no ledger at %s\nhint: `purser run` makes it; --state DIRECTORY "
                       "looks elsewhere",
                       path);
    if (errno == ELOOP || errno == ENOTDIR)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "%s is a symbolic link or not a directory\nhint: give the real directory "
                       "with --state",
                       path);
    return err_set(err, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
}

static enum err_code open_in_root(struct state_directory *directory, const char *spec_name,
                                  bool write, struct err *err)
{
    size_t root_length = strlen(directory->path);
    int root_fd = open(directory->path, OPEN_DIRECTORY);
    enum err_code code;

    if (root_fd == -1)
        return not_opened(directory->path, write, err);
    code = check_root(root_fd, directory->path, err);
    if (code != ERR_OK)
        goto done_with_root;
    (void)snprintf(directory->path + root_length, sizeof directory->path - root_length, "/%s",
                   spec_name);
    if (write)
        code = make_own(root_fd, spec_name, directory->path, err);
    if (code != ERR_OK)
        goto done_with_root;
    directory->fd = openat(root_fd, spec_name, OPEN_DIRECTORY | O_NOFOLLOW);
    if (directory->fd == -1)
        code = not_opened(directory->path, write, err);
    else
        code = check_own(directory->fd, directory->path, err);
    if (code == ERR_OK && write)
        code = lock_directory(directory, err);
done_with_root:
    close(root_fd);
    return code;
}

enum err_code state_directory_open(const char *root, const char *spec_name, bool write,
                                   struct state_directory *directory_out, struct err *err)
{
    struct state_directory *directory = directory_out;
    enum err_code code;

    *directory = (struct state_directory){.fd = -1, .lock_fd = -1};
    err->code = ERR_OK;
    if (check_name(spec_name, err) != ERR_OK ||
        state_directory_root(root, directory->path, err) != ERR_OK)
        return err->code;
    if (write && make_path(directory->path, err) != ERR_OK)
        return err->code;
    code = open_in_root(directory, spec_name, write, err);
    if (code != ERR_OK)
        state_directory_close(directory);
    return code;
}

void state_directory_close(struct state_directory *directory)
{
    if (directory->lock_fd != -1) {
        /* So that no later message names a purser that is gone. */
        (void)!ftruncate(directory->lock_fd, 0);
        close(directory->lock_fd);
    }
    if (directory->fd != -1)
        close(directory->fd);
    directory->fd = -1;
    directory->lock_fd = -1;
}
