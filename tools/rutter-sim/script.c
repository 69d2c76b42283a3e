#include "script.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char problem[160];

static const char *complain(const char *what, const char *detail)
{
    snprintf(problem, sizeof problem, "%s%s%.80s", what, detail[0] == '\0' ? "" : ": ", detail);
    return problem;
}

static struct slice copy_text(const char *text, size_t length)
{
    char *copy = memory_new(length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return (struct slice){copy, length};
}

static struct slice copy_value(struct json_object *value)
{
    const char *text;
    size_t length;

    if (json_object_is_type(value, json_type_string)) {
        text = json_object_get_string(value);
        length = (size_t)json_object_get_string_len(value);
    } else {
        text = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &length);
    }
    return copy_text(text, length);
}

static const struct {
    const char *name;
    enum wire wire;
} wires[] = {{"before", WIRE_CLOSE},
             {"close", WIRE_CLOSE},
             {"reset", WIRE_RESET},
             {"hang", WIRE_HANG},
             {"truncated", WIRE_TRUNCATED},
             {"reset-body", WIRE_RESET_BODY},
             {"drip", WIRE_DRIP},
             {"twice", WIRE_TWICE},
             {"no-length", WIRE_NO_LENGTH},
             {"chunks-cut", WIRE_CHUNKS_CUT},
             {"early-hints", WIRE_EARLY_HINTS},
             {"bad-date", WIRE_BAD_DATE},
             {"no-date", WIRE_NO_DATE},
             {"trickle", WIRE_TRICKLE},
             {"header-flood", WIRE_HEADER_FLOOD},
             {"endless-headers", WIRE_ENDLESS_HEADERS},
             {"hints-storm", WIRE_HINTS_STORM},
             {"endless-hints", WIRE_ENDLESS_HINTS},
             {"endless-body", WIRE_ENDLESS_BODY},
             {"no-head", WIRE_NO_HEAD},
             {"bad-status-line", WIRE_BAD_STATUS_LINE}};

static const char *read_wire(struct json_object *value, struct script_entry *entry)
{
    const char *name = json_object_get_string(value);

    if (json_object_is_type(value, json_type_boolean)) {
        entry->wire = json_object_get_boolean(value) ? WIRE_CLOSE : WIRE_NORMAL;
        return NULL;
    }
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
        if (name != NULL && strcmp(name, wires[i].name) == 0) {
            entry->wire = wires[i].wire;
            return NULL;
        }
    }
    return complain("unknown value of close", name == NULL ? "null" : name);
}

static const char *read_target(struct json_object *value, struct script_entry *entry)
{
    const char *name = json_object_get_string(value);

    if (name != NULL && strcmp(name, "send") == 0)
        entry->target = SCRIPT_SENDS;
    else if (name != NULL && strcmp(name, "submit") == 0)
        entry->target = SCRIPT_SENDS;
    else if (name != NULL && strcmp(name, "poll") == 0)
        entry->target = SCRIPT_POLLS;
    else if (name != NULL && strcmp(name, "read") == 0)
        entry->target = SCRIPT_READS;
    else if (name != NULL && strcmp(name, "all") == 0)
        entry->target = SCRIPT_BOTH | SCRIPT_READS;
    else if (name != NULL && strcmp(name, "any") == 0)
        entry->target = SCRIPT_BOTH;
    else
        return complain("\"on\" is send, poll, read, any or all, not",
                        name == NULL ? "null" : name);
    return NULL;
}

static const char *read_headers(struct json_object *value, struct script_entry *entry)
{
    if (!json_object_is_type(value, json_type_object))
        return complain("headers is not an object", "");
    json_object_object_foreach(value, name, header)
    {
        if (entry->header_count == SCRIPT_HEADERS_MAX)
            return complain("more than 8 headers", "");
        entry->headers[entry->header_count].name = copy_text(name, strlen(name));
        entry->headers[entry->header_count].value = copy_value(header);
        entry->header_count++;
    }
    return NULL;
}

static const char *read_outcome(const char *name, struct script_entry *entry)
{
    entry->outcome = outcome_find(slice_of(name == NULL ? "" : name));
    if (entry->outcome == NULL)
        return complain("unknown outcome", name == NULL ? "null" : name);
    entry->target = entry->outcome->stage == STAGE_POLL ? SCRIPT_POLLS : SCRIPT_SENDS;
    return NULL;
}

static const char *read_member(const char *name, struct json_object *value,
                               struct script_entry *entry)
{
    if (strcmp(name, "status") == 0)
        entry->status = json_object_get_int(value);
    else if (strcmp(name, "body") == 0)
        entry->body = copy_value(value);
    else if (strcmp(name, "headers") == 0)
        return read_headers(value, entry);
    else if (strcmp(name, "delay_ms") == 0)
        entry->delay_ms = json_object_get_int64(value);
    else if (strcmp(name, "close") == 0)
        return read_wire(value, entry);
    else if (strcmp(name, "raw") == 0) {
        entry->raw = copy_value(value);
        entry->wire = WIRE_RAW;
    } else if (strcmp(name, "act") == 0)
        entry->acts = json_object_get_boolean(value);
    else if (strcmp(name, "match") == 0)
        entry->match = copy_value(value);
    else if (strcmp(name, "access_token") == 0)
        entry->access_token = copy_value(value);
    else if (strcmp(name, "times") == 0)
        entry->left =
            json_object_get_int64(value) <= 0 ? UINT32_MAX : (uint32_t)json_object_get_int64(value);
    else if (strcmp(name, "on") != 0 && strcmp(name, "outcome") != 0)
        return complain("unknown member", name);
    return NULL;
}

