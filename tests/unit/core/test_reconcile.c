#include "purser/core/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DOUBT_MS = 2000 * 1000, FRESH_MS = DOUBT_MS + TRANSIT_MS_MAX + 1 };

static struct evidence evidence_of(enum job_evidence job, enum lookup_evidence lookup, bool fresh)
{
    return (struct evidence){.doubt = REASON_UNKEYED_UNKNOWN,
                             .job = job,
                             .lookup = lookup,
                             .doubt_ms = DOUBT_MS,
                             .last_sync_ms = fresh ? FRESH_MS : DOUBT_MS};
}

/* For each answer of the remote job (rows) and of the look-up (columns): what is proposed with old
 * reads and with fresh ones. D done, N not done, L later, ? a person. */
static void every_pair_of_evidence_leads_to_one_proposal(void **state)
{
    static const struct {
        enum job_evidence job;
        const char *old, *fresh; /* by enum lookup_evidence: none not-needed one older taken several
                                    nothing impossible - */
    } rows[] = {
        {JOB_NOT_KNOWN, "??D???L?L", "??D???N?L"},   {JOB_SUCCEEDED, "DDDDDDDDD", "DDDDDDDDD"},
        {JOB_FAILED, "NN?NN?NNN", "NN?NN?NNN"},      {JOB_RUNNING, "LLLLLLLLL", "LLLLLLLLL"},
        {JOB_PARTLY_DONE, "?????????", "?????????"}, {JOB_UNCLEAR, "??D???L?L", "??D???N?L"},
        {JOB_FORGOTTEN, "??D???L?L", "??D???N?L"},   {JOB_UNANSWERED, "LLD???LLL", "LLD???LLL"},
    };
    static const char letters[] = {[PROPOSE_DONE] = 'D',
                                   [PROPOSE_NOT_DONE] = 'N',
                                   [PROPOSE_LATER] = 'L',
                                   [PROPOSE_LOOK] = '?'};

    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], JOB_EVIDENCE_COUNT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(rows[i].job, i);
        for (unsigned lookup = 0; lookup < LOOKUP_EVIDENCE_COUNT; lookup++) {
            struct evidence old = evidence_of(rows[i].job, (enum lookup_evidence)lookup, false);
            struct evidence fresh = evidence_of(rows[i].job, (enum lookup_evidence)lookup, true);
            char for_old = letters[reconcile_propose(&old)];
            char for_fresh = letters[reconcile_propose(&fresh)];

            if (for_old != rows[i].old[lookup] || for_fresh != rows[i].fresh[lookup])
                fail_msg("%s, %s: %c %c", job_evidence_name(rows[i].job),
                         lookup_evidence_name((enum lookup_evidence)lookup), for_old, for_fresh);
        }
    }
}

