#include "review/suspect/suspect_judge.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"
#include "review/suspect/go_names.h"
#include "review/suspect/stacks.h"
#include "review/suspect/suspect_charge.h"
#include "review/suspect/suspect_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What it takes to be named; tried with the programs of tests/e2e/culprits and with benchmarks that
 * were written for something else. */
static const double sigmas_least = 3;
static const double share_least = 15;    /* percent, where there is no baseline */
static const double absolute_least = 30; /* percent, where the mix is that of the baseline */
static const double times_least = 1.5; /* as much as in the baseline, for amounts to be compared */
static const double alike = 0.8;       /* of the suspect's: nobody can say which of the two it is */
static const double charge_least = 10; /* percent for the collector or the scheduler */
static const double second_points = 50, second_times = 3, second_alone = 1000;
static const double runner_up_least = 2;
static const double apart_least = 0.5; /* of a runner-up that is not on the stacks of the others */

const struct evidence_profile *suspect_profile(const struct evidence *evidence, const char *name)
{
    for (size_t i = 0; i < evidence->profile_count; i++)
        if (!strcmp(evidence->profiles[i].name, name))
            return &evidence->profiles[i];
    return NULL;
}

/* The sample type that the plan asks for. Profilers of other languages call CPU time by many names:
 * then the default one, else the last one, as `go tool pprof` has it. -1: there is none. */
static int64_t find_type(const struct profile *profile, const struct suspect_plan *plan)
{
    const char *otherwise = profile->strings[profile->default_sample_type].text;
    int64_t found = plan->is_cpu ? (int64_t)profile->sample_type_count - 1 : -1;
    for (uint32_t i = profile->sample_type_count; i-- > 0;) {
        const char *type = profile->strings[profile->sample_types[i].type].text;
        if (!strcmp(type, plan->sample))
            return i;
        if (plan->is_cpu && *otherwise && !strcmp(type, otherwise))
            found = i;
    }
    return found;
}

static void set_problem(struct suspect_verdict *verdict, char *problem)
{
    free(verdict->problem);
    verdict->problem = problem;
    verdict->choice.function = SUSPECT_NONE;
}

static bool compares(const struct suspect_verdict *verdict)
{
    return verdict->question.growth != SUSPECT_SHARE;
}

static double growth_least(const struct suspect_verdict *verdict)
{
    const struct suspect_plan *plan = verdict->plan;
    if (plan->is_second)
        return second_points;
    if (plan->marks || verdict->question.growth == SUSPECT_POINTS)
        return plan->points_least;
    bool same_mix = compares(verdict) && !verdict->is_thin;
    return fmax(plan->points_least, same_mix ? absolute_least : share_least);
}

static double growth_of_choice(const struct suspect_verdict *verdict)
{
    return verdict->choice.function == SUSPECT_NONE ? 0 : verdict->choice.growth;
}

static bool is_enough(const struct suspect_verdict *verdict)
{
    if (verdict->choice.function == SUSPECT_NONE)
        return false;
    double scattered = sigmas_least * suspect_fit_scatter(verdict, verdict->choice.function);
    return verdict->choice.growth >= growth_least(verdict) && verdict->choice.growth > scattered;
}

static bool is_much_more_than_usual(const struct suspect_verdict *verdict)
{
    if (isnan(verdict->times))
        return verdict->stacks->spike.total >= second_alone;
    return verdict->times >= second_times;
}

/* The function that by itself has most of what no own code is on the stack of. */
static const char *largest_of_others(const struct stacks *stacks)
{
    double *flat = xcalloc((size_t)stacks->count + 1, sizeof *flat);
    uint32_t frames[STACKS_FRAMES_MAX], largest = 0;
    for (uint32_t i = 0; i < stacks->spike.profile->sample_count; i++) {
        if (suspect_rest_of(&stacks->spike.samples[i]) != SUSPECT_OTHERS)
            continue;
        uint32_t count = stacks_frames(&stacks->spike, i, frames);
        if (!count)
            continue;
        uint32_t leaf = frames[count - 1];
        flat[leaf] += stacks->spike.samples[i].weight;
        largest = flat[leaf] > flat[largest] ? leaf : largest;
    }
    free(flat);
    return stacks->count ? stacks->functions[largest].name : "?";
}

