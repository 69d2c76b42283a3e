/* Rows, their sources, and the secrets. */
#include "message_families.h"

static const struct message_code source_codes[] = {
    {"source.column", "columns names a column that the file does not have",
     "Types are given to columns by their name in the header, letter by letter.",
     "columns: { prise: decimal }", "columns: { price: decimal }"},
    {"source.command", "the command that gives the rows failed",
     "It could not be started, ended with another exit status than 0, was killed, or took longer "
     "than timeout:. What it had written until then may not be all, so nothing of it is used. No "
     "shell runs it.",
     "source:\n  command: [sh, -c, 'echo no such table >&2; exit 1']\n  format: csv\n"
     "  key: ${row.sku}",
     "source:\n  command: [cat, rows.csv]\n  format: csv\n  key: ${row.sku}"},
    {"source.cut_short", "rows that end in the middle of a line",
     "Nothing but the line break at the end says that all rows have come through a pipe. It must "
     "be there, for what was cut off may also be half of a price.",
     "source:\n  command: [printf, 'sku,name\\nA-1,Mug']\n  format: csv\n  key: ${row.sku}",
     "source:\n  command: [printf, 'sku,name\\nA-1,Mug\\n']\n  format: csv\n  key: ${row.sku}"},
    {"source.damaged", "a compressed file that is damaged or cut short",
     "A file whose name ends in .gz or .zst is unpacked before its rows are looked at, to its end. "
     "Copy or make it again.",
     "gzip rows.csv; truncate --size=-9 rows.csv.gz", "gzip rows.csv"},
    {"source.open", "the file of the rows cannot be opened",
     "A relative path is from the folder of the spec; a pattern must name at least one file. A "
     "source is read more than once, so it must be a file, not a pipe; \"-\" reads standard input.",
     "csv: rows-of-may.csv", "csv: rows.csv"},
};

MESSAGE_FAMILY(source, "The rows cannot be read.", source_codes);

static const struct message_code data_codes[] = {
    {"data.body", "the body of a row cannot be computed",
     "The message names the place in the spec whose expression fails for this row.",
     "name: ${row.name * 2}", "name: ${row.name}"},
    {"data.cells", "a row with more or fewer cells than the header",
     "Which cell belongs to which column cannot be known. A cell that holds the delimiter needs "
     "quotes; an empty cell still has its delimiter.",
     "sku,name,price\nA-1,Mug, blue,9.99", "sku,name,price\nA-1,\"Mug, blue\",9.99"},
    {"data.changed", "a row changed after its write had succeeded",
     "when_changed: error asks for this message. With resend the row is sent again as a new write, "
     "with keep it stays as it was written.",
     "when_changed: error", "when_changed: keep"},
    {"data.columns", "the files of a pattern have different columns",
     "Their rows are one source, and `purser results` gives them back under one header: all files "
     "need the same columns in the same order.",
     "sku,title,price\nA-3,Pot,7.00", "sku,name,price\nA-3,Pot,7.00"},
    {"data.condition", "if: is neither true nor false for a row",
     "if: takes a comparison. A value that is missing counts as false.", "if: ${row.name}",
     "if: ${row.name != \"\"}"},
    {"data.connection", "the connection that a row names is not there",
     "connection: ${row.…} takes the name of a connection from the row; those that there are stand "
     "under connections.",
     "connection: ${row.name}", "connection: shop"},
    {"data.connection_write", "a row that makes a connection lacks something",
     "Each platform needs its own credentials; they are references ({ env: … }), never values.",
     "platform: PRESTASHOP\nstore_url: ${row.name}",
     "platform: PRESTASHOP\nstore_url: ${row.name}\napi_key: { env: SHOP_TOKEN }"},
    {"data.correction", "a corrected row that has no item to be sent again",
     "retry --input takes rows of items that failed, were cancelled or have not been sent. What "
     "has succeeded, is under way or is in doubt is not written twice: take its row out, and do "
     "what "
     "the help below the message says.",
     "sku,name,price\nA-1,Jug,9.99", "sku,name,price\nA-2,Jug,4.50"},
    {"data.csv", "a line that is no CSV",
     "Quotes that are opened must be closed, and only the delimiter or the end of the line may "
     "follow. A quote inside of quotes is written twice.",
     "sku,name,price\nA-1,\"Mug\" blue,9.99", "sku,name,price\nA-1,\"Mug \"\"blue\"\"\",9.99"},
    {"data.delimiter", "the header is one column",
     "Most likely the file has another delimiter than a comma; delimiter: says which.",
     "sku;name;price\nA-1;Mug;9.99", "sku,name,price\nA-1,Mug,9.99"},
    {"data.duplicate_key", "two rows with one key",
     "A key names one item for ever. Two rows with one key would be one write that is overwritten; "
     "group_by makes one item of several rows.",
     "sku,name,price\nA-1,Mug,9.99\nA-1,Cup,4.50", "sku,name,price\nA-1,Mug,9.99\nA-2,Cup,4.50"},
    {"data.encoding", "text that is not written in the encoding that was said",
     "It is UTF-8 unless encoding: says latin-1, windows-1252 or utf-16. A byte order mark that "
     "contradicts it is an error as well.",
     "printf 'sku,name,Gr\\366\\337e\\nA-1,Mug,XL\\n' > rows.csv",
     "printf 'sku,name,Gr\\303\\266\\303\\237e\\nA-1,Mug,XL\\n' > rows.csv"},
    {"data.group_by", "a row without a group",
     "group_by is computed for every row and must give text.", "group_by: ${row.name * 2}",
     "group_by: ${row.name}"},
    {"data.header", "the first line does not name the columns",
     "Each column needs a name, and each name stands once.", "sku,name,name\nA-1,Mug,9.99",
     "sku,name,price\nA-1,Mug,9.99"},
    {"data.json", "something that is not JSON, or not an object",
     "NDJSON has one object a line, such as {\"sku\": \"A-1\"}. A list of objects is read by json: "
     "in place of ndjson:; where it is inside of the document is said by at:.",
     "{\"sku\": \"A-1\", \"name\": \"Mug\"", "{\"sku\": \"A-1\", \"name\": \"Mug\"}"},
    {"data.key", "a row without a usable key",
     "The key names the item for ever and has 1 to 300 bytes; it comes from the row.",
     "sku,name,price\n,Mug,9.99", "sku,name,price\nA-1,Mug,9.99"},
    {"data.needs", "what a row waits for cannot be told",
     "key and connection of a need, and order_by, are computed for every row and must give text. "
     "Rows that wait for nothing belong into a job of their own.",
     "sku,handle,name\nA-1,,Mug", "sku,handle,name\nA-1,A-1,Mug"},
    {"data.path", "the path of a row would be another request",
     "A value in the path is one segment of it, neither empty nor the name of another operation.",
     "sku,name,price\n..,Mug,9.99", "sku,name,price\nA-1,Mug,9.99"},
    {"data.platform", "the operation is not there for the platform of the row's connection",
     "The row chooses the connection, and its platform does not take this write. If the platform "
     "has got the operation since December 2023, leave platform out of the connection.",
     "sku,name,price,shop\nA-1,Mug,9.99,books", "sku,name,price,shop\nA-1,Mug,9.99,shop"},
    {"data.required", "a row lacks a member that the operation requires",
     "The request would be refused. If the API no longer asks for it, --validate=warn sends all "
     "the same.",
     "sku,name,price\nA-1,,9.99", "sku,name,price\nA-1,Mug,9.99"},
    {"data.schema", "a body that the API's own description does not allow",
     "api.openapi names the description. --validate=warn sends all the same.",
     "columns: { price: string }", "columns: { price: decimal }"},
    {"data.too_big", "a row that is larger than 16 MiB",
     "No request takes as much. Is it one JSON document instead of an object a line? jq -c '.[]' "
     "makes lines of a list.",
     "head -c 17000000 /dev/zero | tr '\\0' x > rows.ndjson",
     "echo '{\"sku\": \"A-1\", \"name\": \"Mug\"}' > rows.ndjson"},
    {"data.type", "a cell is not of the type that columns gives it",
     "Decimals have a point and no separators of thousands, dates are 2024-08-31, booleans true or "
     "false.",
     "sku,name,price\nA-1,Mug,\"9,99\"", "sku,name,price\nA-1,Mug,9.99"},
    {"data.unknown_need", "a row waits for an item that is nowhere",
     "The item that it needs is in no row of today and not in the ledger, so it would wait for "
     "ever. "
     "purser check does not look into the ledger and only warns.",
     "sku,handle,name\nA-1,A-2,Mug", "sku,handle,name\nA-1,A-1,Mug"},
};

