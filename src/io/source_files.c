#include "source_files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "purser/base/mem.h"

enum { FILES_ARENA_BYTES = 64 * 1024 * 1024, NAME_BYTES = 512 };

static struct file_identity identity_of(const struct stat *status)
{
    return (struct file_identity){.device = (uint64_t)status->st_dev,
                                  .inode = (uint64_t)status->st_ino,
                                  .size = (uint64_t)status->st_size,
                                  .seconds = (int64_t)status->st_mtim.tv_sec,
                                  .nanoseconds = (int64_t)status->st_mtim.tv_nsec};
}

static bool is_same(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->seconds == b->seconds && a->nanoseconds == b->nanoseconds;
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "no memory for the files of a source");
}

static enum err_code refuse(const struct source_files *files, struct diagnostics *diagnostics,
                            const char *help, const char *text, struct err *err)
{
    diagnostics_add(diagnostics, DIAG_ERROR, files->source->place, "source.open", help, "%s", text);
    return err_set(err, ERR_INPUT, "%s", text);
}

/* --- which files --- */

static int compare_paths(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

/* Sorted by bytes, whatever the locale is. The caller calls globfree() after ERR_OK. */
static enum err_code match(const char *pattern, glob_t *found_out, struct err *err)
{
    int status = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, found_out);

    if (status == 0) {
        qsort(found_out->gl_pathv, found_out->gl_pathc, sizeof *found_out->gl_pathv, compare_paths);
        return ERR_OK;
    }
    globfree(found_out);
    if (status == GLOB_NOMATCH)
        return err_set(err, ERR_NOT_FOUND, "no file matches %s", pattern);
    if (status == GLOB_NOSPACE)
        return no_memory(err);
    return err_set(err, ERR_SYSTEM, "a folder of %s cannot be read: %s", pattern, strerror(errno));
}

static enum err_code find_pattern(struct source_files *files, struct diagnostics *diagnostics,
                                  struct err *err)
{
    const char *pattern = files->source->path;
    glob_t found;
    enum err_code code = match(pattern, &found, err);

    if (code == ERR_NOT_FOUND || code == ERR_SYSTEM) {
        struct err why = *err;

        return refuse(files, diagnostics, "a relative path is from the folder of the spec",
                      why.text, err);
    }
    if (code != ERR_OK)
        return code;
    if (found.gl_pathc > SOURCE_FILES_MAX) {
        char text[NAME_BYTES];

        (void)snprintf(text, sizeof text, "more than %d files match %s", SOURCE_FILES_MAX, pattern);
        code = refuse(files, diagnostics, NULL, text, err);
    } else {
        files->files = arena_new(&files->arena, found.gl_pathc, sizeof *files->files);
        if (files->files == NULL)
            code = no_memory(err);
        for (size_t i = 0; i < found.gl_pathc && code == ERR_OK; i++) {
            const char *path = diagnostics_name_file(diagnostics, found.gl_pathv[i]);

            files->files[files->count++] = (struct source_file){.name = path, .path = path};
            if (path == NULL)
                code = no_memory(err);
        }
    }
    globfree(&found);
    return code;
}

/* One file, or something that is none, called `name`. */
static enum err_code take_one(struct source_files *files, const char *name, bool has_path,
                              struct diagnostics *diagnostics, struct err *err)
{
    files->files = arena_new(&files->arena, 1, sizeof *files->files);
    name = files->files == NULL ? NULL : diagnostics_name_file(diagnostics, name);
    if (name == NULL)
        return no_memory(err);
    files->files[0] = (struct source_file){.name = name, .path = has_path ? name : NULL};
    files->count = 1;
    return ERR_OK;
}

/* --- opening --- */

static const char *kind_of_file(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return "a device";
    return "a socket";
}

static void close_current(struct source_files *files)
{
    if (files->fd != -1)
        (void)close(files->fd);
    files->fd = -1;
}

