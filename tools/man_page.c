/* Prints a manual page: man-page purser, or man-page purser-spec SCHEMA. */
#include "man_page.h"

#include <stdio.h>
#include <string.h>

#include "man_text.h"
#include "purser/base/arena.h"
#include "purser/base/err.h"
#include "purser/cli/command.h"
#include "purser/codec/json.h"

enum { PAGE_BYTES_MAX = 4 * 1024 * 1024, SCHEMA_BYTES_MAX = 4 * 1024 * 1024 };

static const char description[] =
    "purser does bulk writes against the Rutter API. A spec, one YAML file, says where the rows "
    "come from and which request each row becomes; see purser-spec(5). Each write is on disk, with "
    "its exact bytes, before it leaves, in a ledger that is named after the spec: so nothing is "
    "lost, nothing is done twice, and the same command again goes on where an interruption left "
    "off.";

struct pair {
    const char *name, *text;
};

/* What tests/man compares with the sources. */
static const struct pair variables[] = {
    {"RUTTER_CLIENT_ID, RUTTER_CLIENT_SECRET",
     "The credentials of the API, unless api.client_id and api.client_secret say where they are."},
    {"CREDENTIALS_DIRECTORY",
     "Where { credential: NAME } of a spec is read from; systemd sets it."},
    {"PURSER_STATE", "Where the ledgers are, unless --state says so."},
    {"STATE_DIRECTORY", "The same, as systemd sets it; of several the first counts."},
    {"XDG_STATE_HOME", "Without those the ledgers are in its folder purser."},
    {"HOME", "Without that they are in .local/state/purser of this folder."},
    {"PURSER_SIMULATOR", "The program rutter-sim for environment: simulator; by default the one "
                         "beside purser, else the one in PATH."},
    {"XDG_CONFIG_HOME", "In its folder systemd/user `purser schedule install` puts a timer for one "
                        "user; by default it is .config of $HOME."},
    {"TERM", "dumb, or none: lines of progress instead of one that is drawn again."},
    {"TMPDIR", "Where temporary files are; by default /tmp."},
    {"TZDIR", "Where the time zones of schedules are; by default /usr/share/zoneinfo."},
};

static const struct pair files[] = {
    {"$XDG_STATE_HOME/purser/NAME/",
     "The ledger of the spec called NAME, with mode 0700. Kept "
     "and backed up as a whole, while no run writes to it; a copy must not be used beside it. One "
     "that was moved, or brought back from a backup, is refused until `purser adopt` has said "
     "which."},
    {"…/data.mdb", "What has been written, is under way, and is still to be sent."},
    {"…/purser.lock", "Held by the one purser that may write; it has its process number."},
    {"…/simulator.world", "With environment: simulator, what the simulator has done."},
};

static void append_pairs(struct buf *out, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        man_term(out, slice_of(pairs[i].name), slice_of(pairs[i].text));
}

static void append_commands(struct buf *out)
{
    man_request(out, ".SH", "COMMANDS");
    for (unsigned i = 0; command_at(i) != NULL; i++)
        man_term(out, slice_of(command_at(i)->name), slice_of(command_at(i)->summary));
    man_term(out, slice_of("help [WORD]"),
             slice_of("explain a command, a topic, or the code of a message"));
    man_term(out, slice_of("version"), slice_of("print the version"));
    for (unsigned i = 0; command_at(i) != NULL; i++) {
        char title[64];

        (void)snprintf(title, sizeof title, "purser %s", command_at(i)->name);
        man_request(out, ".SS", title);
        man_help(out, command_at(i)->help);
    }
}

/* "0   text" lines. */
static void append_exit_statuses(struct buf *out)
{
    const struct help_topic *topic = help_topic_find("exit-status");
    struct buf text;

    buf_init(&text, PAGE_BYTES_MAX);
    topic->append(&text);
    man_request(out, ".SH", "EXIT STATUS");
    for (const char *at = buf_text(&text); *at != '\0';) {
        size_t length = strcspn(at, "\n"), term = strspn(at, "0123456789 ");

        if (term > 0)
            man_term(out, (struct slice){at, term}, (struct slice){at + term, length - term});
        else if (length > 0)
            man_paragraph(out, (struct slice){at, length});
        at += length + (at[length] == '\n');
    }
    buf_deinit(&text);
}

static void append_topics(struct buf *out)
{
    man_request(out, ".SH", "TOPICS");
    man_paragraph(out, slice_of("purser help also explains:"));
    for (unsigned i = 0; help_topic_at(i) != NULL; i++)
        man_term(out, slice_of(help_topic_at(i)->name), slice_of(help_topic_at(i)->summary));
}

void man_page_program(struct buf *out)
{
    buf_append_text(out, ".TH purser 1 \"\" \"purser " PURSER_VERSION "\" \"User Commands\"\n");
    buf_append_text(out, ".SH NAME\npurser \\- bulk writes against the Rutter API\n");
    buf_append_text(out, ".SH SYNOPSIS\n.B purser\n.I COMMAND\n[\\fISPEC\\fR] [\\fIOPTIONS\\fR]\n"
                         ".br\n.B purser help\n[\\fICOMMAND\\fR | \\fITOPIC\\fR | \\fICODE\\fR]\n");
    man_request(out, ".SH", "DESCRIPTION");
    man_paragraph(out, slice_of(description));
    append_commands(out);
    append_exit_statuses(out);
    man_request(out, ".SH", "ENVIRONMENT");
    append_pairs(out, variables, sizeof variables / sizeof variables[0]);
    man_request(out, ".SH", "FILES");
    append_pairs(out, files, sizeof files / sizeof files[0]);
    append_topics(out);
    buf_append_text(out, ".SH \"SEE ALSO\"\n.BR purser\\-spec (5)\n");
}

static int read_schema(const char *path, struct arena *arena, struct value *schema_out)
{
    char *bytes = arena_new(arena, SCHEMA_BYTES_MAX, 1);
    FILE *file = fopen(path, "r");
    struct err err = {0};
    size_t length;

    if (bytes == NULL || file == NULL) {
        (void)fprintf(stderr, "man-page: cannot read %s\n", path);
        return 1;
    }
    length = fread(bytes, 1, SCHEMA_BYTES_MAX, file);
    (void)fclose(file);
    if (json_parse(arena, bytes, length, schema_out, &err) == ERR_OK)
        return 0;
    (void)fprintf(stderr, "man-page: %s: %s\n", path, err.text);
    return 1;
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct value schema;
    struct buf page;
    int status = 0;

    arena_init(&arena, 64u * 1024 * 1024);
    buf_init(&page, PAGE_BYTES_MAX);
    if (argc == 2 && strcmp(argv[1], "purser") == 0)
        man_page_program(&page);
    else if (argc == 3 && strcmp(argv[1], "purser-spec") == 0)
        status = read_schema(argv[2], &arena, &schema);
    else
        status = 2;
    if (status == 0 && argc == 3)
        man_page_spec(&schema, &page);
    if (status == 2)
        (void)fprintf(stderr, "usage: man-page purser | man-page purser-spec SCHEMA\n");
    if (status == 0 &&
        (page.failed != ERR_OK || fwrite(page.bytes, 1, page.length, stdout) != page.length))
        status = 1;
    buf_deinit(&page);
    arena_deinit(&arena);
    return status;
}
