/* Everything else, folded: target, trigger, joined fires, version. */
#include "core/buf.h"
#include "core/incident.h"
#include "core/metric.h"
#include "review/evidence/evidence.h"
#include "review/page/html.h"
#include "review/page/page.h"

#include <math.h>

enum { TEXT_MAX = 400, JOINED_MAX = 20 };

static void put_row(struct buf *out, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    html_printf(out, "<div><dt>%s</dt><dd>", label);
    page_clipped(out, text, TEXT_MAX);
    buf_puts(out, "</dd></div>\n");
}

static void put_time_row(struct buf *out, const char *label, int64_t wall_ms)
{
    if (!wall_ms)
        return;
    html_printf(out, "<div><dt>%s</dt><dd>", label);
    page_time(out, wall_ms, true);
    buf_puts(out, "</dd></div>\n");
}

static void put_number_row(struct buf *out, const char *label, const char *metric, double value)
{
    char text[VALUE_TEXT_SIZE];
    const struct metric *known = metric ? metric_of_series(metric) : NULL;
    if (isfinite(value))
        put_row(out, label, metric_format_level(known ? known->unit : UNIT_NONE, value, text));
}

static void put_joined(struct buf *out, const struct incident *incident)
{
    if (incident->joined_count == 0)
        return;
    buf_puts(out, "<div><dt>Joined by</dt><dd><ul>");
    for (size_t i = 0; i < incident->joined_count && i < JOINED_MAX; i++) {
        const struct incident_cause *cause = &incident->joined[i];
        buf_puts(out, "<li>");
        if (cause->time_ms) {
            page_time(out, cause->time_ms, false);
            buf_puts(out, " ");
        }
        html_printf(out, "<b>%s</b> ", cause->name ? cause->name : "");
        page_clipped(out, cause->reason ? cause->reason : "", TEXT_MAX);
        buf_puts(out, "</li>");
    }
    buf_puts(out, "</ul></dd></div>\n");
    if (incident->joined_count > JOINED_MAX)
        html_printf(out, "<div><dt></dt><dd>%zu more are in incident.json</dd></div>\n",
            incident->joined_count - JOINED_MAX);
}

void page_rest(struct buf *out, const struct page *page)
{
    const struct incident *incident = page->evidence->incident;
    const struct incident_target *target = &incident->target;
    const struct incident_cause *trigger = &incident->trigger;
    buf_puts(out, "<section aria-labelledby=\"rest\">\n<details>\n<summary id=\"rest\">Everything "
                  "else</summary>\n"
                  "<dl class=\"facts all\">\n");
    put_row(out, "Incident", incident->id);
    put_row(out, "Kind", incident->kind);
    put_row(out, "Trigger", trigger->name);
    put_row(out, "Metric", trigger->metric);
    put_number_row(out, "Value", trigger->metric, trigger->value);
    put_number_row(out, "Level", trigger->metric, trigger->limit);
    put_row(out, "Reason", trigger->reason);
    put_joined(out, incident);
    put_time_row(out, "Onset", incident->onset_ms);
    put_time_row(out, "Fired", incident->fired_ms);
    put_time_row(out, "Over", incident->ended_ms);
    put_time_row(out, "The app ended", incident->app_ended.time_ms);
    put_time_row(out, "It ran again", incident->app_ended.restarted_ms);
    put_time_row(out, "Finished", incident->finished_ms);
    put_number_row(out, "CPU while it was captured", "cpu", incident->cpu_mean);
    put_number_row(out, "Memory while it was captured, at most", "memory", incident->memory_max);
    put_row(out, "Baseline", incident->baseline);
    put_row(out, "Baseline", page->evidence->no_baseline.text);
    put_row(out, "Replaced", incident->replaced);
    put_row(out, "Cluster", target->cluster);
    put_row(out, "Task", target->task_arn);
    put_row(out, "Family", target->family);
    put_row(out, "Revision", target->revision);
    put_row(out, "Container", target->container);
    put_row(out, "Image", target->image);
    put_row(out, "Host", target->host);
    put_time_row(out, "Started", target->started_ms);
    put_row(out, "stakeout", incident->agent_version);
    put_row(out, "Group", incident->analysis.group);
    buf_puts(out, "</dl>\n</details>\n</section>\n");
}
