/* Names are durable when the folder that they stand in was synced after they were made. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power.h"
#include "shim_recording.h"

#define NAMES_MAX 256
#define PATH_BYTES 512

struct names {
    char made[NAMES_MAX][PATH_BYTES]; /* not durable; "" = free */
    char written[NAMES_MAX][PATH_BYTES];
};

static char *find(char list[NAMES_MAX][PATH_BYTES], const char *path)
{
    for (int i = 0; i < NAMES_MAX; i++)
        if (strcmp(list[i], path) == 0)
            return list[i];
    return NULL;
}

static void add(char list[NAMES_MAX][PATH_BYTES], const char *path)
{
    char *place = find(list, path);

    if (place != NULL)
        return;
    place = find(list, "");
    assert(place != NULL && strlen(path) < PATH_BYTES);
    (void)snprintf(place, PATH_BYTES, "%s", path);
}

static void drop(char list[NAMES_MAX][PATH_BYTES], const char *path)
{
    char *place = find(list, path);

    if (place != NULL)
        place[0] = '\0';
}

struct names *names_new(void)
{
    struct names *names = calloc(1, sizeof *names);

    assert(names != NULL);
    return names;
}

void names_free(struct names *names)
{
    free(names);
}

static void sync_folder(struct names *names, const char *path)
{
    size_t length = strlen(path);

    for (int i = 0; i < NAMES_MAX; i++) {
        char *made = names->made[i];

        if (strncmp(made, path, length) == 0 && made[length] == '/' &&
            strchr(made + length + 1, '/') == NULL)
            made[0] = '\0';
    }
}

bool names_step(struct names *names, const struct shim_record *record, const char *path,
                const char *bytes, char why[512])
{
    char new_path[PATH_BYTES];

    switch ((enum shim_record_kind)record->kind) {
    case RECORD_MAKE:
        add(names->made, path);
        break;
    case RECORD_REMOVE:
        drop(names->made, path);
        drop(names->written, path);
        break;
    case RECORD_WRITE:
        if (!record->is_synced && strchr(path, '#') == NULL) /* nameless: nobody looks for it */
            add(names->written, path);
        break;
    case RECORD_SYNC:
        drop(names->written, path);
        sync_folder(names, path);
        break;
    case RECORD_RENAME:
        assert(record->length < PATH_BYTES);
        memcpy(new_path, bytes, record->length);
        new_path[record->length] = '\0';
        if (find(names->written, path) != NULL) {
            (void)snprintf(why, 512, "%.240s is named %.240s before it is synced", path, new_path);
            return false;
        }
        drop(names->made, path);
        add(names->made, new_path);
        break;
    case RECORD_TRUNCATE:
    case RECORD_SEND:
        break;
    }
    return true;
}

bool names_are_synced(const struct names *names, const char *path, char why[512])
{
    for (int i = 0; i < NAMES_MAX; i++) {
        const char *made = names->made[i];
        size_t length = strlen(made);

        if (length > 0 && strncmp(made, path, length) == 0 &&
            (path[length] == '/' || path[length] == '\0')) {
            (void)snprintf(why, 512, "a write leaves while the name of %.400s could still be lost",
                           made);
            return false;
        }
    }
    return true;
}
