#include "commands/view.h"
#include "commands/view_parts.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "review/suspect/explained.h"
#include "review/suspect/go_names.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WAY_SHOWN = 6, OTHERS_SHOWN = 2 };

void view_add(struct table *table, const char *label, char *text)
{
    if (text)
        table_add(table, (const char *const[]){label, text});
    free(text);
}

/* "of the CPU time" */
static const char *share_words(const char *sample)
{
    static const char *const words[][2] = {{"cpu", "of the CPU time"},
        {"samples", "of the CPU time"}, {"inuse_space", "of the heap in use"},
        {"inuse_objects", "of the heap's objects"}, {"alloc_space", "of the bytes allocated"},
        {"alloc_objects", "of the allocations"}, {"goroutine", "of the goroutines"},
        {"contentions", "of the contentions"}, {"delay", "of the time waited"}};
    for (size_t i = 0; sample && i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i][0], sample))
            return words[i][1];
    return "of the profile";
}

/* "61.2% of the CPU time, 0.3% on a calm day: 60.9 points more" */
static char *share_of(const struct incident_function *function)
{
    if (!isfinite(function->cum_percent))
        return NULL;
    const char *words = share_words(function->sample);
    if (!isfinite(function->baseline_percent))
        return xasprintf("%.1f%% %s", function->cum_percent, words);
    double points = function->cum_percent - function->baseline_percent;
    return xasprintf("%.1f%% %s, %.1f%% on a calm day: %.1f points %s", function->cum_percent,
        words, function->baseline_percent, fabs(points), points < 0 ? "less" : "more");
}

static char *place_of(const struct incident_function *function)
{
    if (!function->file || !*function->file)
        return NULL;
    return function->line > 0 ? xasprintf("%s:%lld", function->file, (long long)function->line)
                              : xstrdup(function->file);
}

/* "... > (*Director).StartRound > (*DBStore).GetRematchStreak" */
static char *way_to(const struct incident_function *function)
{
    struct buf way;
    size_t count = function->path_count;
    size_t first = count > WAY_SHOWN ? count - WAY_SHOWN : 0;
    if (count < 2)
        return NULL;
    buf_init(&way, SIZE_MAX - 1);
    buf_puts(&way, first ? "... > " : "");
    for (size_t i = first; i < count; i++) {
        char *name = go_names_short(function->path[i]);
        buf_printf(&way, "%s%s", i > first ? " > " : "", name);
        free(name);
    }
    return buf_take(&way);
}

static void add_others(struct view *view, const struct incident_analysis *analysis)
{
    for (size_t i = 0; i < analysis->runner_up_count && i < OTHERS_SHOWN; i++) {
        const struct incident_function *other = &analysis->runners_up[i];
        if (!other->function)
            continue;
        char *share = share_of(other), *name = go_names_short(other->function);
        view_add(&view->suspect, i ? "" : "or",
            xasprintf("%s%s%s", name, share ? ", " : "", share ? share : ""));
        free(name);
        free(share);
    }
}

void view_add_suspect(struct view *view, const struct incident *incident)
{
    const struct incident_analysis *analysis = &incident->analysis;
    const struct incident_function *suspect = &analysis->suspect;
    struct table *table = &view->suspect;
    if (suspect->function) {
        view_add(table, "suspect", go_names_short(suspect->function));
        table_colour(table, 1, TABLE_BOLD);
        view_add(table, "function", xstrdup_or_null(suspect->function));
        view_add(table, "in", place_of(suspect));
        view_add(table, "share", share_of(suspect));
        view_add(table, "way", way_to(suspect));
        view_add(table, "why", xstrdup_or_null(suspect->why));
        add_others(view, analysis);
    } else {
        view_add(table, "no suspect", xstrdup_or_null(analysis->no_suspect));
    }
    if (isfinite(analysis->explained.percent))
        view_add(table, "explained",
            xasprintf("%.0f%% of the container's CPU time is in the profile%s",
                analysis->explained.percent,
                analysis->explained.percent > EXPLAINED_MOST
                    ? ": more than the container used, so one of the two is wrong (is it the "
                      "profile of another process, or another container's figures?)"
                    : ""));
    view_add(table, "not analysed", xstrdup_or_null(analysis->skipped));
}
