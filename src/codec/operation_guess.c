#include "purser/codec/operation_guess.h"

#include <stdio.h>
#include <string.h>

enum { SHAPE_BYTES = 96, SHAPES_MAX = 128 };

/* -- shapes ------------------------------------------------------------------------------------ */

/* No name of the API has a digit in it, but for a version in front; ids have. */
static bool is_id(const char *segment, size_t length)
{
    return strcspn(segment, "0123456789/") < length && !(segment[0] == 'v' && length == 2);
}

static bool is_variable(const char *segment, size_t length)
{
    return is_id(segment, length) || memchr(segment, '~', length) != NULL || segment[0] == ':' ||
           (segment[0] == '{' && segment[length - 1] == '}');
}

/* A name in the singular: entries → entry, taxes → tax, bills → bill. */
static size_t without_plural(char *word, size_t length)
{
    if (length > 3 && memcmp(word + length - 3, "ies", 3) == 0) {
        word[length - 3] = 'y';
        return length - 2;
    }
    if (length > 4 &&
        (memcmp(word + length - 4, "sses", 4) == 0 || memcmp(word + length - 3, "xes", 3) == 0))
        return length - 2;
    if (length > 2 && word[length - 1] == 's' && word[length - 2] != 's')
        return length - 1;
    return length;
}

/* "/Products/:id/journal-entries" → "/product/~/journal_entry", by which paths are compared. */
static void write_shape(const char *path, char shape[SHAPE_BYTES])
{
    size_t length = 0;

    while (*path != '\0' && length < SHAPE_BYTES - 2) {
        size_t segment = strcspn(path, "/"), start = length;

        if (segment > 0 && is_variable(path, segment)) {
            shape[length++] = '~';
        } else {
            for (size_t i = 0; i < segment && length < SHAPE_BYTES - 2; i++) {
                char byte = path[i];
                bool upper = byte >= 'A' && byte <= 'Z';

                if (upper && i > 0 && path[i - 1] >= 'a' && path[i - 1] <= 'z')
                    shape[length++] = '_';
                shape[length++] = upper ? (char)(byte - 'A' + 'a') : byte == '-' ? '_' : byte;
            }
            length = start + without_plural(shape + start, length - start);
        }
        path += segment;
        if (*path == '/')
            shape[length++] = *path++;
    }
    while (length > 1 && shape[length - 1] == '/')
        length--;
    shape[length] = '\0';
}

/* -- what is known of other names -------------------------------------------------------------- */

struct other_name {
    const char *shape; /* what it begins with, after write_shape */
    const char *path;  /* what it is called; NULL = it cannot be written */
    const char *note;
};

/* Source: the paths of API descriptions that go about under Rutter's name, and words of the
 * platforms' own APIs. */
static const struct other_name other_names[] = {
    {"/config_webhook", NULL, "webhooks are set up in Rutter's dashboard; no request does it"},
    {"/webhook", NULL, "webhooks are set up in Rutter's dashboard; no request does it"},
    {"/job", NULL, "purser follows the remote jobs of its writes by itself"},
    {"/bank_account", NULL, "bank accounts can only be read"},
    {"/banking", NULL, "what is below /banking can only be read"},
    {"/ad", NULL, "advertisements can only be read"},
    {"/ad_account", NULL, "advertisements can only be read"},
    {"/hri", NULL, "what is below /hris can only be read"},
    {"/payout", NULL, "payouts can only be read"},
    {"/balance", NULL, "balances can only be read"},
    {"/connection/token_exchange", "/item/public_token/exchange", NULL},
    {"/item/token/exchange", "/item/public_token/exchange", NULL},
    {"/supplier", "/accounting/vendors", NULL},
    {"/tax", "/accounting/tax_rates", NULL},
    {"/journal", "/accounting/journal_entries", NULL},
    {"/credit_memo", "/accounting/invoice_credit_memos",
     "or POST /accounting/bill_credit_memos for what a vendor owes"},
    {"/payment", "/accounting/invoice_payments",
     "or POST /accounting/bill_payments for what is paid to a vendor"},
    {"/custom_object", "/accounting/{entityType}", "with the name of the object"},
};

static bool begins_with_segment(const char *shape, const char *start)
{
    size_t length = strlen(start);

    return strncmp(shape, start, length) == 0 && (shape[length] == '\0' || shape[length] == '/');
}

/* -- the search -------------------------------------------------------------------------------- */

struct search {
    enum http_method method; /* PATCH for a PUT */
    char shapes[SHAPES_MAX][SHAPE_BYTES];
    size_t count;
};

static void begin_search(struct search *search, enum http_method method)
{
    const struct operation *operation;

    search->method = method == METHOD_PUT ? METHOD_PATCH : method;
    search->count = 0;
    while (search->count < SHAPES_MAX && (operation = operation_at(search->count)) != NULL)
        write_shape(operation->path, search->shapes[search->count++]);
}

