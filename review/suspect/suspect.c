#include "review/suspect/suspect.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"
#include "review/suspect/explained.h"
#include "review/suspect/owners.h"
#include "review/suspect/stacks.h"
#include "review/suspect/suspect_judge.h"
#include "review/suspect/suspect_tell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below that the culprit is rather in what the profile does not show. */
static const double explained_least = 50;
/* A database's driver is thrifty: what calls it may have little of the CPU time. */
#define DATABASE_POINTS 3
/* A heap profile has one in 512 KiB (runtime.MemProfileRate). */
#define HEAP_OBSERVATION (512 * 1024)
/* Less of the container's memory: it is not in what the heap has in use. */
static const double heap_least = 0.2;

static const struct suspect_plan cpu_time = {
    "cpu", "cpu", "of the CPU time", .points_least = 10, .is_rate = true, .is_cpu = true};
static const struct suspect_plan database_cpu_time = {"cpu", "cpu", "of the CPU time",
    .points_least = DATABASE_POINTS, .is_rate = true, .is_cpu = true, .marks = STACKS_DATABASE};
static const struct suspect_plan in_use = {"heap", "inuse_space", "of the heap in use",
    .observation = HEAP_OBSERVATION, .points_least = 10};
static const struct suspect_plan allocated_meanwhile = {"allocs", "alloc_space",
    "of the memory allocated", .observation = HEAP_OBSERVATION, .points_least = 10};
static const struct suspect_plan allocated = {"heap", "alloc_space", "of the memory allocated",
    .observation = HEAP_OBSERVATION, .points_least = 10};
static const struct suspect_plan goroutines = {
    "goroutine", "goroutine", "of the goroutines", .points_least = 10, .is_exact = true};
static const struct suspect_plan many_goroutines = {"goroutine", "goroutine", "of the goroutines",
    .points_least = 10, .is_exact = true, .is_second = true};
static const struct suspect_plan database_goroutines = {"goroutine", "goroutine",
    "of the goroutines", .points_least = 10, .is_exact = true, .marks = STACKS_DATABASE};

enum { PLANS_MAX = 4, SAID_MAX = 4096 };

/* What is looked at, one after the other, until something stands out. */
struct route {
    const char *metric; /* a part of its name */
    const struct suspect_plan *plans[PLANS_MAX];
    /* Where to look when nothing does: as far as it is there. */
    const char *metrics, *profile, *table, *elsewhere;
};

#define MEMORY_INSTEAD                                                                             \
    .profile = "heap", .table = "the table of the heap",                                           \
    .elsewhere = "memory that Go does not manage (cgo, mmap)"
#define DATABASE_INSTEAD                                                                           \
    .profile = "goroutine", .table = "the goroutines that wait for the database",                  \
    .elsewhere = "the database's own statistics"

static const struct route routes[] = {
    {"memory", {&in_use, &many_goroutines, &allocated_meanwhile, &allocated}, MEMORY_INSTEAD},
    {"oom_kills", {&in_use, &many_goroutines, &allocated_meanwhile, &allocated}, MEMORY_INSTEAD},
    {"restarts", {&in_use, &many_goroutines, &cpu_time},
        .metrics = "the metrics before the restart", .elsewhere = "the app's log"},
    {"db.", {&cpu_time, &database_cpu_time, &database_goroutines}, DATABASE_INSTEAD},
    {"rds.", {&cpu_time, &database_cpu_time, &database_goroutines}, DATABASE_INSTEAD},
    {"goroutine", {&goroutines}, .metrics = "the metrics", .profile = "goroutine",
        .table = "the groups of goroutines"},
    {"", {&cpu_time, &many_goroutines}, .metrics = "the metrics", .profile = "cpu",
        .table = "the table of what grew"},
};

/* The app's name may stand before the metric's, and a trigger may have several. */
static const struct route *find_route(const struct incident *incident)
{
    const char *metric = incident->trigger.metric ? incident->trigger.metric : "";
    size_t i = 0;
    while (!strstr(metric, routes[i].metric))
        i++;
    return &routes[i];
}

/* The newest value of a series at the end of a profile; NAN: there is none. */
static double memory_bytes(const struct evidence *evidence, const struct evidence_profile *profile)
{
    const char *app = evidence->incident->app;
    const struct series *series = series_set_find(&evidence->metrics, "memory.bytes");
    if (!series && app) {
        char *name = xasprintf("%s.memory.bytes", app);
        series = series_set_find(&evidence->metrics, name);
        free(name);
    }
    int64_t at_ms = evidence->incident->profiles[profile->listed].finished_ms;
    for (size_t back = 0; series && back < series->count; back++)
        if (!at_ms || series_at(series, back)->time_ms <= at_ms)
            return series_at(series, back)->value;
    return NAN;
}

static void set_problem(struct suspect_verdict *verdict, char *problem)
{
    free(verdict->problem);
    verdict->problem = problem;
    verdict->choice.function = SUSPECT_NONE;
}

static void doubt_heap(const struct evidence *evidence, struct suspect_verdict *verdict)
{
    static const double mib = 1024 * 1024;
    double bytes = memory_bytes(evidence, verdict->from), heap = verdict->stacks->spike.total;
    if (heap < heap_least * bytes)
        set_problem(verdict,
            xasprintf("the heap has %.0f MiB in use while the container's memory is %.0f MiB",
                heap / mib, bytes / mib));
}