static const char *read_entry(struct json_object *value, struct script_entry *entry)
{
    struct json_object *member;
    const char *wrong = NULL;

    *entry = (struct script_entry){.target = SCRIPT_BOTH, .left = 1, .status = 200};
    if (json_object_is_type(value, json_type_string))
        return read_outcome(json_object_get_string(value), entry);
    if (!json_object_is_type(value, json_type_object))
        return complain("an entry is a name or an object", "");
    if (json_object_object_get_ex(value, "outcome", &member))
        wrong = read_outcome(json_object_get_string(member), entry);
    if (wrong == NULL && json_object_object_get_ex(value, "on", &member))
        wrong = read_target(member, entry);
    if (wrong != NULL)
        return wrong;
    json_object_object_foreach(value, name, each)
    {
        wrong = read_member(name, each, entry);
        if (wrong != NULL)
            return wrong;
    }
    if (entry->status != 0 && (entry->status < 200 || entry->status > 999))
        return complain("status is not between 200 and 999", "");
    return NULL;
}

static const char *add_all(struct script *script, struct json_object *list)
{
    size_t more = json_object_array_length(list);
    size_t before = script->count;

    if (more > SCRIPT_ENTRIES_MAX || before + more > SCRIPT_ENTRIES_MAX)
        return complain("more than 10000 entries", "");
    script->entries =
        memory_grow(script->entries, (before + more + 1) * sizeof(struct script_entry *));
    for (size_t i = 0; i < more; i++) {
        struct script_entry *entry = memory_new(sizeof *entry);
        const char *wrong = read_entry(json_object_array_get_idx(list, i), entry);

        entry->added_before = script->added_last;
        script->added_last = entry;
        if (wrong != NULL) {
            script->count = before;
            return wrong;
        }
        script->entries[script->count++] = entry;
    }
    return NULL;
}

static const char *read_drop(struct json_object *value, uint32_t *drop_out)
{
    int64_t count = json_object_get_int64(value);

    if (!json_object_is_type(value, json_type_int) || count < 0 || count > SCRIPT_ENTRIES_MAX)
        return complain("drop_connections is not a number from 0 to 10000", "");
    *drop_out = (uint32_t)count;
    return NULL;
}

static const char *add_root(struct script *script, struct json_object *root)
{
    struct json_object *list = NULL;
    struct json_object *drop = NULL;
    uint32_t drop_connections = script->drop_connections;
    const char *wrong = NULL;

    if (!json_object_is_type(root, json_type_object))
        return complain("the body is not an object", "");
    json_object_object_get_ex(root, "next", &list);
    if (json_object_object_get_ex(root, "drop_connections", &drop))
        wrong = read_drop(drop, &drop_connections);
    else if (!json_object_is_type(list, json_type_array))
        wrong = complain("the body has no list \"next\"", "");
    if (wrong == NULL && list != NULL)
        wrong = json_object_is_type(list, json_type_array) ? add_all(script, list)
                                                           : complain("next is not a list", "");
    if (wrong == NULL)
        script->drop_connections = drop_connections;
    return wrong;
}

const char *script_add(struct script *script, struct slice body)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *root =
        body.length == 0 ? NULL : json_tokener_parse_ex(tokener, body.bytes, (int)body.length);
    const char *wrong =
        root == NULL ? complain("the body is not JSON", "") : add_root(script, root);

    json_object_put(root);
    json_tokener_free(tokener);
    return wrong;
}

static bool fits(const struct script_entry *entry, enum script_target target,
                 const struct script_subject *subject)
{
    if (entry->left == 0 || (entry->target & target) == 0)
        return false;
    if (entry->access_token.length > 0 && !slice_equal(entry->access_token, subject->access_token))
        return false;
    if (entry->match.length == 0)
        return true;
    for (size_t i = 0; i < sizeof subject->texts / sizeof subject->texts[0]; i++)
        if (slice_find(subject->texts[i], entry->match) != NULL)
            return true;
    return false;
}

const struct script_entry *script_take(struct script *script, enum script_target target,
                                       const struct script_subject *subject)
{
    for (size_t i = 0; i < script->count; i++) {
        struct script_entry *entry = script->entries[i];

        if (!fits(entry, target, subject))
            continue;
        script->taken++;
        if (entry->left != UINT32_MAX && --entry->left == 0) {
            memmove(&script->entries[i], &script->entries[i + 1],
                    (script->count - i - 1) * sizeof(struct script_entry *));
            script->count--;
        }
        return entry;
    }
    return NULL;
}

size_t script_left(const struct script *script)
{
    return script->count;
}

void script_clear(struct script *script)
{
    script->count = 0;
    script->drop_connections = 0;
}
