#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "doctor_private.h"
#include "purser/cli/ledger_walk.h"
#include "purser/io/clock.h"
#include "purser/io/guarded_call.h"

enum {
    MIB = 1024 * 1024,
    FREE_MIB_MIN = 64,
    WALK_MS = 10 * 1000,    /* then what was read until then is told */
    PROCESS_MS = 20 * 1000, /* then it hangs */
    SIGNAL_BYTES = 64,
};

static const char restore[] =
    "restore the directory from a backup; without one, move it away: the same idempotency keys are "
    "made again, and what they wrote is done once as long as the API remembers them";

/* --- the state directory --- */

/* Cuts the last name off the path; false when none is left. */
static bool cut_name(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || slash[1] == '\0')
        return false;
    slash[slash == path ? 1 : 0] = '\0';
    return true;
}

/* The directory is not there: whether the first run can make it. */
static void look_at_place(struct doctor *doctor)
{
    struct statfs file_system;
    char path[4096];
    struct err err = {0};
    const char *refused;

    if (state_directory_root(doctor->session->options->state_root, path, &err) != ERR_OK) {
        doctor_add_error(doctor, "state", &err);
        return;
    }
    while (access(path, F_OK) != 0 && errno == ENOENT && cut_name(path))
        ;
    if (access(path, W_OK | X_OK) != 0) {
        doctor_add(doctor, FINDING_PROBLEM, "state", EXIT_INPUT,
                   "choose another place with --state DIRECTORY",
                   "the first run cannot make its directory in %s: %s", path, strerror(errno));
        return;
    }
    refused = statfs(path, &file_system) == 0
                  ? state_directory_refused_file_system((unsigned long)file_system.f_type)
                  : NULL;
    if (refused != NULL)
        doctor_add(doctor, FINDING_PROBLEM, "state", EXIT_INPUT,
                   "use --state with a directory on a local disk",
                   "%s is on %s, where a ledger is not safe", path, refused);
    else
        doctor_add(doctor, FINDING_OK, "state", 0, "",
                   "no ledger of '%s' yet; the first run makes it", doctor->session->spec.name);
}

static void look_at_room(struct doctor *doctor, const struct state_directory *directory)
{
    unsigned long long free_mib = 0, ledger_mib = 0;
    struct statvfs room;
    struct stat data;

    if (fstatvfs(directory->fd, &room) != 0) {
        doctor_add(doctor, FINDING_WARNING, "state", 0, "", "%s: its free space is not told: %s",
                   directory->path, strerror(errno));
        return;
    }
    free_mib = (unsigned long long)room.f_bavail * room.f_frsize / MIB;
    if (fstatat(directory->fd, "data.mdb", &data, AT_SYMLINK_NOFOLLOW) == 0)
        ledger_mib = ((unsigned long long)data.st_size + MIB - 1) / MIB;
    if ((room.f_flag & ST_RDONLY) != 0)
        doctor_add(doctor, FINDING_PROBLEM, "state", EXIT_INPUT,
                   "mount it for writing, or choose another place with --state DIRECTORY",
                   "%s is on a file system that is mounted read-only", directory->path);
    else if (free_mib < FREE_MIB_MIN || free_mib < ledger_mib)
        doctor_add(doctor, FINDING_WARNING, "state", 0,
                   "make room: a full disk stops a run (nothing is lost by it)",
                   "%s: %llu MiB free, the ledger has %llu MiB", directory->path, free_mib,
                   ledger_mib);
    else
        doctor_add(doctor, FINDING_OK, "state", 0, "",
                   "%s: yours alone, on a local file system, %llu MiB free, the ledger has %llu "
                   "MiB",
                   directory->path, free_mib, ledger_mib);
}

bool doctor_look_at_state(struct doctor *doctor)
{
    struct session *session = doctor->session;
    char holder[STATE_HOLDER_BYTES] = "";
    struct state_directory directory;
    struct err err = {0};
    enum err_code code = state_directory_open(session->options->state_root, session->spec.name,
                                              false, &directory, &err);

    if (code == ERR_NOT_FOUND)
        look_at_place(doctor);
    else if (code != ERR_OK)
        doctor_add_error(doctor, "state", &err);
    if (code != ERR_OK) {
        if (code != ERR_NOT_FOUND)
            doctor_add(doctor, FINDING_SKIPPED, "ledger", 0, "",
                       "not read: its directory cannot be used");
        return false;
    }
    look_at_room(doctor, &directory);
    doctor->held = state_directory_is_held(&directory, holder);
    if (doctor->held)
        doctor_add(doctor, FINDING_OK, "lock", 0, "", "a run is going on: %s", holder);
    else
        doctor_add(doctor, FINDING_OK, "lock", 0, "", "no run holds the ledger");
    state_directory_close(&directory);
    return true;
}