/* O_NONBLOCK: opening a pipe must not wait for a writer. */
static int open_path(const char *path)
{
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/* Opens a file for the first time and leaves it open. */
static enum err_code open_first(struct source_files *files, size_t index,
                                struct diagnostics *diagnostics, struct err *err)
{
    struct source_file *file = &files->files[index];
    char text[NAME_BYTES];
    struct stat status;

    close_current(files);
    files->fd = open_path(file->path);
    files->open_index = index;
    if (files->fd == -1 && errno == ENOMEM)
        return err_set(err, ERR_NO_MEMORY, "open %s: %s", file->path, strerror(errno));
    if (files->fd == -1) {
        const char *help =
            errno == ENOENT ? "a relative path is from the folder of the spec" : NULL;

        (void)snprintf(text, sizeof text, "cannot open %s: %s", file->path, strerror(errno));
        return refuse(files, diagnostics, help, text, err);
    }
    if (fstat(files->fd, &status) != 0)
        return err_set(err, ERR_SYSTEM, "fstat %s: %s", file->path, strerror(errno));
    file->at_open = identity_of(&status);
    if (S_ISREG(status.st_mode))
        return ERR_OK;
    (void)snprintf(text, sizeof text, "%s is %s, not a file", file->path,
                   kind_of_file(status.st_mode));
    return refuse(files, diagnostics,
                  "it is read more than once: write what it gives to a file first, or read "
                  "standard input with \"-\"",
                  text, err);
}

static enum err_code need_spool(struct source_files *files, const struct source_store *store,
                                const char *name, struct err *err)
{
    if (files->spool != NULL)
        return ERR_OK;
    return spool_open(store == NULL ? NULL : store->directory, name, &files->spool, err);
}

/* Opens file `index` and unpacks it when it needs to be. */
static enum err_code open_one(struct source_files *files, size_t index,
                              struct diagnostics *diagnostics, struct err *err)
{
    struct source_file *file = &files->files[index];
    enum source_packing packing = source_packing_of(file->path);

    if (open_first(files, index, diagnostics, err) != ERR_OK)
        return err->code;
    file->length = file->at_open.size;
    if (packing == PACKING_NONE && files->source->encoding == ENCODING_UTF_8)
        return ERR_OK;
    if (need_spool(files, NULL, NULL, err) != ERR_OK)
        return err->code;
    file->start_in_spool = spool_length(files->spool);
    if (source_fill_from_file(files, file->name, files->fd, packing, diagnostics, err) != ERR_OK)
        return err->code;
    file->is_spooled = true;
    file->length = spool_length(files->spool) - file->start_in_spool;
    return ERR_OK;
}

static enum err_code open_paths(struct source_files *files, struct diagnostics *diagnostics,
                                struct err *err)
{
    enum err_code code = ERR_OK;
    uint64_t start = 0;

    if (files->source->is_pattern)
        code = find_pattern(files, diagnostics, err);
    else
        code = take_one(files, files->source->path, true, diagnostics, err);
    for (size_t i = 0; i < files->count && code == ERR_OK; i++) {
        code = open_one(files, i, diagnostics, err);
        files->files[i].start = start;
        start += files->files[i].length;
    }
    return code;
}

/* Standard input or a command. */
static enum err_code open_stream(struct source_files *files, const struct spec *spec,
                                 const struct spec_job *job, const struct source_store *store,
                                 struct diagnostics *diagnostics, struct err *err)
{
    char name[NAME_BYTES] = "<stdin>";
    const char *program;
    enum err_code code;

    if (files->source->origin == ORIGIN_COMMAND) {
        program = strrchr(files->source->command[0], '/');
        program = program == NULL ? files->source->command[0] : program + 1;
        (void)snprintf(name, sizeof name, "<%s: %s>", job->name, program);
    }
    if (take_one(files, name, false, diagnostics, err) != ERR_OK)
        return err->code;
    files->files[0].is_spooled = true;
    if (store != NULL && store->is_kept) {
        code = spool_open_kept(store->directory, job->name, &files->spool, err);
        if (code == ERR_NOT_FOUND)
            return refuse(files, diagnostics, "`purser run` keeps them",
                          "no rows of an earlier "
                          "run are kept",
                          err);
    } else {
        code = need_spool(files, store, job->name, err);
        if (code == ERR_OK && files->source->origin == ORIGIN_COMMAND)
            code =
                source_fill_from_command(files, files->files[0].name, spec, job, diagnostics, err);
        else if (code == ERR_OK)
            code = source_fill_from_file(files, files->files[0].name, STDIN_FILENO, PACKING_NONE,
                                         diagnostics, err);
    }
    if (code == ERR_OK)
        files->files[0].length = spool_length(files->spool);
    return code;
}

/* Lets the messages show lines as they are in the spool. */
static enum err_code show_lines(struct source_files *files, struct diagnostics *diagnostics,
                                struct err *err)
{
    if (spool_flush(files->spool, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < files->count; i++)
        if (files->files[i].is_spooled)
            diagnostics_set_lines(diagnostics, files->files[i].name, spool_fd(files->spool),
                                  files->files[i].start_in_spool);
    return ERR_OK;
}

enum err_code source_files_open(struct source_files *files, const struct spec *spec,
                                const struct spec_job *job, const struct source_store *store,
                                struct diagnostics *diagnostics, struct err *err)
{
    enum err_code code;

    *files = (struct source_files){.source = &job->source, .fd = -1};
    arena_init(&files->arena, FILES_ARENA_BYTES);
    if (job->source.kind == SOURCE_INLINE)
        code = take_one(files, spec->file, false, diagnostics, err);
    else if (job->source.origin == ORIGIN_FILES)
        code = open_paths(files, diagnostics, err);
    else
        code = open_stream(files, spec, job, store, diagnostics, err);
    if (code == ERR_OK && files->spool != NULL)
        code = show_lines(files, diagnostics, err);
    if (code != ERR_OK)
        source_files_close(files);
    return code;
}

void source_files_close(struct source_files *files)
{
    close_current(files);
    spool_close(files->spool);
    files->spool = NULL;
    arena_deinit(&files->arena);
}

/* --- reading --- */

size_t source_files_find(const struct source_files *files, uint64_t offset)
{
    size_t first = 0, last = files->count - 1;

    while (first < last) {
        size_t middle = first + (last - first + 1) / 2;

        if (files->files[middle].start <= offset)
            first = middle;
        else
            last = middle - 1;
    }
    return first;
}

static enum err_code changed(const struct source_file *file, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "%s was changed while it was read; nothing was sent\n"
                   "hint: run again when the file is complete",
                   file->name);
}

/* Many files are not all kept open. */
static enum err_code open_again(struct source_files *files, size_t index, struct err *err)
{
    const struct source_file *file = &files->files[index];
    struct file_identity now;
    struct stat status;

    if (files->fd != -1 && files->open_index == index)
        return ERR_OK;
    close_current(files);
    files->fd = open_path(file->path);
    files->open_index = index;
    if (files->fd == -1)
        return errno == ENOENT
                   ? changed(file, err)
                   : err_set(err, ERR_SYSTEM, "open %s: %s", file->path, strerror(errno));
    if (fstat(files->fd, &status) != 0)
        return err_set(err, ERR_SYSTEM, "fstat %s: %s", file->path, strerror(errno));
    now = identity_of(&status);
    return is_same(&now, &file->at_open) ? ERR_OK : changed(file, err);
}

enum err_code source_files_read(struct source_files *files, size_t index, uint64_t offset,
                                char *bytes, size_t length, size_t *count_out, struct err *err)
{
    const struct source_file *file = &files->files[index];
    uint64_t at = offset - file->start;
    ssize_t count;
    int fd;

    *count_out = 0;
    if (at >= file->length)
        return ERR_OK;
    if (length > file->length - at)
        length = (size_t)(file->length - at);
    if (!file->is_spooled && open_again(files, index, err) != ERR_OK)
        return err->code;
    fd = file->is_spooled ? spool_fd(files->spool) : files->fd;
    at += file->is_spooled ? file->start_in_spool : 0;
    do
        count = pread(fd, bytes, length, (off_t)at);
    while (count == -1 && errno == EINTR);
    if (count == -1)
        return err_set(err, ERR_SYSTEM, "read %s: %s", file->name, strerror(errno));
    if (count == 0)
        return changed(file, err);
    *count_out = (size_t)count;
    return ERR_OK;
}

/* --- what has changed --- */

static bool is_unchanged(const struct source_files *files, size_t index)
{
    const struct source_file *file = &files->files[index];
    struct file_identity now;
    struct stat status;
    bool is_open = files->fd != -1 && files->open_index == index;

    if (file->path == NULL)
        return true;
    /* One that was put in its place by renaming is another file; what is read is the old one. */
    if ((is_open ? fstat(files->fd, &status) : stat(file->path, &status)) != 0)
        return false;
    now = identity_of(&status);
    errno = 0;
    return is_same(&now, &file->at_open);
}

static bool are_still_matched(const struct source_files *files)
{
    struct err ignored = {0};
    glob_t found;
    bool same;

    if (match(files->source->path, &found, &ignored) != ERR_OK)
        return false;
    same = found.gl_pathc == files->count;
    for (size_t i = 0; same && i < files->count; i++)
        same = strcmp(found.gl_pathv[i], files->files[i].path) == 0;
    globfree(&found);
    errno = 0;
    return same;
}

bool source_files_are_unchanged(const struct source_files *files)
{
    const struct spec_source *source = files->source;

    for (size_t i = 0; i < files->count; i++)
        if (!is_unchanged(files, i))
            return false;
    return !source->is_pattern || are_still_matched(files);
}
