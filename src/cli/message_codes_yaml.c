/* The spec is no YAML that purser reads. */
#include "message_families.h"

static const struct message_code codes[] = {
    {"yaml.alias", "an alias that stands for nothing, or for itself",
     "*NAME stands for the value that &NAME marks further up. A text that begins with * needs "
     "quotes. At most 1000 anchors, and none may hold an alias to itself.",
     "description: *bold new products", "description: \"*bold new products\""},
    {"yaml.depth", "lists and maps are nested more than 64 deep",
     "No request of the API comes near it; it is most likely a bracket too many.",
     "outputs: "
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
     "outputs: {}"},
    {"yaml.documents", "more than one YAML document in a file",
     "A line --- begins another document. A spec is one; put each into a file of its own.",
     "name: example\n---\nname: another", "name: example"},
    {"yaml.duplicate_key", "one key twice in a map",
     "Which of the two is meant cannot be known, and most readers of YAML silently take the last.",
     "description: new products\ndescription: all products", "description: new products"},
    {"yaml.encoding", "the file is not UTF-8",
     "A spec is UTF-8 text, with or without a byte order mark. Editors call it \"save with "
     "encoding\"; iconv converts.",
     "printf '# caf\\351\\n' >> spec.yaml", "printf '# caf\\303\\251\\n' >> spec.yaml"},
    {"yaml.flow_expr", "${…} without quotes in { … } or [ … ]",
     "In { … } and [ … ] a } ends the map, so ${…} is torn apart there. Quotes keep it together.",
     "body: { product: { name: ${row.name} } }", "body: { product: { name: \"${row.name}\" } }"},
    {"yaml.key", "a key that is no text",
     "Keys of a spec are names: not lists, not maps, and not empty.",
     "? [description, de]\n: new products", "description: new products"},
    {"yaml.merge_key", "merge keys (<<) are not supported",
     "They are no part of YAML 1.2, and it is unclear what wins where keys meet. An anchor can "
     "share a whole value.",
     "retry: { <<: { attempts: 3 }, first_delay: 2s }", "retry: { attempts: 3, first_delay: 2s }"},
    {"yaml.nul", "a NUL character in a text",
     "Paths, names and headers end at a NUL, so a text that holds one would be cut silently.",
     "description: \"new\\0products\"", "description: \"new products\""},
    {"yaml.number", "a number that JSON does not have",
     "JSON has no infinity and no NaN, and whole numbers written as 0x… or 0o… have at most 64 "
     "bits. Quotes make text of it.",
     "vars: { limit: .inf }", "vars: { limit: \".inf\" }"},
    {"yaml.syntax", "this is not YAML",
     "Mostly a text that needs quotes, because it begins with a character that means something in "
     "YAML, or holds a colon and a space, or ' #'; or a line that is not indented like its "
     "neighbours.",
     "description: new: products", "description: \"new: products\""},
    {"yaml.tab", "a tab where a line is indented",
     "YAML counts spaces, and a tab is as wide as an editor likes. Indent with spaces.",
     "retry:\n\tattempts: 3", "retry:\n  attempts: 3"},
    {"yaml.tag", "a tag that does not fit its value, or is none of YAML's own",
     "Only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map are known, and they must say "
     "what the value is anyway.",
     "vars: { limit: !money 5 }", "vars: { limit: 5 }"},
    {"yaml.too_big", "the spec is larger than 4 MiB",
     "Rows belong into a file of their own, which is read a row at a time and may have any size.",
     "head -c 5000000 /dev/zero | tr '\\0' '#' >> spec.yaml", "echo '# small' >> spec.yaml"},
    {"yaml.too_many_nodes", "more than 100,000 values in a spec",
     "Each use of an alias counts with all that it stands for, so a few lines can be millions of "
     "values. Rows belong into a CSV or NDJSON file.",
     "yes -- '- {}' | head -n 100001 > spec.yaml", "echo '# small' >> spec.yaml"},
};

MESSAGE_FAMILY(yaml, "The spec is no YAML, or uses a part of YAML that purser does not read.",
               codes);
