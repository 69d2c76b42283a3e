#include "purser/cli/help_sources.h"

static const char text[] =
    "The source: of a job says where its rows are, and key: what tells them apart.\n\n"
    "  csv: data/products.csv            RFC 4180; the first row names the columns\n"
    "  ndjson: data/products.ndjson      one JSON object a line\n"
    "  json: data/orders.json            an array of JSON objects: all of it,\n"
    "  at: data.orders                   or what is at these members\n"
    "  inline: [ { sku: A-1 } ]          the rows themselves\n"
    "  command: [psql, -XqAt, -f, orders.sql]\n"
    "  format: ndjson                    what a program writes: csv, ndjson or json\n"
    "  timeout: 10m                      after which it is killed (1h)\n\n"
    "Paths are from the folder of the spec. csv:, ndjson: and json: also take\n\n"
    "  csv: data/*.csv                   several files, sorted by their bytes; CSV\n"
    "                                    has the same columns in all of them\n"
    "  csv: data/products.csv.gz         unpacked by the name: .gz and .zst\n"
    "  csv: \"-\"                          standard input; one job alone can have it\n\n"
    "CSV that is written in other ways\n\n"
    "  delimiter: \";\"                    or \"\\t\", \"|\" …; \",\" when it is not said\n"
    "  quote: \"'\"                        another character around cells, or none\n"
    "  skip_lines: 2                     lines before the header that are passed over\n"
    "  header: [sku, name, price]        names, when no row of the file has them\n"
    "  encoding: windows-1252            or latin-1, utf-16; default utf-8\n\n"
    "Before anything is sent everything is read once to its end. A command that\n"
    "fails, a file that is damaged or cut short, a pipe whose last line has no line\n"
    "break, and a file that changes or appears while it is read end the run, and\n"
    "nothing was sent.\n\n"
    "A command runs without a shell, in the folder of the spec, with /dev/null as its\n"
    "input. What it writes to standard error is passed on. It does not get the\n"
    "variables that the secrets of the spec come from. ${vars.NAME} and ${env.NAME}\n"
    "can stand in its arguments. When its time is over, on Ctrl-C and when purser is\n"
    "killed, it ends with all that it has started.\n\n"
    "What is unpacked, decoded or comes through a pipe lies in a file of mode 0600\n"
    "meanwhile: in $TMPDIR or /tmp without a name, and for `run` of a command or of\n"
    "standard input in the folder of the ledger, where the rows of the last run stay\n"
    "for `results`. `results` writes UTF-8 with a header row and the quote \"; rows of\n"
    "a JSON array one a line.\n";

void help_sources(struct buf *out)
{
    buf_append_text(out, text);
}