static void say_others(struct suspect_verdict *verdict, double others)
{
    char *name = go_names_short(largest_of_others(verdict->stacks));
    set_problem(verdict,
        xasprintf("%.1f%s %s %s in code that the app's own functions do not call, or only pass "
                  "requests on to, most of it in %s",
            others, compares(verdict) ? " points more" : "%", verdict->plan->what,
            compares(verdict) ? "are" : "is", name));
    free(name);
}

static void say_too_little(struct suspect_verdict *verdict)
{
    const struct suspect_choice *choice = &verdict->choice;
    const char *profile = verdict->plan->profile;
    if (choice->function == SUSPECT_NONE) {
        set_problem(verdict,
            xasprintf("no function of the app's own %s the %s profile",
                compares(verdict) ? "has more than in the baseline in" : "is in", profile));
        return;
    }
    char *name = go_names_short(verdict->stacks->functions[choice->function].name);
    set_problem(verdict,
        xasprintf("no function of the app's own stands out in the %s profile; the most is %s with "
                  "%.1f%s %s",
            profile, name, choice->growth, compares(verdict) ? " points more" : "%",
            verdict->plan->what));
    free(name);
}

static void say_alike(struct suspect_verdict *verdict, const struct suspect_choice *second)
{
    const struct suspect_choice *first = &verdict->choice;
    char *name = go_names_short(verdict->stacks->functions[first->function].name);
    char *other = go_names_short(verdict->stacks->functions[second->function].name);
    verdict->runners_up[0] = first->function;
    verdict->runners_up[1] = second->function;
    verdict->runner_up_count = 2;
    set_problem(verdict, xasprintf("%s with %.1f%% and %s with %.1f%% %s are alike", name,
                             first->growth, other, second->growth, verdict->plan->what));
    free(name);
    free(other);
}

static void exclude(struct suspect_verdict *verdict, uint32_t function)
{
    if (!verdict->is_excluded)
        verdict->is_excluded = xcalloc(
            (size_t)verdict->stacks->count + 1, sizeof *verdict->is_excluded);
    verdict->is_excluded[function] = true;
}

/* Those that stand out in what is left when the stacks of the suspect are taken away. Without a
 * baseline's shares, one that has about as much takes its place in doubt. */
static void find_runners_up(struct suspect_verdict *verdict)
{
    struct suspect_question question = verdict->question;
    struct suspect_choice next;
    exclude(verdict, verdict->choice.function);
    while (verdict->runner_up_count < SUSPECT_RUNNERS_UP_MAX) {
        question.is_excluded = verdict->is_excluded;
        suspect_select(&question, &next);
        if (next.function == SUSPECT_NONE || next.growth < runner_up_least)
            return;
        if (verdict->runner_up_count == 0 && question.growth != SUSPECT_POINTS &&
            next.growth >= alike * verdict->choice.growth) {
            say_alike(verdict, &next);
            return;
        }
        exclude(verdict, next.function);
        double whole = suspect_share(&question, next.function, false);
        if (next.share >= apart_least * whole)
            verdict->runners_up[verdict->runner_up_count++] = next.function;
    }
}

/* A baseline takes containers out by itself: they contain everything on a calm day too. */
static void step_below_container(struct suspect_verdict *verdict)
{
    uint32_t function = verdict->choice.function;
    if (function == SUSPECT_NONE)
        return;
    bool is_router = verdict->stacks->functions[function].marks & STACKS_PASSES_ON;
    if (verdict->question.growth == SUSPECT_POINTS && !is_router)
        return;
    if (!suspect_contains_all(&verdict->question, function))
        return;
    verdict->stacks->functions[function].passes_on = true;
    suspect_select(&verdict->question, &verdict->choice);
}