static bool takes_every_name(const struct operation *operation)
{
    return strcmp(operation->path, "/accounting/{entityType}") == 0;
}

static const struct operation *find(const struct search *search, const char *shape, bool any_method)
{
    const struct operation *best = NULL;

    for (size_t i = 0; i < search->count; i++) {
        const struct operation *operation = operation_at(i);

        if (strcmp(search->shapes[i], shape) != 0)
            continue;
        if (operation->method == search->method)
            return operation;
        if (any_method && !takes_every_name(operation) &&
            (best == NULL || operation->method == METHOD_PATCH))
            best = operation;
    }
    return best;
}

/* As it stands, below the area of accounting, without its area, with the id that is missing. */
static const struct operation *find_form(const struct search *search, const char *shape,
                                         bool any_method)
{
    static const char *const areas[] = {"/accounting", "/commerce", "/versioned", "/v2", "/v1"};
    char form[SHAPE_BYTES + 16];
    const struct operation *operation = find(search, shape, any_method);

    if (operation == NULL) {
        (void)snprintf(form, sizeof form, "/accounting%s", shape);
        operation = find(search, form, any_method);
    }
    for (size_t i = 0; operation == NULL && i < sizeof areas / sizeof areas[0]; i++)
        if (begins_with_segment(shape, areas[i]) && shape[strlen(areas[i])] == '/')
            operation = find_form(search, shape + strlen(areas[i]), any_method);
    if (operation == NULL && !any_method && search->method != METHOD_POST &&
        shape[strlen(shape) - 1] != '~' && strlen(shape) < SHAPE_BYTES - 3) {
        (void)snprintf(form, sizeof form, "%s/~", shape);
        operation = find_form(search, form, any_method);
    }
    return operation;
}

/* A few letters off; operations of the right method before others. */
static const struct operation *find_close(const struct search *search, const char *shape)
{
    const char *candidates[SHAPES_MAX];
    char below[SHAPE_BYTES + 16];
    const char *closest;
    size_t count = 0;

    for (size_t i = 0; i < search->count; i++)
        if (operation_at(i)->method == search->method && !takes_every_name(operation_at(i)))
            candidates[count++] = search->shapes[i];
    closest = text_closest(shape, candidates, count);
    if (closest == NULL) {
        (void)snprintf(below, sizeof below, "/accounting%s", shape);
        closest = text_closest(below, candidates, count);
    }
    return closest != NULL ? find(search, closest, false) : NULL;
}

static bool help_with_other_name(const struct search *search, const char *shape, char *help,
                                 size_t help_bytes, const struct operation **guess)
{
    const char *rest = begins_with_segment(shape, "/accounting") ? shape + 11 : shape;

    for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++) {
        const struct other_name *other = &other_names[i];
        char renamed[SHAPE_BYTES];
        size_t length;

        if (!begins_with_segment(rest, other->shape))
            continue;
        if (other->path == NULL) {
            (void)snprintf(help, help_bytes, "%s", other->note);
            return true;
        }
        write_shape(other->path, renamed);
        length = strlen(renamed);
        (void)snprintf(renamed + length, sizeof renamed - length, "%s",
                       rest + strlen(other->shape));
        *guess = find_form(search, renamed, false);
        if (*guess == NULL)
            *guess = find_form(search, renamed, true);
        if (*guess != NULL)
            (void)snprintf(help, help_bytes, "did you mean '%s %s'?%s%s",
                           method_name((*guess)->method), (*guess)->path,
                           other->note != NULL ? " " : "", other->note != NULL ? other->note : "");
        return *guess != NULL;
    }
    return false;
}

bool operation_guess(enum http_method method, const char *path, char *help, size_t help_bytes,
                     const struct operation **guess_out)
{
    struct search search;
    char shape[SHAPE_BYTES];
    const struct operation *guess = NULL, *unheard;

    if (guess_out == NULL)
        guess_out = &unheard;
    *guess_out = NULL;
    help[0] = '\0';
    if (path[0] != '/')
        return false;
    begin_search(&search, method);
    write_shape(path, shape);
    guess = find_form(&search, shape, false);
    if (guess == NULL && help_with_other_name(&search, shape, help, help_bytes, guess_out))
        return true;
    if (guess == NULL)
        guess = find_form(&search, shape, true);
    if (guess == NULL)
        guess = find_close(&search, shape);
    if (guess == NULL)
        return false;
    *guess_out = guess;
    /* Nobody who wants to change or to make something is told to delete it. */
    if (guess->method == METHOD_DELETE && method != METHOD_DELETE)
        (void)snprintf(help, help_bytes, "the API has only DELETE %s for this", guess->path);
    else
        (void)snprintf(help, help_bytes, "did you mean '%s %s'?", method_name(guess->method),
                       guess->path);
    return true;
}
