#include "marked_text.h"

#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = 4 * 1024 * 1024, MARK_BYTES_MAX = 100 };

static bool read_file(const char *path, struct buf *buf)
{
    char block[4096];
    size_t length;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return false;
    while ((length = fread(block, 1, sizeof block, file)) > 0)
        buf_append(buf, block, length);
    return fclose(file) == 0 && buf->failed == ERR_OK;
}

static bool write_file(const char *path, struct slice head, struct slice text, struct slice tail)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        return false;
    (void)fwrite(head.bytes, 1, head.length, file);
    (void)fwrite(text.bytes, 1, text.length, file);
    (void)fwrite(tail.bytes, 1, tail.length, file);
    return !ferror(file) && fclose(file) == 0;
}

static int compare(const char *path, const char *name, struct buf *file, struct slice text,
                   bool update)
{
    char first_mark[MARK_BYTES_MAX], last_mark[MARK_BYTES_MAX];
    const char *first, *last;
    size_t before;

    (void)snprintf(first_mark, sizeof first_mark, "<!-- %s -->\n", name);
    (void)snprintf(last_mark, sizeof last_mark, "<!-- /%s -->\n", name);
    if (!read_file(path, file)) {
        (void)fprintf(stderr, "%s: cannot read %s\n", name, path);
        return 1;
    }
    first = strstr(buf_text(file), first_mark);
    last = first == NULL ? NULL : strstr(first, last_mark);
    if (last == NULL) {
        (void)fprintf(stderr, "%s: %s has no lines\n%s%s", name, path, first_mark, last_mark);
        return 1;
    }
    first += strlen(first_mark);
    before = (size_t)(first - buf_text(file));
    if (slice_equal((struct slice){first, (size_t)(last - first)}, text))
        return 0;
    if (update)
        return !write_file(path, (struct slice){buf_text(file), before}, text,
                           (struct slice){last, file->length - (size_t)(last - buf_text(file))});
    (void)fprintf(stderr,
                  "%s: the table in %s is not the one of the code\n"
                  "hint: %s --update %s\n",
                  name, path, name, path);
    return 1;
}

int marked_text_main(int argc, char **argv, const char *name, struct slice text)
{
    struct buf file;
    int status;

    if (argc == 1)
        return fwrite(text.bytes, 1, text.length, stdout) != text.length;
    if (argc != 3 || (strcmp(argv[1], "--check") != 0 && strcmp(argv[1], "--update") != 0)) {
        (void)fprintf(stderr, "usage: %s [--check FILE | --update FILE]\n", name);
        return 2;
    }
    buf_init(&file, FILE_BYTES_MAX);
    status = compare(argv[2], name, &file, text, strcmp(argv[1], "--update") == 0);
    buf_deinit(&file);
    return status;
}
