#include "purser/cli/claims.h"

#include <string.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"
#include "purser/codec/record.h"

enum { STORAGE_BYTES = ANSWER_BYTES_MAX + 64 * 1024, SCRATCH_BYTES = 64 * 1024 * 1024 };

void claims_deinit(struct claims *claims)
{
    mem_free(claims->table);
    *claims = (struct claims){0};
}

static uint64_t hash_of(uint32_t connection, struct slice id)
{
    uint64_t hash = checksum64(id.bytes, id.length) + connection * UINT64_C(0x9e3779b97f4a7c15);

    return hash == 0 ? 1 : hash;
}

static bool is_full(const struct claims *claims)
{
    return claims->count >= CLAIMS_MAX / 4 * 3;
}

/* False when it is there already, or when there is no room. */
static bool add(struct claims *claims, uint64_t hash)
{
    size_t at = hash % CLAIMS_MAX;

    while (claims->table[at] != 0) {
        if (claims->table[at] == hash)
            return false;
        at = (at + 1) % CLAIMS_MAX;
    }
    if (is_full(claims))
        return false;
    claims->table[at] = hash;
    claims->count++;
    return true;
}

/* The name of what the job creates, "" when it creates nothing or is not in the spec. */
static const char *wrapper_of(const struct session *session, const char *job)
{
    for (size_t i = 0; job != NULL && i < session->spec.job_count; i++) {
        const struct spec_job *known = &session->spec.jobs[i];

        if (strcmp(known->name, job) == 0)
            return known->method == METHOD_POST ? known->operation->result : "";
    }
    return "";
}

/* What is no JSON claims nothing. */
static enum err_code add_result(struct claims *claims, const char *wrapper, const struct item *item,
                                struct slice body, struct arena *scratch, struct err *err)
{
    struct value root, entity, id;
    enum err_code code;

    if (body.length == 0)
        return ERR_OK;
    code = json_parse(scratch, body.bytes, body.length, &root, err);
    if (code != ERR_OK)
        return code == ERR_NO_MEMORY ? code : ERR_OK;
    entity = value_member(&root, slice_of(wrapper));
    id = value_member(&entity, SLICE("id"));
    if (id.kind == VALUE_STRING)
        (void)add(claims, hash_of(item->connection, id.text));
    return ERR_OK;
}

static enum err_code gather(struct claims *claims, struct session *session, struct err *err)
{
    struct ledger *ledger = session->ledger;
    struct result_record result;
    struct arena scratch;
    struct buf storage;
    struct item item;
    uint64_t number = 0;
    enum err_code code;

    buf_init(&storage, STORAGE_BYTES);
    arena_init(&scratch, SCRATCH_BYTES);
    while ((code = ledger->ops->next_item(ledger, number, &number, &item, err)) == ERR_OK) {
        const char *wrapper = wrapper_of(session, ledger->ops->job_name(ledger, item.job));

        if (item.state != ITEM_SUCCEEDED || wrapper[0] == '\0' || is_full(claims))
            continue;
        code = ledger->ops->read_result(ledger, number, &storage, &result, err);
        if (code != ERR_OK && !ledger_has_none(code))
            break;
        if (code != ERR_OK)
            continue;
        code = add_result(claims, wrapper, &item, result.body, &scratch, err);
        if (code != ERR_OK)
            break;
        arena_clear(&scratch);
    }
    arena_deinit(&scratch);
    buf_deinit(&storage);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

enum err_code claims_take(struct claims *claims, struct session *session, uint32_t connection,
                          struct slice id, bool *is_free_out, struct err *err)
{
    if (claims->table == NULL) {
        claims->table = mem_new(CLAIMS_MAX, sizeof *claims->table);
        if (claims->table == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for what other items have created");
        if (gather(claims, session, err) != ERR_OK) {
            claims_deinit(claims); /* half of what is claimed would make the other half free */
            return err->code;
        }
    }
    *is_free_out = add(claims, hash_of(connection, id));
    return ERR_OK;
}
