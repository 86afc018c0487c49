#include "review/suspect/suspect_fit.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"
#include "review/suspect/stacks.h"
#include "review/suspect/suspect_judge.h"

#include <math.h>
#include <string.h>

/* Below that, shares are noise: 30 observations scatter a share of 50% by 9 points. */
static const double observations_least = 30, base_observations_least = 50;
static const double nameless_most = 50; /* percent of the profile */

static const char *text_of(const struct profile *profile, uint32_t string)
{
    return profile->strings[string].text;
}

static double observations(const struct suspect_plan *plan, const struct stacks_side *side)
{
    const struct profile *profile = side->profile;
    if (plan->observation > 0)
        return side->total / plan->observation;
    const char *type = text_of(profile, profile->sample_types[side->sample_type].type);
    if (!strcmp(type, text_of(profile, profile->period_type.type)) && profile->period > 0)
        return side->total / (double)profile->period;
    return (double)profile->sample_count;
}

bool suspect_fit_has_base(const struct suspect_verdict *verdict)
{
    return verdict->stacks->base.profile && verdict->stacks->base.total > 0;
}

bool suspect_fit_base_is_thin(const struct suspect_verdict *verdict)
{
    return !verdict->plan->is_exact &&
           observations(verdict->plan, &verdict->stacks->base) < base_observations_least;
}

double suspect_fit_times(const struct suspect_verdict *verdict, double *scale)
{
    const struct stacks *stacks = verdict->stacks;
    *scale = 1;
    if (!suspect_fit_has_base(verdict))
        return NAN;
    if (verdict->plan->is_rate) {
        int64_t spike_ns = stacks->spike.profile->duration_ns;
        int64_t base_ns = stacks->base.profile->duration_ns;
        if (spike_ns <= 0 || base_ns <= 0)
            return NAN;
        *scale = (double)spike_ns / (double)base_ns;
    }
    return stacks->spike.total / (stacks->base.total * *scale);
}

static double nameless_percent(const struct stacks_side *side)
{
    double sum = 0;
    for (uint32_t i = 0; i < side->profile->sample_count; i++)
        if ((side->samples[i].marks & STACKS_NAMELESS) && !side->samples[i].own_count)
            sum += side->samples[i].weight;
    return 100 * sum / side->total;
}

char *suspect_fit_problem(const struct suspect_verdict *verdict, const struct evidence *evidence,
    const struct owners *owners)
{
    const char *name = verdict->plan->profile;
    const struct stacks_side *spike = &verdict->stacks->spike;
    if (!(spike->total > 0))
        return xasprintf("the %s profile is empty", name);
    double seen = observations(verdict->plan, spike);
    if (!verdict->plan->is_exact && seen < observations_least)
        return seen < 1.5
                   ? xasprintf("the %s profile has only about one sample, which says little", name)
                   : xasprintf("the %s profile has only about %.0f samples, which say little", name,
                         seen);
    double nameless = nameless_percent(spike);
    if (nameless > nameless_most)
        return xasprintf(
            "%.0f%% of the %s profile has addresses instead of names; build the app "
            "with its symbols, or open the profile with `go tool pprof` and the binary",
            nameless, name);
    if (!owners_is_go(owners) && !evidence->incident->own_code_count)
        return xasprintf("the %s profile is not of a Go program, so that the app's own code is not "
                         "known; say in app.own_code what the names of its functions begin with",
            name);
    return NULL;
}

double suspect_fit_scatter(const struct suspect_verdict *verdict, uint32_t function)
{
    const struct suspect_question *question = &verdict->question;
    if (verdict->plan->is_exact)
        return 0;
    double share = suspect_share(question, function, false) / 100;
    double variance = share * (1 - share) / observations(verdict->plan, &verdict->stacks->spike);
    if (question->growth == SUSPECT_POINTS) {
        double base = suspect_share(question, function, true) / 100;
        variance += base * (1 - base) / observations(verdict->plan, &verdict->stacks->base);
    }
    return 100 * sqrt(fmax(variance, 0));
}