MESSAGE_FAMILY(data, "A row is wrong. Nothing is sent until all rows are right.", data_codes);

static const struct message_code credentials_codes[] = {
    {"credentials.file", "the file of a secret cannot be read",
     "It must be a regular file that purser's user can open.", "mkdir token",
     "(umask 077; echo 6ba7b810-9dad-41d1-80b4-00c04fd430c8 > token)"},
    {"credentials.missing", "a secret is not there",
     "The variable, the file or the credential that the spec names is not set, does not exist, or "
     "is empty.",
     "unset SHOP_TOKEN", "export SHOP_TOKEN=6ba7b810-9dad-41d1-80b4-00c04fd430c8"},
    {"credentials.mode", "the file of a secret can be read by others",
     "A secret that others can read is none. chmod 600 it, and change the secret if it was seen.",
     "echo 6ba7b810-9dad-41d1-80b4-00c04fd430c8 > token; chmod 644 token",
     "echo 6ba7b810-9dad-41d1-80b4-00c04fd430c8 > token; chmod 600 token"},
    {"credentials.name", "the name of a credential is a path",
     "credential: takes the name of a file in $CREDENTIALS_DIRECTORY, which systemd sets.",
     "access_token: { credential: .. }", "access_token: { credential: shop-token }"},
    {"credentials.owner", "the file of a secret belongs to another user",
     "Its owner could change it at any time. Let it belong to the user that runs purser, or to "
     "root.",
     "chown nobody token", "chown \"$(id -u)\" token"},
    {"credentials.value", "a secret that cannot be one",
     "A token is visible ASCII, at most 4096 bytes, on one line. Is there a space, a quote mark or "
     "a second line in it?",
     "export SHOP_TOKEN='6ba7b810 9dad'", "export SHOP_TOKEN=6ba7b810-9dad-41d1-80b4-00c04fd430c8"},
};

MESSAGE_FAMILY(credentials, "A secret cannot be read. It is never shown.", credentials_codes);
