#include "purser/core/estimate.h"

static int64_t at_most(uint64_t duration_ms)
{
    return duration_ms > (uint64_t)ESTIMATE_MAX_MS ? ESTIMATE_MAX_MS : (int64_t)duration_ms;
}

static int64_t sum_ms(int64_t a_ms, int64_t b_ms)
{
    return at_most((uint64_t)a_ms + (uint64_t)b_ms);
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

static int64_t times_ms(uint64_t count, uint64_t each_ms)
{
    if (each_ms != 0 && count > (uint64_t)ESTIMATE_MAX_MS / each_ms)
        return ESTIMATE_MAX_MS;
    return at_most(count * each_ms);
}

static int64_t by_rate_ms(uint64_t count, uint32_t rate_millis)
{
    if (rate_millis == 0)
        return 0;
    if (count > UINT64_MAX / 1000000)
        return ESTIMATE_MAX_MS;
    return at_most(count * 1000000 / rate_millis);
}

/* A rate that doubles each second. */
static int64_t by_doubling_ms(uint64_t count, uint32_t rate_millis)
{
    unsigned __int128 a_second = rate_millis / 1000, left = count;
    int64_t duration_ms = 0;

    if (a_second == 0)
        return by_rate_ms(count, rate_millis);
    for (; left >= a_second; a_second *= 2) {
        left -= a_second;
        duration_ms += 1000;
    }
    return duration_ms + (int64_t)(left * 1000 / a_second);
}

static int64_t by_all_rate_ms(const struct estimate_load *load, uint64_t count)
{
    return load->rate_doubles ? by_doubling_ms(count, load->rate_millis)
                              : by_rate_ms(count, load->rate_millis);
}

/* `count` ≥ 1. */
static int64_t by_places_ms(uint64_t count, uint32_t places, uint64_t each_ms)
{
    return times_ms((count - 1) / places + 1, each_ms);
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void take_longer(struct estimate *estimate, int64_t duration_ms, enum estimate_bound bound,
                        size_t lane, size_t job)
{
    if (duration_ms <= estimate->duration_ms)
        return;
    *estimate =
        (struct estimate){.duration_ms = duration_ms, .bound = bound, .lane = lane, .job = job};
}

static int64_t cycle_ms(const struct estimate_part *part)
{
    return sum_ms(part->answer_ms, part->finish_ms);
}

/* Until the last one is answered, if nothing held it up but the limits; the slowest of them is
 * told. */
static int64_t send_ms(const struct estimate_load *load, const struct estimate_part *part,
                       struct estimate *longest)
{
    const struct estimate_lane *lane = &load->lanes[part->lane];
    struct estimate slowest = {.bound = ESTIMATE_NOTHING};
    uint64_t sends = sum_of(part->sends, part->repeats);

    take_longer(&slowest, by_all_rate_ms(load, sum_of(sends, part->polls)), ESTIMATE_ALL_RATE, 0,
                0);
    take_longer(&slowest, by_rate_ms(sends, lane->rate_millis), ESTIMATE_LANE_RATE, part->lane, 0);
    take_longer(&slowest, by_places_ms(sends, lane->in_flight, part->answer_ms),
                ESTIMATE_LANE_IN_FLIGHT, part->lane, 0);
    take_longer(&slowest, times_ms(sends, part->commit_ms), ESTIMATE_COMMITS, 0, 0);
    take_longer(longest, slowest.duration_ms, slowest.bound, slowest.lane, slowest.job);
    return slowest.duration_ms;
}

/* `begin_ms` and `after_ms`: what it needs allows its first item to begin, and its last one. */
static int64_t end_of_part(struct estimate_load *load, size_t job, const struct estimate_part *part,
                           int64_t begin_ms, int64_t after_ms, struct estimate *longest)
{
    struct estimate_lane *lane = &load->lanes[part->lane];
    int64_t chain_ms = times_ms(part->chain, (uint64_t)cycle_ms(part));
    int64_t sending_ms, end_ms;

    take_longer(longest, cycle_ms(part), ESTIMATE_ENDS, part->lane, job);
    sending_ms = send_ms(load, part, longest);
    if (part->ahead > 0 && part->ahead < part->sends)
        begin_ms = sum_ms(begin_ms, cycle_ms(part));
    lane->free_ms = sum_ms(begin_ms, sending_ms);
    take_longer(longest, chain_ms, ESTIMATE_CHAIN, part->lane, job);
    end_ms = later(sum_ms(lane->free_ms, part->finish_ms), sum_ms(begin_ms, cycle_ms(part)));
    end_ms = later(end_ms, sum_ms(begin_ms, chain_ms));
    end_ms = later(end_ms, sum_ms(after_ms, cycle_ms(part)));
    return part->repeats == 0 ? end_ms : sum_ms(end_ms, part->repeat_ms);
}

static void place_job(struct estimate_load *load, size_t index, struct estimate *longest)
{
    struct estimate_job *job = &load->jobs[index];
    int64_t begin_ms = 0, after_ms = 0;

    for (size_t i = 0; i < job->need_count; i++) {
        const struct estimate_job *parent = &load->jobs[job->needs[i].job];

        begin_ms = later(begin_ms, job->needs[i].whole ? parent->end_ms : parent->first_ms);
        after_ms = later(after_ms, parent->end_ms);
    }
    job->first_ms = job->end_ms = 0;
    for (size_t i = 0; i < job->part_count; i++) {
        const struct estimate_part *part = &job->parts[i];
        int64_t own_ms = later(begin_ms, load->lanes[part->lane].free_ms);
        int64_t first_ms = sum_ms(own_ms, cycle_ms(part));

        if (part->sends == 0)
            continue;
        if (job->end_ms == 0 || first_ms < job->first_ms)
            job->first_ms = first_ms;
        job->end_ms = later(job->end_ms, end_of_part(load, index, part, own_ms, after_ms, longest));
    }
}

/* The limits of all together, whatever the order. */
static int64_t by_all_ms(const struct estimate_load *load, struct estimate *longest)
{
    uint64_t requests = load->other_polls;
    int64_t commits_ms = 0, items_ms = 0, places_ms = 0, least_ms;
    uint32_t last_ms = load->other_ms;

    for (size_t i = 0; i < load->job_count; i++)
        for (size_t j = 0; j < load->jobs[i].part_count; j++) {
            const struct estimate_part *part = &load->jobs[i].parts[j];

            uint64_t sends = sum_of(part->sends, part->repeats);

            requests = sum_of(requests, sum_of(sends, part->polls));
            commits_ms = sum_ms(commits_ms, times_ms(sends, part->commit_ms));
            items_ms = sum_ms(items_ms, times_ms(part->sends, (uint64_t)cycle_ms(part)));
            places_ms = sum_ms(places_ms, times_ms(sends, part->answer_ms));
            if (part->sends > 0 && part->finish_ms > last_ms)
                last_ms = part->finish_ms;
        }
    least_ms = by_all_rate_ms(load, requests);
    take_longer(longest, least_ms, ESTIMATE_ALL_RATE, 0, 0);
    take_longer(longest, commits_ms, ESTIMATE_COMMITS, 0, 0);
    take_longer(longest, items_ms / load->outstanding, ESTIMATE_OUTSTANDING, 0, 0);
    take_longer(longest, places_ms / load->in_flight, ESTIMATE_ALL_IN_FLIGHT, 0, 0);
    least_ms = later(least_ms, later(commits_ms, places_ms / load->in_flight));
    return later(sum_ms(least_ms, last_ms), items_ms / load->outstanding);
}

struct estimate estimate_duration(struct estimate_load *load)
{
    struct estimate longest = {.bound = ESTIMATE_NOTHING};
    int64_t duration_ms = 0;

    for (size_t i = 0; i < load->lane_count; i++)
        load->lanes[i].free_ms = 0;
    for (size_t i = 0; i < load->job_count; i++) {
        place_job(load, i, &longest);
        duration_ms = later(duration_ms, load->jobs[i].end_ms);
    }
    duration_ms = later(duration_ms, by_all_ms(load, &longest));
    if (longest.bound == ESTIMATE_NOTHING && load->other_polls > 0)
        longest.bound = ESTIMATE_ENDS;
    longest.duration_ms = duration_ms;
    return longest;
}
