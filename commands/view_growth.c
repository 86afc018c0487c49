#include "commands/terminal.h"
#include "commands/view.h"
#include "commands/view_parts.h"
#include "core/alloc.h"
#include "core/incident.h"
#include "core/metric.h"
#include "core/series.h"
#include "review/analysis/source_link.h"
#include "review/compare/growth.h"
#include "review/evidence/evidence.h"
#include "review/page/amount.h"
#include "review/profile/profile.h"
#include "review/suspect/go_names.h"
#include "review/suspect/owners.h"
#include "review/top/totals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS_SHOWN = 10, CHART_WIDTH = 30 };

static const char *const compared_titles[] = {"GREW", "NOW", "CALM", "ITSELF", "FUNCTION"};
static const char *const amount_titles[] = {"CHANGE", "NOW", "CALM", "ITSELF", "FUNCTION"};
static const char *const plain_titles[] = {"SHARE", "ITSELF", "FUNCTION"};

/* The profile that leads: the suspect's, else the first that can be looked at. */
static const struct evidence_profile *find_lead(const struct evidence *evidence)
{
    const char *name = evidence->incident->analysis.suspect.profile;
    const struct evidence_profile *lead = name ? evidence_profile(evidence, name) : NULL;
    for (size_t i = 0; i < evidence->profile_count && !lead; i++)
        if (evidence->profiles[i].profile)
            lead = &evidence->profiles[i];
    return lead;
}

static int sample_type_of(const struct evidence *evidence, const struct evidence_profile *lead)
{
    const struct incident_function *suspect = &evidence->incident->analysis.suspect;
    bool same = suspect->profile && !strcmp(suspect->profile, lead->name);
    int type = totals_sample_type(lead->profile, same ? suspect->sample : NULL);
    return type < 0 ? totals_sample_type(lead->profile, NULL) : type;
}

/* What the table is of. */
static char *name_of(const char *profile, const char *sample)
{
    static const struct {
        const char *profile, *sample, *name; /* profile NULL: any */
    } known[] = {
        {"cpu", "cpu", "CPU time"},
        {"cpu", "samples", "samples of the CPU"},
        {NULL, "goroutine", "goroutines"},
        {NULL, "inuse_space", "the heap in use"},
        {NULL, "inuse_objects", "the heap's objects"},
        {"heap", "alloc_space", "memory allocated since the start"},
        {NULL, "alloc_space", "memory allocated"},
        {"heap", "alloc_objects", "objects allocated since the start"},
        {NULL, "alloc_objects", "objects allocated"},
        {"mutex", "delay", "time waited for locks"},
        {"block", "delay", "time waited"},
        {"mutex", "contentions", "waits for locks"},
        {"block", "contentions", "waits"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].sample, sample) &&
            (!known[i].profile || !strcmp(known[i].profile, profile)))
            return xstrdup(known[i].name);
    return xasprintf("%s (%s)", profile, sample);
}

static bool has_amounts(const struct comparison *comparison)
{
    return comparison->has_base && comparison->kind == COMPARISON_AMOUNTS;
}

/* Goroutines, memory in use: as many as they are, since shares of two sums do not add up. */
static void add_amounts(
    struct view *view, const struct growth *growth, const struct growth_function *function)
{
    const struct comparison *comparison = &growth->comparison;
    char change[AMOUNT_MAX], now[AMOUNT_MAX], calm[AMOUNT_MAX], flat[AMOUNT_MAX];
    char *name = go_names_short(function->name);
    amount_change(
        change, comparison_amount(comparison, function->cum, function->base_cum), growth->unit);
    amount_text(now, (double)function->cum, growth->unit);
    amount_text(calm, (double)function->base_cum * comparison->base_ratio, growth->unit);
    amount_text(flat, (double)function->flat, growth->unit);
    table_add(&view->growth, (const char *const[]){change, now, calm, flat, name});
    free(name);
}

static void add_function(
    struct view *view, const struct growth *growth, const struct growth_function *function)
{
    const struct comparison *comparison = &growth->comparison;
    char grew[32], cum[32], base[32], flat[32];
    char *name = go_names_short(function->name);
    snprintf(grew, sizeof grew, "%+.1f", function->cum_points);
    snprintf(cum, sizeof cum, "%.1f%%", comparison_percent(comparison, function->cum));
    snprintf(base, sizeof base, "%.1f%%", comparison_base_percent(comparison, function->base_cum));
    snprintf(flat, sizeof flat, "%.1f%%", comparison_percent(comparison, function->flat));
    if (comparison->has_base)
        table_add(&view->growth, (const char *const[]){grew, cum, base, flat, name});
    else
        table_add(&view->growth, (const char *const[]){cum, flat, name});
    free(name);
}

