#include "purser/io/secret_value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/log.h"

static const char readable_help[] = "it must be a file that the user who runs purser can read";

/* One secret on its way in. */
struct secret_read {
    enum secret_kind kind;
    const char *name;
    struct secret_problem *problem;
    size_t length;
    char bytes[SECRET_BYTES_MAX + 3]; /* a line break and one byte too many */
};

/* The line of the reference is not shown: a person may have put a secret there by mistake. */
static void complain(struct secret_read *read, const char *code, const char *help,
                     const char *problem)
{
    static const char *const kinds[] = {[SECRET_ENV] = "environment variable",
                                        [SECRET_FILE] = "file",
                                        [SECRET_CREDENTIAL] = "credential"};

    read->problem->code = code;
    read->problem->help = help;
    (void)snprintf(read->problem->text, sizeof read->problem->text, "%s '%.4096s' %s",
                   kinds[read->kind], read->name, problem);
}

static bool is_missing(struct secret_read *read, const char *help, const char *problem)
{
    read->problem->missing = true;
    complain(read, "credentials.missing", help, problem);
    return false;
}

static bool read_variable(struct secret_read *read)
{
    const char *value = getenv(read->name);

    if (value == NULL || value[0] == '\0')
        return is_missing(read, "set it for this command, or refer to a file or a credential",
                          value == NULL ? "is not set" : "is empty");
    read->length = strnlen(value, sizeof read->bytes);
    memcpy(read->bytes, value, read->length);
    return true;
}

static bool read_all(struct secret_read *read, int fd)
{
    ssize_t got = 1;

    while (got > 0 && read->length < sizeof read->bytes) {
        got = TEMP_FAILURE_RETRY(pread(fd, read->bytes + read->length,
                                       sizeof read->bytes - read->length, (off_t)read->length));
        if (got > 0)
            read->length += (size_t)got;
    }
    if (got == -1)
        complain(read, "credentials.file", readable_help, strerror(errno));
    return got != -1;
}

/* A secret that others can read is none. The service manager's credentials are guarded by an
 * access list, which shows as rights of the group. */
static bool check_file(struct secret_read *read, int fd)
{
    bool is_credential = read->kind == SECRET_CREDENTIAL;
    struct stat status;

    if (fstat(fd, &status) == -1) {
        complain(read, "credentials.file", readable_help, strerror(errno));
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        complain(read, "credentials.file", readable_help, "is not a regular file");
        return false;
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        complain(read, "credentials.owner", "let it belong to the user that runs purser",
                 "belongs to another user");
        return false;
    }
    if ((status.st_mode & (is_credential ? 07 : 077)) != 0) {
        complain(read, "credentials.mode", "chmod 600 it, and change the secret if it was seen",
                 "can be read by others");
        return false;
    }
    return true;
}

static bool read_file(struct secret_read *read, const char *path)
{
    /* Non-blocking, so that a pipe in the place of the file does not stop everything. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool ok;

    if (fd == -1 && errno == ENOENT)
        return is_missing(read, NULL, "does not exist");
    if (fd == -1) {
        complain(read, "credentials.file", readable_help, strerror(errno));
        return false;
    }
    ok = check_file(read, fd) && read_all(read, fd);
    close(fd);
    return ok;
}

static bool read_credential(struct secret_read *read)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    const char *name = read->name;
    char path[4096];
    int length;

    if (directory == NULL || directory[0] == '\0')
        return is_missing(read, "it is set by systemd for a service with LoadCredential=",
                          "cannot be found: CREDENTIALS_DIRECTORY is not set");
    if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        complain(read, "credentials.name", NULL, "is a path, not the name of a credential");
        return false;
    }
    length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        complain(read, "credentials.file", NULL, "has a path that is too long");
        return false;
    }
    return read_file(read, path);
}

static bool check_value(struct secret_read *read)
{
    if (read->length > 0 && read->bytes[read->length - 1] == '\n')
        read->length--;
    if (read->length > 0 && read->bytes[read->length - 1] == '\r')
        read->length--;
    if (read->length == 0)
        return is_missing(read, NULL, "is empty");
    if (read->length > SECRET_BYTES_MAX) {
        complain(read, "credentials.value", "is it the file that holds the secret?",
                 "is longer than 4096 bytes");
        return false;
    }
    for (size_t i = 0; i < read->length; i++) {
        if (read->bytes[i] <= ' ' || read->bytes[i] > '~') {
            complain(read, "credentials.value", "is there a space, a second line or a quote mark?",
                     "holds bytes that are not visible ASCII");
            return false;
        }
    }
    return true;
}

static bool read_bytes(struct secret_read *read)
{
    switch (read->kind) {
    case SECRET_ENV:
        return read_variable(read);
    case SECRET_FILE:
        return read_file(read, read->name);
    case SECRET_CREDENTIAL:
        return read_credential(read);
    }
    return false;
}

bool secret_value_read(enum secret_kind kind, const char *name,
                       char value_out[SECRET_BYTES_MAX + 1], struct secret_problem *problem_out)
{
    struct secret_read read = {.kind = kind, .name = name, .problem = problem_out};
    bool ok;

    *problem_out = (struct secret_problem){.code = ""};
    ok = read_bytes(&read) && check_value(&read);
    if (ok)
        memcpy(value_out, read.bytes, read.length);
    value_out[ok ? read.length : 0] = '\0';
    explicit_bzero(read.bytes, sizeof read.bytes);
    return ok;
}

/* As it stands in a URL. */
static bool hide_encoded(const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    char encoded[3 * SECRET_BYTES_MAX + 1];
    size_t length = 0;
    bool kept;

    for (; *value != '\0'; value++) {
        bool plain = (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
                     (*value >= '0' && *value <= '9') || strchr("-._~", *value) != NULL;

        if (plain) {
            encoded[length++] = *value;
            continue;
        }
        encoded[length++] = '%';
        encoded[length++] = hex[(unsigned char)*value >> 4];
        encoded[length++] = hex[(unsigned char)*value & 15];
    }
    kept = log_add_secret(encoded, length);
    explicit_bzero(encoded, sizeof encoded);
    return kept;
}

/* As it stands in JSON, where a quote or a backslash is escaped. */
static bool hide_escaped(const char *value)
{
    char escaped[2 * SECRET_BYTES_MAX + 1];
    size_t length = 0;
    bool kept;

    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            escaped[length++] = '\\';
        escaped[length++] = *value;
    }
    kept = log_add_secret(escaped, length);
    explicit_bzero(escaped, sizeof escaped);
    return kept;
}

bool secret_value_hide(const char *value)
{
    return log_add_secret(value, strlen(value)) && hide_encoded(value) && hide_escaped(value);
}
