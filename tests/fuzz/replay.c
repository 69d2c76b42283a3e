/* Runs a fuzz target over files and folders of kept inputs. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    uint8_t *bytes;
    size_t length;

    if (file == NULL || fstat(fileno(file), &status) != 0) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        return -1;
    }
    bytes = malloc((size_t)status.st_size + 1);
    LAW(bytes != NULL);
    length = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    /* In the output when the target aborts. */
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, length);
    free(bytes);
    return 1;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (folder == NULL)
        return replay_file(path);
    while ((entry = readdir(folder)) != NULL) {
        char inner[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (replay_file(inner) < 0)
            count = -1000000;
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("replay: %d inputs\n", count);
    return count > 0 ? 0 : 1;
}
