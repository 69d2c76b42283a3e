/* A text is a tree or a message with a place, never both absent. */
#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena arena;
    struct diagnostics diagnostics;
    const struct yaml_node *root = NULL;
    struct buf text;
    enum err_code code;

    arena_init(&arena, 256u * 1024 * 1024);
    diagnostics_init(&diagnostics);
    buf_init(&text, 16u * 1024 * 1024);
    code = yaml_parse(&arena, "fuzz.yaml", (const char *)bytes, length, &root, &diagnostics);
    LAW((code == ERR_INPUT) == diagnostics_has_errors(&diagnostics) || code == ERR_NO_MEMORY);
    diagnostics_print(&diagnostics, &text);
    diagnostics_print_json(&diagnostics, &text);
    buf_deinit(&text);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
