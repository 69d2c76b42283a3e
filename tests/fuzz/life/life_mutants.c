/* The rules with one of them changed, as prove-model has them: each must be found out by the laws
 * of fuzz_lifecycle, with inputs that are drawn from a fixed seed, and none may be found in the
 * rules as they are.
 *
 *   life-mutants [--seed N] [--executions N] [--sound N]
 *
 * Exit status: 0 all were found and the true rules were not, 1 otherwise, 2 wrong usage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"
#include "purser/base/rng.h"

enum { MOVES_MAX = 160 };

struct arguments {
    uint64_t seed, executions, sound;
};

/* What a child tells: it may die of an assertion in the changed rules. */
struct finding {
    uint64_t executions;
    char law[120];
};

static size_t draw_input(struct rng *rng, uint8_t *bytes)
{
    size_t length = LIFE_MOVE_BYTES * (1 + 4 + (size_t)rng_below(rng, MOVES_MAX - 4));

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)rng_below(rng, 256);
    return length;
}

static struct finding look_for(const struct rules *rules, uint64_t seed, uint64_t executions)
{
    uint8_t bytes[LIFE_MOVE_BYTES * (MOVES_MAX + 1)];
    struct finding finding = {0};
    struct rng rng;

    rng_init(&rng, seed);
    while (finding.executions < executions) {
        size_t length = draw_input(&rng, bytes);
        const char *broken = life_play(rules, bytes, length);

        finding.executions++;
        if (broken == NULL)
            continue;
        (void)snprintf(finding.law, sizeof finding.law, "%s", broken);
        break;
    }
    return finding;
}

/* True when a law was broken. An assertion is no law. */
static bool look_in_child(const struct rules *rules, const struct arguments *arguments,
                          struct finding *finding)
{
    int ends[2], status = 0;
    bool told;
    pid_t child;

    memset(finding, 0, sizeof *finding);
    if (pipe(ends) != 0 || (child = fork()) < 0)
        return false;
    if (child == 0) {
        struct finding own = look_for(rules, arguments->seed, arguments->executions);

        _exit(write(ends[1], &own, sizeof own) == (ssize_t)sizeof own ? 0 : 1);
    }
    (void)close(ends[1]);
    told = read(ends[0], finding, sizeof *finding) == (ssize_t)sizeof *finding;
    (void)close(ends[0]);
    (void)waitpid(child, &status, 0);
    if (!told)
        (void)snprintf(finding->law, sizeof finding->law, "(an assertion, no law)");
    return told && finding->law[0] != '\0';
}

static int by_number(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

    return (a > b) - (a < b);
}

static int run(const struct arguments *arguments)
{
    struct finding sound = look_for(&model_true_rules, arguments->seed, arguments->sound);
    uint64_t needed[256], most = 0;
    size_t found = 0;

    if (sound.law[0] != '\0')
        (void)printf("  the rules as they are: %s\n", sound.law);
    for (size_t i = 0; i < model_planted_count && i < 256; i++) {
        const struct rules *rules = &model_planted[i].rules;
        struct finding finding;

        if (look_in_child(rules, arguments, &finding))
            needed[found++] = finding.executions;
        (void)printf("  %-50s %8llu  %s\n", rules->name, (unsigned long long)finding.executions,
                     finding.law[0] != '\0' ? finding.law : "NOT FOUND");
    }
    qsort(needed, found, sizeof needed[0], by_number);
    most = found > 0 ? needed[found - 1] : 0;
    (void)printf("life-mutants: %zu of %zu found, half of them within %llu executions, all within "
                 "%llu; none in %llu of the rules as they are\n",
                 found, model_planted_count,
                 (unsigned long long)(found > 0 ? needed[found / 2] : 0), (unsigned long long)most,
                 (unsigned long long)sound.executions);
    return found == model_planted_count && sound.law[0] == '\0' ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.seed = 1, .executions = 100000, .sound = 100000};

    for (int i = 1; i < argc; i += 2) {
        uint64_t *number = strcmp(argv[i], "--seed") == 0         ? &arguments.seed
                           : strcmp(argv[i], "--executions") == 0 ? &arguments.executions
                           : strcmp(argv[i], "--sound") == 0      ? &arguments.sound
                                                                  : NULL;

        if (number == NULL || i + 1 == argc) {
            (void)fprintf(stderr, "usage: life-mutants [--seed N] [--executions N] [--sound N]\n");
            return 2;
        }
        *number = strtoull(argv[i + 1], NULL, 10);
    }
    return run(&arguments);
}
