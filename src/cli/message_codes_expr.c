/* A body or an expression cannot be compiled. */
#include "message_families.h"

static const struct message_code template_codes[] = {
    {"template.empty", "a field without a value",
     "A key with nothing behind it is null in YAML, which is rarely what was meant.",
     "name: ${row.name}\ndescription:", "name: ${row.name}\ndescription: \"\""},
    {"template.kind", "the body is not a map", "A request has fields, so a body is a map.",
     "body:\n  $for: line in rows\n  $do: { name: x }", "body:\n  name: ${row.name}"},
    {"template.loop", "$for and $do are not as they must be",
     "$for: NAME in LIST and $do: VALUE stand alone in their map, which becomes a list. The list "
     "is an expression without ${…}, and the name must be new.",
     "name: ${row.name}\ntags:\n  $for: ${row.name}\n  $do: x",
     "name: ${row.name}\ntags:\n  $for: tag in row.name | split(\" \")\n  $do: ${tag}"},
    {"template.memory", "out of memory", "The body needs more memory than there is.",
     "ulimit -v 1000", "ulimit -v unlimited"},
    {"template.name", "the name of a field is computed, or begins with $",
     "Names of fields are fixed; only values can be computed. $ is for $for and $do.",
     "name: ${row.name}\n${row.sku}: x", "name: ${row.name}\ndescription: x"},
    {"template.null", "null in a body",
     "The API refuses null. A field that is left out stays as it is. when_empty: null is for "
     "operations that do take it.",
     "name: ${row.name}\ndescription: null", "name: ${row.name}"},
    {"template.number", "a whole number that is too long",
     "JSON has whole numbers of any length, but no program reads all of them alike. Those from "
     "-2^63 to 2^64-1 are safe; what is longer is a name and belongs in quotes.",
     "name: 123456789012345678901", "name: \"123456789012345678901\""},
};

MESSAGE_FAMILY(template, "The body of a request cannot be made.", template_codes);

static const struct message_code expr_codes[] = {
    {"expr.arguments", "a filter with too many, too few or wrong arguments",
     "The help of the message shows the filter with all of its arguments; `purser help "
     "expressions` has an example of each.",
     "name: ${row.name | truncate}", "name: ${row.name | truncate(20)}"},
    {"expr.division", "a quotient that is not rounded",
     "1 / 3 has no last digit, so how many are kept must be said: round(2) right behind the "
     "division.",
     "name: ${vars.total / 3}", "name: ${(vars.total / 3) | round(2)}"},
    {"expr.kind", "a list or map where a text or an expression belongs",
     "The value is used for each row, as text or as what an expression gives.",
     "key: [\"${row.sku}\"]", "key: ${row.sku}"},
    {"expr.memory", "out of memory", "The expression needs more memory than there is.",
     "ulimit -v 1000", "ulimit -v unlimited"},
    {"expr.scope", "a name that cannot be used here",
     "What is known depends on the place: env only in vars and sources, so that no variable of the "
     "environment slips into a body; response only in outputs, when there is an answer.",
     "name: ${env.USER}", "name: ${row.name}"},
    {"expr.syntax", "this is not an expression",
     "${…} holds values (row.name, \"text\", 1.5), operators (+ - * / == != < <= > >= ?? and or "
     "not), filters behind | and if(condition, then, else).",
     "name: ${row.name +}", "name: ${row.name}"},
    {"expr.too_deep", "an expression that is nested too deeply",
     "Parts of it can be named under vars, or computed where the rows come from.",
     "name: "
     "${((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((row.name)))))))))))"
     ")"
     "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))}",
     "name: ${(row.name)}"},
    {"expr.unknown_column", "a column that the rows do not have",
     "Names of columns are those of the header, letter by letter. One with spaces or signs in it "
     "is written row[\"Unit Price\"].",
     "name: ${row.nmae}", "name: ${row.name}"},
    {"expr.unknown_filter", "a filter that is not there",
     "Filters stand behind | and change the value before it.", "name: ${row.name | uper}",
     "name: ${row.name | upper}"},
    {"expr.unknown_name", "a name that is not there",
     "An expression begins with row, rows, item, run, vars or the name of a loop; a text needs "
     "quotes.",
     "name: ${name}", "name: ${row.name}"},
    {"expr.unknown_output", "an output that the needed job does not have",
     "${needs.NAME.outputs.…} has what stands under outputs: of the job that is needed.",
     "needs: { product: { job: products, key: \"${row.handle}\" } }\n"
     "request: POST /products/${needs.product.outputs.idd}/variants",
     "needs: { product: { job: products, key: \"${row.handle}\" } }\n"
     "request: POST /products/${needs.product.outputs.id}/variants"},
};

MESSAGE_FAMILY(expr, "An expression in ${…} cannot be compiled.", expr_codes);