/* When collector or scheduler have more than any own function, their causes are asked for. */
static void charge(struct suspect_verdict *verdict)
{
    static const enum suspect_rest rests[] = {SUSPECT_COLLECTOR, SUSPECT_SCHEDULER};
    struct suspect_question *question = &verdict->question;
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        double growth = suspect_growth_of_rest(question, rests[i]), causes, base_causes;
        if (growth < charge_least || growth <= growth_of_choice(verdict))
            continue;
        verdict->spike_weights = suspect_charge(&question->stacks->spike, rests[i], &causes);
        verdict->base_weights = suspect_charge(&question->stacks->base, rests[i], &base_causes);
        question->spike_weights = verdict->spike_weights;
        question->base_weights = verdict->base_weights;
        verdict->charged = rests[i];
        verdict->charged_percent = suspect_rest_percent(question, rests[i]);
        suspect_select(question, &verdict->choice);
        return;
    }
}

static void compare_amounts(struct suspect_verdict *verdict, double scale)
{
    verdict->question.growth = SUSPECT_ABSOLUTE;
    verdict->question.scale = scale;
    suspect_select(&verdict->question, &verdict->choice);
}

static void decide(struct suspect_verdict *verdict)
{
    struct suspect_question *question = &verdict->question;
    double scale;
    verdict->times = suspect_fit_times(verdict, &scale);
    if (!suspect_fit_has_base(verdict))
        question->growth = SUSPECT_SHARE;
    else if (suspect_fit_base_is_thin(verdict) && !isnan(verdict->times))
        verdict->is_thin = true;
    if (verdict->is_thin)
        compare_amounts(verdict, scale);
    suspect_select(question, &verdict->choice);
    if (verdict->plan->is_cpu && !verdict->plan->marks)
        charge(verdict);
    if (!is_enough(verdict) && question->growth == SUSPECT_POINTS && verdict->times >= times_least)
        compare_amounts(verdict, scale);
    step_below_container(verdict);
    double others = verdict->plan->marks ? 0 : suspect_growth_of_rest(question, SUSPECT_OTHERS);
    if (others >= growth_least(verdict) && others > growth_of_choice(verdict))
        say_others(verdict, others);
    else if (!is_enough(verdict) || (verdict->plan->is_second && !is_much_more_than_usual(verdict)))
        say_too_little(verdict);
    else
        find_runners_up(verdict);
}

static bool can_look_at(struct suspect_verdict *verdict)
{
    const struct evidence_profile *from = verdict->from;
    const struct suspect_plan *plan = verdict->plan;
    if (!from)
        set_problem(verdict, xasprintf("there is no %s profile", plan->profile));
    else if (!from->profile)
        set_problem(verdict,
            xasprintf("the %s profile cannot be analysed: %s", plan->profile, from->problem.text));
    else if (find_type(from->profile, plan) < 0)
        set_problem(verdict,
            xasprintf("the %s profile has no values of the type %s", plan->profile, plan->sample));
    else
        return true;
    return false;
}

void suspect_judge(const struct evidence *evidence, const struct owners *owners,
    const struct suspect_plan *plan, struct suspect_verdict *verdict)
{
    const struct evidence_profile *from = suspect_profile(evidence, plan->profile);
    *verdict = (struct suspect_verdict){
        .plan = plan, .from = from, .charged = SUSPECT_OWN, .times = NAN};
    verdict->choice.function = SUSPECT_NONE;
    if (!can_look_at(verdict))
        return;
    int64_t type = find_type(from->profile, plan);
    int64_t base_type = from->base ? find_type(from->base, plan) : -1;
    verdict->stacks = stacks_open(owners, from->profile, (uint32_t)type,
        base_type < 0 ? NULL : from->base, base_type < 0 ? 0 : (uint32_t)base_type);
    verdict->question = (struct suspect_question){
        .stacks = verdict->stacks, .growth = SUSPECT_POINTS, .scale = 1, .marks = plan->marks};
    char *problem = suspect_fit_problem(verdict, evidence, owners);
    if (problem)
        set_problem(verdict, problem);
    else
        decide(verdict);
}

void suspect_verdict_free(struct suspect_verdict *verdict)
{
    if (verdict->stacks)
        stacks_close(verdict->stacks);
    free(verdict->problem);
    free(verdict->spike_weights);
    free(verdict->base_weights);
    free(verdict->is_excluded);
}
