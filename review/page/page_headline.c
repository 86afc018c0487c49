/* What happened: the sentence, and below it what it rests on. */
#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/suspect/explained.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Percent explained: more is no inaccuracy of sampling. */

static void put_when(struct buf *out, const struct incident *incident)
{
    buf_puts(out, "<div><dt>When</dt><dd>");
    page_time(out, incident->onset_ms ? incident->onset_ms : incident->fired_ms, true);
    if (incident->onset_ms && incident->fired_ms > incident->onset_ms)
        html_printf(out, ", noticed %.3g s later",
            (double)(incident->fired_ms - incident->onset_ms) / 1000);
    if (incident->onset_ms && incident->ended_ms > incident->onset_ms)
        html_printf(
            out, ", over after %.3g s", (double)(incident->ended_ms - incident->onset_ms) / 1000);
    buf_puts(out, "</dd></div>\n");
}

static void put_cause(struct buf *out, const struct incident *incident)
{
    const struct incident_cause *trigger = &incident->trigger;
    if (!trigger->name && !trigger->reason)
        return;
    buf_puts(out, "<div><dt>Trigger</dt><dd>");
    if (trigger->name)
        html_printf(out, "<b>%s</b>", trigger->name);
    if (trigger->reason) {
        buf_puts(out, trigger->name ? ": " : "");
        page_clipped(out, trigger->reason, 600);
    }
    if (incident->joined_count > 0)
        html_printf(out, "; %zu more joined", incident->joined_count);
    buf_puts(out, "</dd></div>\n");
}

static void put_follows(struct buf *out, const struct page *page)
{
    const char *follows = page->evidence->incident->follows;
    if (!follows)
        return;
    buf_puts(out, "<div><dt>Follows</dt><dd>the spike of ");
    page_incident(out, page, follows);
    buf_puts(out, "</dd></div>\n");
}

static void put_end(struct buf *out, const struct incident *incident)
{
    char text[INCIDENT_END_TEXT];
    if (incident->app_ended.time_ms)
        html_printf(out, "<div><dt>Ended</dt><dd>%s</dd></div>\n",
            incident_end_text(&incident->app_ended, text));
}

static void put_fleet(struct buf *out, const struct incident *incident)
{
    char text[INCIDENT_FLEET_TEXT];
    if (*incident_fleet_text(&incident->fleet, text))
        html_printf(out, "<div><dt>Fleet</dt><dd>%s</dd></div>\n", text);
}

static void put_what_runs(struct buf *out, const struct incident *incident)
{
    const struct incident_target *target = &incident->target;
    if (!target->revision && !target->image)
        return;
    buf_puts(out, "<div><dt>Version</dt><dd>");
    if (target->revision)
        html_printf(
            out, "%s revision %s", target->family ? target->family : "task", target->revision);
    if (target->image) {
        buf_puts(out, target->revision ? ", " : "");
        buf_puts(out, "<code>");
        page_clipped(out, target->image, 200);
        buf_puts(out, "</code>");
    }
    buf_puts(out, "</dd></div>\n");
}

/* Whether the profile saw the beginning, and how much of the CPU time it accounts for. */
static void put_trust(struct buf *out, const struct incident *incident)
{
    const struct incident_profile *cpu = incident_find_profile(incident, "cpu");
    const struct incident_explained *explained = &incident->analysis.explained;
    bool is_there = cpu && (cpu->status == PROFILE_OK || cpu->status == PROFILE_TRUNCATED);
    if (!is_there && !isfinite(explained->percent))
        return;
    buf_puts(out, "<div><dt>CPU profile</dt><dd>");
    size_t begin = out->size;
    if (is_there && incident->onset_ms) {
        int64_t late_ms = cpu->requested_ms - incident->onset_ms;
        if (cpu->onset_covered)
            buf_puts(out, "was running at the onset");
        else if (late_ms > 0)
            html_printf(out, "began %.3g s after the onset", (double)late_ms / 1000);
        else
            buf_puts(out, "does not cover the onset");
    } else if (is_there && isfinite(cpu->seconds)) {
        html_printf(out, "ran for %.3g s", cpu->seconds);
    }
    if (is_there && isfinite(cpu->covered_percent))
        html_printf(out, ", covers %.0f%% of the spike", cpu->covered_percent);
    if (isfinite(explained->percent)) {
        buf_puts(out, is_there ? " and " : "");
        if (explained->percent > EXPLAINED_MOST)
            html_printf(out,
                "has %.0f%% of the CPU time that the container used: <strong>one of the two is "
                "wrong</strong> (is it the profile of another process, or another container’s "
                "figures?)",
                explained->percent);
        else if (explained->percent < 99.5)
            html_printf(out, "explains %.0f%% of the container’s CPU time", explained->percent);
        else
            buf_puts(out, "explains all of the container’s CPU time");
        if (explained->percent < 50 && incident->onset_ms)
            buf_puts(out, ": <strong>most of the culprit is not in it</strong>");
    }
    if (out->size > begin)
        out->data[begin] = (char)toupper((unsigned char)out->data[begin]);
    buf_puts(out, "</dd></div>\n");
}

/* What happened stands out, and what is said about it after that is lighter. */
static void put_sentence(struct buf *out, const char *headline)
{
    const char *rest = strstr(headline, "; ");
    size_t length = rest ? (size_t)(rest - headline) : strlen(headline);
    char *first = xstrndup(headline, length);
    buf_puts(out, "<h1>");
    page_clipped(out, first, 1000);
    if (rest) {
        buf_puts(out, "<span>");
        page_clipped(out, rest, 1000);
        buf_puts(out, "</span>");
    }
    buf_puts(out, "</h1>\n");
    free(first);
}

void page_headline(struct buf *out, const struct page *page)
{
    const struct incident *incident = page->evidence->incident;
    const char *headline = incident->analysis.headline;
    buf_puts(out, "<header class=\"headline\">\n<p class=\"service\">");
    html_printf(out, "%s", incident->service);
    if (incident->app && strcmp(incident->app, incident->service) != 0)
        html_printf(out, " <span>/ %s</span>", incident->app);
    buf_puts(out, "</p>\n");
    put_sentence(out, headline ? headline : incident->id);
    buf_puts(out, "<dl class=\"facts\">\n");
    put_when(out, incident);
    put_follows(out, page);
    put_cause(out, incident);
    put_end(out, incident);
    put_fleet(out, incident);
    put_what_runs(out, incident);
    put_trust(out, incident);
    buf_puts(out, "</dl>\n");
    if (incident->analysis.skipped) {
        buf_puts(out, "<p class=\"note\">Not analysed: ");
        page_clipped(out, incident->analysis.skipped, 2000);
        buf_puts(out, ".</p>\n");
    }
    buf_puts(out, "</header>\n");
}
