/* What was caught and what not: a row a profile. */
#include "core/buf.h"
#include "core/incident.h"
#include "core/metric.h"
#include "review/evidence/evidence.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/page/report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const char *const statuses[] = {"not finished", "ok", "cut short", "failed"};

static void put_tools(struct buf *out, const struct page *page, size_t i)
{
    const struct report_link *links = page->extras->links;
    const struct incident_profile *profile = &page->evidence->incident->profiles[i];
    if (!profile->file || profile->status == PROFILE_FAILED)
        return;
    if (links && links[i].speedscope)
        html_printf(
            out, "<a class=\"button\" href=\"%s\">Open in speedscope</a> ", links[i].speedscope);
    if (links && links[i].download)
        html_printf(out, "<a href=\"%s\" download>Download</a> ", links[i].download);
    const struct evidence_profile *decoded = i < page->evidence->profile_count
                                                 ? &page->evidence->profiles[i]
                                                 : NULL;
    if (decoded && (decoded->profile || decoded->too_large))
        html_printf(out, "<code><span class=\"whole\">go tool pprof</span> -http=: %s</code>",
            profile->file);
    else
        html_printf(out, "<code>%s</code>", profile->file);
}

/* Why it failed, was cut short or cannot be looked at. */
static void put_problem(struct buf *out, const struct page *page, size_t i)
{
    const struct incident_profile *profile = &page->evidence->incident->profiles[i];
    const struct evidence_profile *decoded = i < page->evidence->profile_count
                                                 ? &page->evidence->profiles[i]
                                                 : NULL;
    const char *problem = profile->error;
    if (!problem && decoded && *decoded->damage.text)
        problem = decoded->damage.text;
    if (!problem && decoded && !decoded->profile)
        problem = decoded->problem.text;
    if (!problem || !*problem)
        return;
    buf_puts(out, "<p class=\"problem\">");
    page_clipped(out, problem, 700);
    buf_puts(out, "</p>");
}

/* "25 s", and below it how much of the spike that was. */
static void put_length(struct buf *out, const struct incident_profile *profile)
{
    if (!isfinite(profile->seconds) || profile->seconds <= 0)
        return;
    html_printf(out, "%.3g s", profile->seconds);
    if (isfinite(profile->covered_percent) && profile->covered_percent <= 0)
        buf_puts(out, "<br><span class=\"small\">begun when the spike was over</span>");
    else if (isfinite(profile->covered_percent))
        html_printf(out, "<br><span class=\"small\">%.0f%% of the spike%s</span>",
            profile->covered_percent, profile->ended_early ? ", ended with it" : "");
}

static void put_profile(struct buf *out, const struct page *page, size_t i)
{
    const struct incident_profile *profile = &page->evidence->incident->profiles[i];
    char text[VALUE_TEXT_SIZE];
    enum evidence_state state = i < page->evidence->profile_count
                                    ? page->evidence->profiles[i].state
                                    : EVIDENCE_NONE;
    bool broken = state == EVIDENCE_DAMAGED || state == EVIDENCE_UNREAD;
    html_printf(out, "<tr class=\"status-%d\"><th scope=\"row\">",
        broken ? (int)PROFILE_FAILED : (int)profile->status);
    page_profile_name(out, profile->name);
    html_printf(out, "</th><td>%s</td><td class=\"number\">",
        state == EVIDENCE_DAMAGED  ? "damaged"
        : state == EVIDENCE_UNREAD ? "not readable"
                                   : statuses[profile->status]);
    put_length(out, profile);
    buf_puts(out, "</td><td class=\"number\">");
    if (profile->bytes > 0)
        html_printf(out, "%s", metric_format(UNIT_BYTES, (double)profile->bytes, text));
    buf_puts(out, "</td><td>");
    put_tools(out, page, i);
    put_problem(out, page, i);
    buf_puts(out, "</td></tr>\n");
}

void page_caught(struct buf *out, const struct page *page)
{
    enum { ROWS_MAX = 30 };
    const struct incident *incident = page->evidence->incident;
    buf_puts(out, "<section aria-labelledby=\"caught\">\n<h2 id=\"caught\">What was caught</h2>\n");
    if (incident->profile_count == 0) {
        buf_puts(out, "<p>No profile was asked for.</p>\n</section>\n");
        return;
    }
    buf_puts(out, "<div class=\"scroll\"><table class=\"caught\">\n<caption "
                  "class=\"unseen\">Profiles of this "
                  "incident</caption>\n<thead><tr><th scope=\"col\">Profile</th><th "
                  "scope=\"col\">Status</th><th scope=\"col\" class=\"number\">Length</th><th "
                  "scope=\"col\" class=\"number\">Size</th><th "
                  "scope=\"col\">Open</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < incident->profile_count && i < ROWS_MAX; i++)
        put_profile(out, page, i);
    buf_puts(out, "</tbody></table></div>\n");
    if (incident->metrics_file && *page->evidence->no_metrics.text) {
        html_printf(out, "<p class=\"problem\">%s: ", incident->metrics_file);
        page_clipped(out, page->evidence->no_metrics.text, 400);
        buf_puts(out, ".</p>\n");
    }
    if (incident->profile_count > ROWS_MAX)
        html_printf(out, "<p class=\"note\">%zu more are listed in incident.json.</p>\n",
            incident->profile_count - ROWS_MAX);
    buf_puts(out, "</section>\n");
}