static void doubt_cpu(const struct incident_explained *explained, struct suspect_verdict *verdict)
{
    if (explained->percent < explained_least)
        set_problem(verdict,
            xasprintf(
                "the cpu profile has only %.0f%% of the CPU time that the container used "
                "meanwhile: the culprit is not in this profile (another process, or code that "
                "Go's profiler does not see)",
                explained->percent));
}

/* Whether the suspect is on at least half of what calls the database. */
static bool calls_database(const struct suspect_verdict *verdict)
{
    const struct stacks_side *side = &verdict->stacks->spike;
    double all = 0, its = 0;
    for (uint32_t i = 0; i < side->profile->sample_count; i++) {
        const struct stacks_sample *sample = &side->samples[i];
        if (!(sample->marks & STACKS_DATABASE))
            continue;
        all += sample->weight;
        for (uint32_t j = 0; j < sample->own_count; j++)
            if (side->own[sample->first_own + j] == verdict->choice.function) {
                its += sample->weight;
                break;
            }
    }
    return all > 0 && its >= all / 2;
}

static void doubt(const struct evidence *evidence, const struct route *route,
    const struct incident_explained *explained, struct suspect_verdict *verdict)
{
    if (verdict->choice.function == SUSPECT_NONE)
        return;
    bool is_database = route->plans[1] == &database_cpu_time;
    if (verdict->plan == &in_use)
        doubt_heap(evidence, verdict);
    if (verdict->plan->is_cpu)
        doubt_cpu(explained, verdict);
    if (verdict->plan == &cpu_time && is_database && !calls_database(verdict) &&
        verdict->choice.function != SUSPECT_NONE)
        set_problem(
            verdict, xstrdup("what stands out in the cpu profile does not call the database"));
}

/* "; look at the metrics, and at the app's log": what the page has of it. */
static void put_instead(struct buf *out, const struct evidence *evidence, const struct route *route)
{
    const struct evidence_profile *profile = route->profile
                                                 ? evidence_profile(evidence, route->profile)
                                                 : NULL;
    const char *table = profile ? route->table : NULL;
    if (table && !strcmp(route->profile, "cpu") && !profile->base)
        table = "the table of functions";
    const char *const places[] = {
        evidence->metrics.count ? route->metrics : NULL, table, route->elsewhere};
    const char *before = "; look at ";
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!places[i])
            continue;
        buf_printf(out, "%s%s", before, places[i]);
        before = ", and at ";
    }
}

static char *say_nobody(const struct evidence *evidence, const struct route *route, const char *why)
{
    struct buf out;
    buf_init(&out, SAID_MAX);
    buf_puts(&out, why);
    put_instead(&out, evidence, route);
    return buf_take(&out);
}

/* Another profile tells than the one that the trigger is about. */
static void say_why_another(const struct suspect_verdict *first, struct incident_function *suspect)
{
    char *why = xasprintf("%s; looked at because %s", suspect->why, first->problem);
    free(suspect->why);
    suspect->why = why;
}

static void follow(const struct evidence *evidence, const struct owners *owners,
    const struct route *route, struct incident_analysis *out)
{
    struct suspect_verdict verdicts[PLANS_MAX] = {{.plan = NULL}};
    size_t count = 0, last;
    do {
        last = count++;
        suspect_judge(evidence, owners, route->plans[last], &verdicts[last]);
        doubt(evidence, route, &out->explained, &verdicts[last]);
    } while (
        count < PLANS_MAX && route->plans[count] && verdicts[last].choice.function == SUSPECT_NONE);
    bool found = verdicts[last].choice.function != SUSPECT_NONE;
    suspect_tell(&verdicts[found ? last : 0], out);
    if (!found)
        out->no_suspect = say_nobody(evidence, route, verdicts[0].problem);
    else if (last > 0)
        say_why_another(&verdicts[0], &out->suspect);
    for (size_t i = 0; i < count; i++)
        suspect_verdict_free(&verdicts[i]);
}

/* What is in a profile that was left out for its size nobody here knows: another one that happens
 * to be small enough would name whoever is in it. Whoever reads it with more memory does. */
static bool is_left_to_reader(
    const struct evidence *evidence, const struct route *route, struct incident_analysis *out)
{
    const char *name = route->plans[0]->profile;
    const struct evidence_profile *lead = suspect_profile(evidence, name);
    if (!lead || !lead->too_large)
        return false;
    out->no_suspect = xasprintf(
        "the %s profile, which would tell, is too large to analyse here: it is left to a reader "
        "with more memory (`stakeout show`, `stakeout review`)",
        name);
    return true;
}

void suspect_find(const struct evidence *evidence, struct incident_analysis *out)
{
    const char *kind = evidence->incident->kind;
    explained_find(evidence, suspect_profile(evidence, "cpu"), &out->explained);
    if (kind && !strcmp(kind, "baseline")) {
        out->no_suspect = xstrdup("a baseline is taken in calm time: there is nothing to suspect");
        return;
    }
    const struct route *route = find_route(evidence->incident);
    if (is_left_to_reader(evidence, route, out))
        return;
    struct owners *owners = owners_learn(evidence);
    follow(evidence, owners, route, out);
    owners_free(owners);
}