/* --- the ledger --- */

/* In the child, which leaves without cleaning up: closing could touch what is damaged. */
static void walk_ledger(void *context, void *result)
{
    struct session *session = context;
    struct ledger_walk *walk = result;

    session->reads_all = true;
    if (session_open_ledger(session, false, &walk->err) == ERR_OK)
        ledger_walk_all(session->ledger, clock_boot_ms() + WALK_MS, walk);
}

static void append_counts(const struct item_counts *counts, char *out, size_t size)
{
    size_t length = 0;

    out[0] = '\0';
    for (int i = 0; i < ITEM_STATE_COUNT; i++) {
        int added;

        if (counts->by_state[i] == 0)
            continue;
        added =
            snprintf(out + length, size - length, "%s%llu %s", length == 0 ? ": " : ", ",
                     (unsigned long long)counts->by_state[i], item_state_name((enum item_state)i));
        if (added < 0 || (size_t)added >= size - length)
            return;
        length += (size_t)added;
    }
}

static void tell_walk(struct doctor *doctor, const struct ledger_walk *walk)
{
    const struct session *session = doctor->session;
    char counts[512];
    char next[512];

    append_counts(&walk->counted, counts, sizeof counts);
    (void)snprintf(next, sizeof next, "purser items %.200s%.200s --where state=in_doubt",
                   session->spec.file, doctor->session->state_words);
    if (walk->damaged_count > 0)
        doctor_add(doctor, FINDING_PROBLEM, "ledger", EXIT_INTERNAL, next,
                   "the records of %llu of %llu items are damaged, first of item number %llu",
                   (unsigned long long)walk->damaged_count, (unsigned long long)walk->item_count,
                   (unsigned long long)walk->first_damaged);
    if (walk->ended && !doctor->held && walk->damaged_count == 0 &&
        memcmp(&walk->counted, &walk->kept, sizeof walk->kept) != 0)
        doctor_add(doctor, FINDING_PROBLEM, "ledger", EXIT_INTERNAL, restore,
                   "its counters say otherwise than its items%s", counts);
    else if (!walk->ended)
        doctor_add(doctor, FINDING_OK, "ledger", 0, "",
                   "the first %llu items were read, more than that takes too long here%s",
                   (unsigned long long)walk->item_count, counts);
    else if (walk->damaged_count == 0)
        doctor_add(doctor, FINDING_OK, "ledger", 0,
                   walk->counted.by_state[ITEM_IN_DOUBT] > 0 ? next : "",
                   "all records of %llu item%s were read%s", (unsigned long long)walk->item_count,
                   walk->item_count == 1 ? "" : "s", counts);
}

void doctor_look_at_ledger(struct doctor *doctor)
{
    struct ledger_walk walk = {0};
    enum guarded_end end = GUARDED_DIED;
    struct err err = {0};
    int signal_number = 0;

    (void)session_state_words(doctor->session);
    if (guarded_call(walk_ledger, doctor->session, &walk, sizeof walk, PROCESS_MS, &end,
                     &signal_number, &err) != ERR_OK)
        doctor_add_error(doctor, "ledger", &err);
    else if (end == GUARDED_DIED)
        doctor_add(doctor, FINDING_PROBLEM, "ledger", EXIT_INTERNAL, restore,
                   "the ledger is damaged: the process that read it ended with %s after %llu items",
                   signal_number != 0 ? strsignal(signal_number) : "a failure",
                   (unsigned long long)walk.item_count);
    else if (end == GUARDED_TOO_LONG)
        doctor_add(doctor, FINDING_PROBLEM, "ledger", EXIT_INTERNAL, restore,
                   "the ledger is damaged, or its disk hangs: reading it did not end after %llu "
                   "items",
                   (unsigned long long)walk.item_count);
    else if (walk.err.code == ERR_NOT_FOUND)
        doctor_add(doctor, FINDING_OK, "ledger", 0, "", "nothing in it yet");
    else if (walk.err.code != ERR_OK && strstr(walk.err.text, "hint: ") == NULL)
        doctor_add(doctor, FINDING_PROBLEM, "ledger", err_exit_status(walk.err.code), restore, "%s",
                   walk.err.text);
    else if (walk.err.code != ERR_OK)
        doctor_add_error(doctor, "ledger", &walk.err);
    else
        tell_walk(doctor, &walk);
}
