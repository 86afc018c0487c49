#include "review/suspect/suspect_tell.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"
#include "review/suspect/go_names.h"
#include "review/suspect/stacks.h"
#include "review/suspect/suspect_judge.h"
#include "review/suspect/suspect_path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 4096 };

/* Percent, to a tenth: what is less is noise. */
static double to_tenth(double percent)
{
    return isfinite(percent) ? round(percent * 10) / 10 : NAN;
}

/* Where the function begins, as the profile has it. */
static int64_t start_line(const struct stacks *stacks, uint32_t function)
{
    const struct stacks_side *side = &stacks->spike;
    for (uint32_t i = 0; i < side->profile->function_count; i++)
        if (side->of_function[i] == function && side->profile->functions[i].start_line > 0)
            return side->profile->functions[i].start_line;
    return 0;
}

static void fill_function(
    const struct suspect_verdict *verdict, uint32_t function, struct incident_function *out)
{
    const struct stacks *stacks = verdict->stacks;
    const struct profile *profile = stacks->spike.profile;
    const char *file = stacks->functions[function].file;
    double share = suspect_share(&verdict->question, function, false);
    double base = suspect_share(&verdict->question, function, true);
    int64_t line = start_line(stacks, function);
    *out = (struct incident_function){
        .function = xstrdup(stacks->functions[function].name),
        .file = *file ? xstrdup(file) : NULL,
        .line = line ? line : suspect_path_line(stacks, function),
        .profile = xstrdup(verdict->from->name),
        .sample = xstrdup(
            profile->strings[profile->sample_types[stacks->spike.sample_type].type].text),
        .cum_percent = to_tenth(share),
        .baseline_percent = to_tenth(base),
        .delta_points = to_tenth(share - base),
    };
}

static void put_share(struct buf *why, const struct suspect_verdict *verdict)
{
    const struct suspect_question *question = &verdict->question;
    uint32_t function = verdict->choice.function;
    buf_printf(why, "%.1f%% %s %s in it and what it calls",
        suspect_share(question, function, false), verdict->plan->what,
        verdict->plan->is_exact ? "are" : "is");
    double base = suspect_share(question, function, true);
    if (isfinite(base))
        buf_printf(why, ", %.1f%% on a calm day", base);
}

static void put_callee(struct buf *why, const struct suspect_verdict *verdict)
{
    static const double worth_saying = 30;
    double percent;
    uint32_t callee = suspect_path_callee(verdict->stacks, verdict->choice.function, &percent);
    if (callee != SUSPECT_NONE && percent >= worth_saying)
        buf_printf(
            why, ", %.0f%% of that through %s", percent, verdict->stacks->functions[callee].name);
}

static void put_charge(struct buf *why, const struct suspect_verdict *verdict)
{
    if (verdict->charged == SUSPECT_COLLECTOR)
        buf_printf(why,
            "; the garbage collector takes %.1f%% beside it, and this is what allocates",
            verdict->charged_percent);
    if (verdict->charged == SUSPECT_SCHEDULER)
        buf_printf(why, "; the scheduler takes %.1f%% beside it, and this is what waits and wakes",
            verdict->charged_percent);
}

static void put_rule(struct buf *why, const struct suspect_verdict *verdict)
{
    enum suspect_growth growth = verdict->question.growth;
    const char *of = growth == SUSPECT_SHARE ? "share" : "growth";
    if (growth == SUSPECT_ABSOLUTE && !verdict->is_thin)
        buf_printf(
            why, "; the mix is that of a calm day, %.1f times as much of it", verdict->times);
    if (verdict->choice.largest == verdict->choice.function)
        buf_printf(why, "; of the app's own functions it has the largest %s", of);
    else {
        char *name = go_names_short(verdict->stacks->functions[verdict->choice.largest].name);
        buf_printf(why,
            "; it is the deepest of the app's own functions that have at least 80%% of the largest "
            "%s, that of %s",
            of, name);
        free(name);
    }
    if (growth == SUSPECT_SHARE)
        buf_puts(why, verdict->stacks->base.profile ? " (the baseline's profile is empty)"
                                                    : " (there is no baseline to compare with)");
}

static char *why_it(const struct suspect_verdict *verdict)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    put_share(&why, verdict);
    put_callee(&why, verdict);
    put_charge(&why, verdict);
    put_rule(&why, verdict);
    return buf_take(&why);
}

void suspect_tell(const struct suspect_verdict *verdict, struct incident_analysis *out)
{
    uint32_t function = verdict->choice.function;
    if (function != SUSPECT_NONE) {
        fill_function(verdict, function, &out->suspect);
        out->suspect.path = suspect_path(verdict->stacks, function, &out->suspect.path_count);
        out->suspect.why = why_it(verdict);
    }
    if (!verdict->runner_up_count)
        return;
    out->runners_up = xcalloc(verdict->runner_up_count, sizeof *out->runners_up);
    out->runner_up_count = verdict->runner_up_count;
    for (size_t i = 0; i < verdict->runner_up_count; i++)
        fill_function(verdict, verdict->runners_up[i], &out->runners_up[i]);
}
