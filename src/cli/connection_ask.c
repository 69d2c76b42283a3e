#include <string.h>

#include "purser/cli/connection_view.h"
#include "purser/codec/reply.h"
#include "purser/io/clock.h"

enum { ANSWER_ARENA_BYTES = 64 * 1024 * 1024 };

struct asking {
    struct session *session;
    struct connection_view *views;
    struct connection_answers *answers; /* NULL = nobody wants to know */
};

/* Of the first complete answer, else why there was none. */
static void note_answer(struct connection_answers *answers, const struct api_answer *answer)
{
    size_t length = strlen(answer->failure);

    if (answers->answered)
        return;
    if (answer->outcome != TRANSFER_ANSWERED) {
        answers->untrusted = answer->outcome == TRANSFER_UNTRUSTED;
        if (length >= sizeof answers->failure)
            length = sizeof answers->failure - 1;
        memcpy(answers->failure, answer->failure, length);
        answers->failure[length] = '\0';
        return;
    }
    answers->answered = true;
    answers->http_version = answer->http_version;
    answers->http_status = answer->http_status;
    answers->duration_ms = answer->duration_ms;
    answers->host_ms = clock_wall_ms();
    answers->server_ms = reply_date_ms(answer->date);
}

/* The texts of the status live with the answer; the view keeps them longer. */
static enum err_code take_answer(struct asking *asking, const struct api_answer *answer,
                                 struct arena *scratch, struct err *err)
{
    struct arena *keep = &asking->session->arena;
    struct connection_view *view = &asking->views[answer->tag];
    struct connection_status status = {.link_url = "", .detail = "", .platform = ""};

    if (asking->answers != NULL)
        note_answer(asking->answers, answer);
    if (answer->outcome == TRANSFER_ANSWERED)
        status = connection_status_read(
            scratch, &(struct connection_status_input){.http_status = answer->http_status,
                                                       .body = answer->body,
                                                       .content_type = answer->content_type,
                                                       .platform = view->connection->platform});
    else
        status.detail = answer->failure;
    status.link_url = arena_copy_text(keep, status.link_url, strlen(status.link_url));
    status.detail = arena_copy_text(keep, status.detail, strlen(status.detail));
    status.platform = arena_copy_text(keep, status.platform, strlen(status.platform));
    if (status.link_url == NULL || status.detail == NULL || status.platform == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for what the API says");
    connection_view_apply(view, &status, clock_wall_ms());
    return ERR_OK;
}

enum err_code connection_views_ask(struct session *session, struct connection_view *views,
                                   struct api_client *client, struct connection_answers *answers,
                                   struct err *err)
{
    struct asking asking = {.session = session, .views = views, .answers = answers};
    size_t count = connection_views_count(session), started = 0, answered = 0;
    enum err_code code = ERR_OK;
    struct arena scratch;

    arena_init(&scratch, ANSWER_ARENA_BYTES);
    while (answered < count && code == ERR_OK) {
        struct api_answer answer;

        while (started < count && api_client_has_room(client) && code == ERR_OK) {
            code = api_client_start(client,
                                    &(struct api_request){.tag = started,
                                                          .connection = (uint32_t)started,
                                                          .method = METHOD_GET,
                                                          .path = SLICE("/connections/status")},
                                    err);
            started++;
        }
        if (code == ERR_OK)
            code = api_client_next(client, &scratch, &answer, err);
        if (code == ERR_OK)
            code = take_answer(&asking, &answer, &scratch, err);
        arena_clear(&scratch);
        answered++;
    }
    arena_deinit(&scratch);
    return code;
}
