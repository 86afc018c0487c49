/* Who it is: the suspect as a card, and what else it could be. */
#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "review/analysis/headline_words.h"
#include "review/analysis/source_link.h"
#include "review/evidence/evidence.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/suspect/go_names.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200, PATH_SHOWN = 6 };

/* "games.go:138", as a link where there is one. */
static void put_source(
    struct buf *out, const struct page *page, const struct incident_function *function)
{
    if (!function->file || !*function->file)
        return;
    const char *slash = strrchr(function->file, '/');
    char *link = source_links_to(page->sources, function->function, function->file, function->line);
    if (link)
        html_printf(out, "<a href=\"%s\">", link);
    buf_puts(out, "<code title=\"");
    page_clipped(out, function->file, 500);
    buf_puts(out, "\">");
    page_clipped(out, slash ? slash + 1 : function->file, NAME_MAX_BYTES);
    if (function->line > 0)
        html_printf(out, ":%lld", (long long)function->line);
    buf_puts(out, "</code>");
    if (link)
        buf_puts(out, "</a>");
    free(link);
}

static void put_share(struct buf *out, const char *label, double percent, const char *kind)
{
    char text[VALUE_TEXT_SIZE];
    double width = fmin(fmax(percent, 0), 100);
    html_printf(out, "<div class=\"share\"><dt>%s</dt><dd><b>%s</b>", label,
        headline_value(UNIT_PERCENT, percent, text));
    buf_printf(out,
        "<svg class=\"bar\" height=\"8\" aria-hidden=\"true\"><rect class=\"track\" "
        "width=\"100%%\" "
        "height=\"8\"/><rect class=\"%s\" width=\"%.1f%%\" height=\"8\"/></svg></dd></div>\n",
        kind, width);
}

/* What the shares are shares of. */
static const char *share_words(const struct incident_function *function)
{
    static const struct {
        const char *sample, *words;
    } known[] = {
        {"cpu", "of the CPU time"},
        {"samples", "of the CPU time"},
        {"inuse_space", "of the heap in use"},
        {"inuse_objects", "of the heap’s objects"},
        {"alloc_space", "of the bytes allocated"},
        {"alloc_objects", "of the allocations"},
        {"goroutine", "of the goroutines"},
        {"contentions", "of the contentions"},
        {"delay", "of the time waited"},
    };
    for (size_t i = 0; function->sample && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].sample, function->sample))
            return known[i].words;
    return "of the profile";
}

static void put_shares(
    struct buf *out, const struct page *page, const struct incident_function *suspect)
{
    buf_puts(out, "<dl class=\"shares\">\n");
    if (isfinite(suspect->cum_percent))
        put_share(out, share_words(suspect), suspect->cum_percent, "now");
    if (isfinite(suspect->baseline_percent))
        put_share(out, "on a calm day", suspect->baseline_percent, "then");
    buf_puts(out, "</dl>\n");
    if (!isfinite(suspect->baseline_percent)) {
        buf_puts(out, "<p class=\"small\">Not compared: ");
        page_clipped(out,
            *page->evidence->no_baseline.text ? page->evidence->no_baseline.text
                                              : "the baseline has no such profile",
            300);
        buf_puts(out, ".</p>\n");
    }
}

static void put_path_item(struct buf *out, const char *name, bool last)
{
    char *name_short = go_names_short(name);
    buf_puts(out, last ? "<li aria-current=\"true\" title=\"" : "<li title=\"");
    page_clipped(out, name, NAME_MAX_BYTES);
    buf_puts(out, "\">");
    page_clipped(out, name_short, 120);
    buf_puts(out, "</li>");
    free(name_short);
}

/* From the outermost function to the suspect; of a long one the end, which tells most. */
static void put_path(struct buf *out, const struct incident_function *suspect)
{
    size_t count = suspect->path_count;
    if (count < 2)
        return;
    size_t hidden = count > PATH_SHOWN ? count - PATH_SHOWN : 0;
    buf_puts(out, "<div class=\"way\"><h3>The way there</h3>\n");
    if (hidden > 0) {
        html_printf(out, "<details><summary>%zu caller%s further out</summary><ol class=\"path\">",
            hidden, hidden == 1 ? "" : "s");
        for (size_t i = 0; i < hidden && i < 60; i++)
            put_path_item(out, suspect->path[i], false);
        buf_puts(out, "</ol></details>\n");
    }
    buf_puts(out, "<ol class=\"path\">");
    for (size_t i = hidden; i < count; i++)
        put_path_item(out, suspect->path[i], i + 1 == count);
    buf_puts(out, "</ol></div>\n");
}

static void put_runners_up(struct buf *out, const struct incident_analysis *analysis)
{
    char text[VALUE_TEXT_SIZE];
    if (analysis->runner_up_count == 0)
        return;
    buf_puts(out, "<div class=\"runners\"><h3>Else it could be</h3>\n<ol>");
    for (size_t i = 0; i < analysis->runner_up_count && i < 2; i++) {
        const struct incident_function *function = &analysis->runners_up[i];
        if (!function->function)
            continue;
        char *name_short = go_names_short(function->function);
        buf_puts(out, "<li><code title=\"");
        page_clipped(out, function->function, NAME_MAX_BYTES);
        buf_puts(out, "\">");
        page_clipped(out, name_short, 120);
        buf_puts(out, "</code>");
        if (isfinite(function->cum_percent))
            html_printf(
                out, " <b>%s</b>", headline_value(UNIT_PERCENT, function->cum_percent, text));
        if (isfinite(function->baseline_percent))
            html_printf(out, " <span class=\"small\">(%s on a calm day)</span>",
                headline_value(UNIT_PERCENT, function->baseline_percent, text));
        buf_puts(out, "</li>");
        free(name_short);
    }
    buf_puts(out, "</ol></div>\n");
}

static void put_card(
    struct buf *out, const struct page *page, const struct incident_analysis *analysis)
{
    const struct incident_function *suspect = &analysis->suspect;
    char *name_short = go_names_short(suspect->function);
    buf_puts(out, "<p class=\"name\">");
    page_clipped(out, name_short, NAME_MAX_BYTES);
    buf_puts(out, "</p>\n<p class=\"where\"><code>");
    page_clipped(out, suspect->function, 400);
    buf_puts(out, "</code> ");
    put_source(out, page, suspect);
    buf_puts(out, "</p>\n");
    put_shares(out, page, suspect);
    if (suspect->why) {
        buf_puts(out, "<p class=\"why\">");
        page_clipped(out, suspect->why, 800);
        buf_puts(out, "</p>\n");
    }
    free(name_short);
    put_path(out, suspect);
    put_runners_up(out, analysis);
}

void page_suspect(struct buf *out, const struct page *page)
{
    const struct incident_analysis *analysis = &page->evidence->incident->analysis;
    if (!analysis->suspect.function && !analysis->no_suspect)
        return;
    buf_puts(out, "<section aria-labelledby=\"suspect\">\n<h2 id=\"suspect\">");
    buf_puts(out, analysis->suspect.function ? "Suspect" : "No suspect");
    buf_puts(out, "</h2>\n<div class=\"card\">\n");
    if (analysis->suspect.function) {
        put_card(out, page, analysis);
    } else {
        const char *why = analysis->no_suspect;
        bool is_lower = *why >= 'a' && *why <= 'z';
        buf_puts(out, "<p>");
        if (is_lower)
            html_printf(out, "%c", *why - 'a' + 'A');
        page_clipped(out, why + is_lower, 1000);
        buf_puts(out, "</p>\n");
        put_runners_up(out, analysis);
    }
    buf_puts(out, "</div>\n</section>\n");
}
