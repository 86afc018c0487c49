#include "review/web/web_tools.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/known.h"
#include "review/history/mark.h"
#include "review/history/marking.h"
#include "review/page/html.h"
#include "review/store/store.h"
#include "review/web/web_index.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"
#include "review/web/web_words.h"

#include <string.h>

enum { OFFERED = 20 }; /* earlier incidents to compare with */

static void put_neighbour(
    struct buf *out, const struct web_summary *summary, const char *rel, const char *text)
{
    if (summary)
        html_printf(out, "<a rel=\"%s\" href=\"/incident/%s\">%s</a>\n", rel, summary->id, text);
}

/* The nearest one that the list shows: no baseline, no duplicate. From `at` in steps of 1 or -1. */
static const struct web_summary *neighbour(
    const struct web_index_view *view, size_t at, ptrdiff_t step)
{
    for (size_t i = at + (size_t)step; i < view->count; i += (size_t)step)
        if (strcmp(view->summaries[i]->kind, "baseline") != 0 && !view->summaries[i]->duplicate)
            return view->summaries[i];
    return NULL;
}

void web_tools_navigation(struct buf *out, struct web_site *site, const char *id)
{
    struct web_index_view view = web_index_hold(site->index);
    size_t at = 0;
    while (at < view.count && strcmp(view.summaries[at]->id, id) != 0)
        at++;
    html_printf(out, "<header class=\"top\"><a class=\"home\" href=\"/\">stakeout</a>\n"
                     "<nav aria-label=\"incidents\"><a href=\"/\" data-list>All incidents</a>\n");
    if (at < view.count) {
        put_neighbour(out, neighbour(&view, at, -1), "prev", "Newer");
        put_neighbour(out, neighbour(&view, at, 1), "next", "Older");
    }
    html_printf(out, "</nav></header>\n");
    web_index_release(site->index);
}

/* What is noted, as it is stored now: somebody else may have written it. The problem is "" when it
 * could be read. */
static void read_mark(
    struct web_site *site, const char *id, struct mark *mark, struct error *problem)
{
    *mark = (struct mark){0};
    problem->text[0] = '\0';
    struct store *store = web_stores_take(site->stores, problem);
    struct store_incident *stored = store ? store_find(store, id, problem) : NULL;
    if (stored && marking_read(store, stored, mark, problem) == 0)
        web_index_mark(site->index, id, mark);
    store_incident_free(stored);
    web_stores_give(site->stores, store);
}

static void begin_form(
    struct buf *out, const struct web_site *site, const char *id, const char *what)
{
    html_printf(out,
        "<form class=\"%s\" method=\"post\" action=\"/incident/%s/%s\">"
        "<input type=\"hidden\" name=\"token\" value=\"%s\">",
        what, id, what, site->guard.token);
}

static void put_choice(struct buf *out, const struct web_site *site, const char *id,
    const char *what, bool is, const char *yes, const char *no)
{
    begin_form(out, site, id, what);
    html_printf(out, "<button class=\"button\" name=\"%s\" value=\"%s\">%s</button></form>\n", what,
        is ? "no" : "yes", is ? no : yes);
}

static void put_option(struct buf *out, const struct web_summary *summary, const char *what)
{
    char when[WEB_WORDS_SIZE], peak[WEB_WORDS_SIZE] = "";
    html_printf(out, "<option value=\"%s\">%s%s%s %s</option>", summary->id, what,
        *what ? ", " : "", web_words_when(summary->fired_ms, clock_wall_ms(), when),
        summary->peak == summary->peak ? web_words_value(summary->metric, summary->peak, peak)
                                       : "");
}

/* Its baseline, and the others of its group. */
static void put_compare(
    struct buf *out, const struct web_index_view *view, const struct web_summary *own)
{
    size_t offered = 0;
    const struct web_summary *baseline = *own->baseline ? web_index_find(view, own->baseline)
                                                        : NULL;
    html_printf(out,
        "<form class=\"with\" action=\"/compare\"><input type=\"hidden\" name=\"b\" value=\"%s\">"
        "<label>Compare with <select name=\"a\">",
        own->id);
    if (baseline)
        put_option(out, baseline, "the calm day");
    for (size_t i = 0; i < view->count && offered < OFFERED; i++) {
        const struct web_summary *other = view->summaries[i];
        if (other == own || strcmp(other->group, own->group) != 0)
            continue;
        put_option(out, other, "");
        offered++;
    }
    if (!baseline && !offered)
        html_printf(out, "<option value=\"\">nothing to compare with yet</option>");
    html_printf(out, "</select></label> <button class=\"button\"%s>Compare</button></form>\n",
        baseline || offered ? "" : " disabled");
}

static void put_downloads(struct buf *out, const char *id)
{
    html_printf(out,
        "<span class=\"files\">Download <a href=\"/incident/%s/report.html\">report</a> "
        "<a href=\"/incident/%s/metrics.csv\">metrics</a> "
        "<a href=\"/incident/%s/incident.json\">incident.json</a></span>\n",
        id, id, id);
}

static void put_note(
    struct buf *out, const struct web_site *site, const char *id, const struct mark *mark)
{
    begin_form(out, site, id, "note");
    html_printf(out,
        "<label>Note <textarea name=\"note\" rows=\"2\" maxlength=\"%d\" placeholder=\"What it "
        "was, "
        "what was done\">%s</textarea></label> <button class=\"button\">Save</button></form>\n",
        MARK_NOTE_MAX, mark->note ? mark->note : "");
}

void web_tools_actions(struct buf *out, struct web_site *site, const char *id)
{
    struct mark mark;
    struct error problem;
    read_mark(site, id, &mark, &problem);
    html_printf(
        out, "<section class=\"tools\" aria-label=\"what to do about it\">\n<div class=\"row\">\n");
    put_choice(
        out, site, id, "looked", mark.looked_ms != 0, "Mark as looked at", "Looked at: undo");
    struct web_index_view view = web_index_hold(site->index);
    const struct web_summary *own = web_index_find(&view, id);
    if (own) {
        const struct known *known = web_index_known(site->index, own->service);
        put_choice(out, site, id, "known", known && known_find(known, own->group),
            "This spike is known", "Known: undo");
        put_compare(out, &view, own);
    }
    web_index_release(site->index);
    put_downloads(out, id);
    html_printf(out, "</div>\n");
    if (*problem.text)
        html_printf(
            out, "<p class=\"notice bad\">What was noted is not shown: %s.</p>\n", problem.text);
    put_note(out, site, id, &mark);
    html_printf(out, "</section>\n");
    mark_free(&mark);
}