/* Own functions in a colour and with a link. */
static void add_functions(struct view *view, const struct growth *growth,
    const struct owners *owners, const struct source_links *links)
{
    size_t last = view->growth.columns - 1;
    for (size_t i = 0; i < growth->count && i < FUNCTIONS_SHOWN; i++) {
        const struct growth_function *function = &growth->functions[i];
        if (growth->comparison.has_base && function->cum_points <= 0)
            break;
        bool own = owners_of(owners, function->name, function->file) == OWNER_OWN;
        if (has_amounts(&growth->comparison))
            add_amounts(view, growth, function);
        else
            add_function(view, growth, function);
        if (own)
            table_colour(&view->growth, last, TABLE_BOLD);
        view->growth_links = xrealloc(
            view->growth_links, view->growth_count + 1, sizeof *view->growth_links);
        view->growth_links[view->growth_count++] =
            own ? source_links_to(links, function->name, function->file, function->line) : NULL;
    }
}

/* Where the module lies is learned from all that is the app's own. */
static struct source_links *learn_links(
    const struct evidence *evidence, const struct growth *growth, const struct owners *owners)
{
    struct source_links *links = source_links_new(evidence->incident);
    for (size_t i = 0; links && i < growth->count; i++) {
        const struct growth_function *function = &growth->functions[i];
        if (owners_of(owners, function->name, function->file) == OWNER_OWN)
            source_links_learn(links, function->name, function->file);
    }
    return links;
}

static void set_title(
    struct view *view, const struct growth *growth, const struct evidence_profile *lead)
{
    char *name = name_of(lead->name, growth->type);
    view->growth_title = !growth->comparison.has_base
                             ? xasprintf("What has most of %s; %s", name,
                                   lead->base ? "the baseline has nothing to compare"
                                              : "there is no baseline")
                         : has_amounts(&growth->comparison)
                             ? xasprintf("What grew in %s, against the baseline", name)
                             : xasprintf("What grew in %s, in points against the baseline", name);
    free(name);
}

void view_add_growth(struct view *view, const struct evidence *evidence)
{
    const struct evidence_profile *lead = evidence ? find_lead(evidence) : NULL;
    int type = lead ? sample_type_of(evidence, lead) : -1;
    if (type < 0) {
        table_init(&view->growth, 3, plain_titles);
        return;
    }
    struct growth growth;
    growth_of(&growth, lead->profile, (uint32_t)type, lead->base);
    growth_prefer(&growth, evidence->incident->analysis.suspect.function);
    bool compared = growth.comparison.has_base;
    struct owners *owners = owners_learn(evidence);
    struct source_links *links = learn_links(evidence, &growth, owners);
    const struct incident_function *suspect = &evidence->incident->analysis.suspect;
    set_title(view, &growth, lead);
    table_init(&view->growth, compared ? 5 : 3,
        !compared                         ? plain_titles
        : has_amounts(&growth.comparison) ? amount_titles
                                          : compared_titles);
    view->growth.right = compared ? 0xf : 0x3; /* all but the function */
    add_functions(view, &growth, owners, links);
    if (suspect->function && suspect->file)
        view->source = source_links_to(links, suspect->function, suspect->file, suspect->line);
    source_links_free(links);
    owners_free(owners);
    growth_free(&growth);
}

static bool is_constant(const double *values, size_t count)
{
    double least = NAN, most = NAN; /* a NAN loses against a number */
    for (size_t i = 0; i < count; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    return !(most > least);
}

/* Counts of something that did not happen. */
static bool is_unmoved_counter(const struct metric *metric, double peak)
{
    return metric && peak == 0 &&
           (!strcmp(metric->name, "oom_kills") || !strcmp(metric->name, "restarts"));
}

/* The samples of a metric as a small chart; "" when there are none. The caller frees. */
static char *chart_of(const struct evidence *evidence, const char *metric)
{
    const struct series *series = evidence && terminal_unicode()
                                      ? series_set_find(&evidence->metrics, metric)
                                      : NULL;
    if (!series || series->count == 0)
        return xstrdup("");
    double *values = xcalloc(series->count, sizeof *values);
    for (size_t i = 0; i < series->count; i++)
        values[i] = series_at(series, series->count - 1 - i)->value;
    char *chart = is_constant(values, series->count)
                      ? xstrdup("") /* a bar of one height says nothing */
                      : terminal_sparkline(values, series->count, CHART_WIDTH);
    free(values);
    return chart;
}

void view_add_peaks(
    struct view *view, const struct incident *incident, const struct evidence *evidence)
{
    for (size_t i = 0; i < incident->peak_count; i++) {
        const struct incident_peak *peak = &incident->peaks[i];
        const struct metric *known = metric_of_series(peak->metric);
        if (is_unmoved_counter(known, peak->value))
            continue;
        char value[VALUE_TEXT_SIZE], *chart = chart_of(evidence, peak->metric);
        metric_format(known ? known->unit : UNIT_NONE, peak->value, value);
        table_add(&view->peaks, (const char *const[]){peak->metric, value, chart});
        free(chart);
    }
}