static void no_read_proves_absence_before_a_synchronisation_that_began_after_the_write(void **state)
{
    static const struct {
        int64_t doubt_ms, last_sync_ms, server_ahead_ms;
        bool is_fresh;
    } cases[] = {
        {DOUBT_MS, DOUBT_MS + TRANSIT_MS_MAX, 0, false},
        {DOUBT_MS, FRESH_MS, 0, true},
        {DOUBT_MS, 0, 0, false},               /* it was never told */
        {0, FRESH_MS, 0, false},               /* nobody knows when it was sent */
        {DOUBT_MS, FRESH_MS, 1, false},        /* the server's clock is ahead … */
        {DOUBT_MS, DOUBT_MS, -FRESH_MS, true}, /* … or behind */
        {DOUBT_MS, 0, -2 * FRESH_MS, false},   /* 0 alone means that it is not known */
        {0, FRESH_MS, -2 * FRESH_MS, false},
        {DOUBT_MS, 1, -FRESH_MS, true},
        {DOUBT_MS, -1, -2 * FRESH_MS, true},
        {1, FRESH_MS, 0, true},
        {-1, FRESH_MS, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct evidence evidence = {.doubt_ms = cases[i].doubt_ms,
                                    .last_sync_ms = cases[i].last_sync_ms,
                                    .server_ahead_ms = cases[i].server_ahead_ms};

        if (reconcile_reads_are_fresh(&evidence) != cases[i].is_fresh)
            fail_msg("case %zu", i);
    }
}

static void what_was_there_long_before_the_write_is_not_what_was_written(void **state)
{
    (void)state;
    assert_true(reconcile_is_older(DOUBT_MS - TRANSIT_MS_MAX - 1, DOUBT_MS));
    assert_false(reconcile_is_older(DOUBT_MS - TRANSIT_MS_MAX, DOUBT_MS));
    assert_false(reconcile_is_older(DOUBT_MS + 1, DOUBT_MS));
    assert_false(reconcile_is_older(0, DOUBT_MS));
    assert_false(reconcile_is_older(DOUBT_MS, 0));
    assert_false(reconcile_is_older(-2 * DOUBT_MS, 0)); /* 0 alone means that it is not known */
    assert_true(reconcile_is_older(-2 * DOUBT_MS, 1));
    assert_true(reconcile_is_older(-2 * DOUBT_MS, -1));
    assert_true(reconcile_is_older(-1, DOUBT_MS));
    assert_true(reconcile_is_older(1, DOUBT_MS));
}

static void what_is_never_known_needs_a_person_and_no_waiting(void **state)
{
    struct evidence evidence = evidence_of(JOB_NOT_KNOWN, LOOKUP_FOUND_NOTHING, true);

    (void)state;
    evidence.doubt_ms = 0;
    assert_int_equal(reconcile_propose(&evidence), PROPOSE_LOOK);
    evidence.doubt_ms = -1;
    evidence.last_sync_ms = 0;
    assert_int_equal(reconcile_propose(&evidence), PROPOSE_LATER);
}

static void finding_one_settles_no_doubt_about_how_often_or_how_much_of_it_is_there(void **state)
{
    static const enum reason doubts[] = {REASON_TWO_SERVER_JOBS, REASON_PARTIAL_SUCCESS,
                                         REASON_KEY_CONFLICT};

    (void)state;
    for (size_t i = 0; i < sizeof doubts / sizeof doubts[0]; i++) {
        struct evidence found = evidence_of(JOB_NOT_KNOWN, LOOKUP_FOUND_ONE, true);
        struct evidence success = evidence_of(JOB_SUCCEEDED, LOOKUP_NOT_NEEDED, true);
        struct evidence failure = evidence_of(JOB_FAILED, LOOKUP_FOUND_NOTHING, true);
        struct evidence running = evidence_of(JOB_RUNNING, LOOKUP_NOT_NEEDED, true);

        found.doubt = success.doubt = failure.doubt = running.doubt = doubts[i];
        assert_int_equal(reconcile_propose(&found), PROPOSE_LOOK);
        assert_int_equal(reconcile_propose(&success), PROPOSE_LOOK);
        assert_int_equal(reconcile_propose(&failure), PROPOSE_LOOK);
        assert_int_equal(reconcile_propose(&running), PROPOSE_LATER);
    }
}

static void the_look_up_is_asked_unless_the_remote_job_says_enough(void **state)
{
    (void)state;
    for (unsigned job = 0; job < JOB_EVIDENCE_COUNT; job++)
        assert_int_equal(reconcile_needs_lookup((enum job_evidence)job),
                         job != JOB_SUCCEEDED && job != JOB_RUNNING && job != JOB_PARTLY_DONE);
}

static void every_word_has_a_name_and_a_meaning(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JOB_EVIDENCE_COUNT; i++)
        assert_true(job_evidence_name((enum job_evidence)i)[0] != '\0' &&
                    job_evidence_meaning((enum job_evidence)i)[0] != '\0');
    for (unsigned i = 0; i < LOOKUP_EVIDENCE_COUNT; i++)
        assert_true(lookup_evidence_name((enum lookup_evidence)i)[0] != '\0' &&
                    lookup_evidence_meaning((enum lookup_evidence)i)[0] != '\0');
    for (unsigned i = 0; i < PROPOSAL_COUNT; i++)
        assert_true(proposal_name((enum proposal)i)[0] != '\0' &&
                    proposal_meaning((enum proposal)i)[0] != '\0');
}

static void while_nobody_answers_even_a_doubt_about_how_often_is_only_put_off(void **state)
{
    struct evidence evidence = evidence_of(JOB_NOT_KNOWN, LOOKUP_UNANSWERED, true);

    (void)state;
    evidence.doubt = REASON_TWO_SERVER_JOBS;
    assert_int_equal(reconcile_propose(&evidence), PROPOSE_LATER);
    evidence.lookup = LOOKUP_FOUND_NOTHING;
    assert_int_equal(reconcile_propose(&evidence), PROPOSE_LOOK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_evidence_leads_to_one_proposal),
        cmocka_unit_test(
            no_read_proves_absence_before_a_synchronisation_that_began_after_the_write),
        cmocka_unit_test(what_was_there_long_before_the_write_is_not_what_was_written),
        cmocka_unit_test(what_is_never_known_needs_a_person_and_no_waiting),
        cmocka_unit_test(finding_one_settles_no_doubt_about_how_often_or_how_much_of_it_is_there),
        cmocka_unit_test(the_look_up_is_asked_unless_the_remote_job_says_enough),
        cmocka_unit_test(every_word_has_a_name_and_a_meaning),
        cmocka_unit_test(while_nobody_answers_even_a_doubt_about_how_often_is_only_put_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
