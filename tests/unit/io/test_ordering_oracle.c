/* Built with the oracle in every build: tests/prove/order. */
#include "ordering_oracle.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger_fixture.h"
#include "purser/core/key.h"

#define BODY "{\"product\":{}}"

/* What of the write of item 1 differs from its intent. */
struct change {
    enum item_state state; /* on disk */
    uint32_t generation;   /* of the idempotency key, …  */
    bool without_key;      /* … of which there is none */
    uint32_t attempt;
    uint64_t item;
    const char *path, *body, *item_key;
    enum http_method method;
    const char *remote_job;
    bool uncommitted; /* the intent is in the batch that is open */
    bool unwatched;
    bool lock_removed; /* while the ledger is open */
};

/* In a process of its own: the write leaves, or the process is aborted. */
static void leave(const struct change *change)
{
    struct opened opened;
    struct ledger *port;
    struct item item;
    char key[KEY_TEXT_BYTES];
    struct err err = {0};
    uint32_t number;

    if (change->lock_removed) {
        opened = open_ledger();
        close_ledger(&opened);
        assert_int_equal(close(creat(below("catalog/purser.lock"), 0600)), 0);
    }
    opened = open_ledger();
    port = opened.port;
    must(port->ops->job_number(port, "products", &number, &err), &err);
    must(port->ops->connection_number(port, "shop", &number, &err), &err);
    add(port, 0, 0, "A-1", ITEM_READY, SLICE(BODY));
    commit(port);
    item = read_item(port, 1);
    item.generation = 2;
    item.attempt_total = 3;
    move_item(port, 1, &item, change->state);
    if (!change->uncommitted)
        commit(port);
    key_derive(SLICE("catalog"), SLICE("products"), SLICE("shop"), SLICE("A-1"), change->generation,
               key);
    if (change->unwatched)
        ordering_oracle_forget(opened.ledger);
    if (change->lock_removed)
        assert_int_equal(unlink(below("catalog/purser.lock")), 0);
    ordering_oracle_leaves(
        &(struct transfer_request){.method = change->method,
                                   .path = slice_of(change->path),
                                   .body = slice_of(change->body),
                                   .remote_job = change->remote_job,
                                   .idempotency_key = change->without_key ? NULL : key,
                                   .at_most_once = change->without_key,
                                   .item_key = slice_of(change->item_key),
                                   .item = change->item,
                                   .attempt = change->attempt});
    close_ledger(&opened);
}

static const struct change intended = {.state = ITEM_SENDING,
                                       .generation = 2,
                                       .attempt = 4,
                                       .item = 1,
                                       .path = "/products",
                                       .body = BODY,
                                       .item_key = "A-1",
                                       .method = METHOD_POST};

/* The last words of the process, "" when it was not aborted. */
static const char *last_words(struct change change)
{
    static char text[1024];
    size_t length = 0;
    ssize_t count;
    int ends[2], status;
    pid_t child;

    assert_int_equal(scratch_remove(NULL), 0);
    assert_int_equal(scratch_make(NULL), 0);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        leave(&change);
        _exit(0);
    }
    close(ends[1]);
    while ((count = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)count;
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(length > 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT
                           : WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return text;
}

static void assert_found(struct change change, const char *found)
{
    const char *words = last_words(change);

    if (strstr(words, found) == NULL)
        fail_msg("%s is not in \"%s\"", found, words);
}

static void a_write_whose_intent_is_durable_may_leave(void **context)
{
    (void)context;
    assert_string_equal(last_words(intended), "");
}

static void an_intent_in_the_open_batch_is_not_durable(void **context)
{
    struct change change = intended;

    (void)context;
    change.uncommitted = true;
    assert_string_equal(last_words(change),
                        "purser: ordering: item 1 (A-1), attempt 4, POST /products: a byte would "
                        "leave before its intent is durable; on disk: ready\n");
}

static void in_any_other_state_there_is_no_intent(void **context)
{
    (void)context;
    for (int state = 0; state < ITEM_STATE_COUNT; state++) {
        struct change change = intended;

        change.state = (enum item_state)state;
        if (state != ITEM_SENDING && state != ITEM_READY)
            assert_found(change, item_state_name(change.state));
    }
}

static void the_key_of_another_generation_is_found(void **context)
{
    struct change change = intended;

    (void)context;
    change.generation = 3;
    assert_found(change, "on disk: another generation");
    change.generation = 1;
    assert_found(change, "on disk: another generation");
}

static void each_attempt_without_a_key_needs_an_intent_of_its_own(void **context)
{
    struct change change = intended;

    (void)context;
    change.without_key = true;
    assert_string_equal(last_words(change), "");
    change.attempt = 5;
    assert_found(change, "on disk: the intent of another attempt");
}

static void other_bytes_are_found(void **context)
{
    struct change path = intended, body = intended, method = intended, key = intended;

    (void)context;
    path.path = "/products/1";
    body.body = "{\"product\":{} }";
    method.method = METHOD_DELETE;
    key.item_key = "A-2";
    assert_found(path, "on disk: another request");
    assert_found(body, "on disk: another request");
    assert_found(method, "on disk: another request");
    assert_found(key, "on disk: another request");
}

static void a_write_of_no_item_is_found(void **context)
{
    struct change change = intended;

    (void)context;
    change.item = 0;
    assert_found(change, "on disk: nothing, for it is of no item");
    change.item = 2;
    assert_found(change, "on disk: no such item");
}

static void what_has_no_effect_needs_no_intent(void **context)
{
    struct change poll = intended, get = intended;

    (void)context;
    poll.remote_job = "job-1";
    poll.item = get.item = 0;
    get.method = METHOD_GET;
    assert_string_equal(last_words(poll), "");
    assert_string_equal(last_words(get), "");
}

static void without_a_ledger_nothing_is_judged(void **context)
{
    struct change change = intended;

    (void)context;
    change.unwatched = true;
    change.item = 0;
    assert_string_equal(last_words(change), "");
}

static void who_has_lost_the_lock_is_not_judged(void **context)
{
    struct change change = intended;

    (void)context;
    change.lock_removed = true;
    change.state = ITEM_SUCCEEDED;
    assert_string_equal(last_words(change), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_write_whose_intent_is_durable_may_leave),
        SCRATCH_TEST(an_intent_in_the_open_batch_is_not_durable),
        SCRATCH_TEST(in_any_other_state_there_is_no_intent),
        SCRATCH_TEST(the_key_of_another_generation_is_found),
        SCRATCH_TEST(each_attempt_without_a_key_needs_an_intent_of_its_own),
        SCRATCH_TEST(other_bytes_are_found),
        SCRATCH_TEST(a_write_of_no_item_is_found),
        SCRATCH_TEST(what_has_no_effect_needs_no_intent),
        SCRATCH_TEST(without_a_ledger_nothing_is_judged),
        SCRATCH_TEST(who_has_lost_the_lock_is_not_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
