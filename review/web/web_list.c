#include "review/web/web_list.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/known.h"
#include "review/page/html.h"
#include "review/web/web_filter.h"
#include "review/web/web_groups.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"
#include "review/web/web_rows.h"
#include "review/web/web_stores.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 50, CHOICES_MAX = 200 };

/* The first page of a place that is still being read waits a moment for something to show. */
static const int64_t first_wait_ms = 100;
static const int64_t news_wait_ms = 25000;

/* A <select> over the values that there are. */
struct choices {
    const char *all[CHOICES_MAX];
    size_t count;
};

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void add_choice(struct choices *choices, const char *value)
{
    if (!value || !*value || choices->count == CHOICES_MAX)
        return;
    for (size_t i = choices->count; i-- > 0;)
        if (!strcmp(choices->all[i], value))
            return;
    choices->all[choices->count++] = value;
}

static void put_select(struct buf *out, const char *name, const char *label, const char *all,
    struct choices *choices, const char *chosen)
{
    add_choice(choices, chosen);
    qsort(choices->all, choices->count, sizeof *choices->all, compare_texts);
    html_printf(out, "<select name=\"%s\" aria-label=\"%s\"><option value=\"\">%s</option>", name,
        label, all);
    for (size_t i = 0; i < choices->count; i++)
        html_printf(out, "<option%s>%s</option>",
            chosen && !strcmp(chosen, choices->all[i]) ? " selected" : "", choices->all[i]);
    buf_puts(out, "</select>\n");
}

/* The same where value and text differ. */
static void put_fixed(struct buf *out, const char *name, const char *label,
    const char *const options[][2], const char *chosen)
{
    html_printf(out, "<select name=\"%s\" aria-label=\"%s\">", name, label);
    bool known = !chosen;
    for (size_t i = 0; options[i][0]; i++) {
        bool selected = chosen && !strcmp(chosen, options[i][0]);
        known = known || selected;
        html_printf(out, "<option value=\"%s\"%s>%s</option>", options[i][0],
            selected ? " selected" : "", options[i][1]);
    }
    if (!known)
        html_printf(out, "<option selected>%s</option>", chosen);
    buf_puts(out, "</select>\n");
}

static void put_filters(
    struct buf *out, const struct web_index_view *view, const struct web_filter *filter)
{
    static const char *const kinds[][2] = {{"", "no baselines"}, {"all", "every kind"},
        {"spike", "spikes"}, {"follow_up", "follow-ups"}, {"manual", "manual"},
        {"baseline", "baselines"}, {NULL, NULL}};
    static const char *const times[][2] = {{"", "any time"}, {"24h", "last 24 h"},
        {"7d", "last 7 days"}, {"30d", "last 30 days"}, {NULL, NULL}};
    static const char *const verdicts[][2] = {{"", "verdict"}, {"new", "new"},
        {"seen", "seen before"}, {"worse", "worse"}, {"known", "known"}, {"gone", "gone"},
        {NULL, NULL}};
    static const char *const lookeds[][2] = {
        {"", "looked at?"}, {"no", "not looked at"}, {"yes", "looked at"}, {NULL, NULL}};
    struct choices services = {.count = 0}, apps = {.count = 0}, triggers = {.count = 0};
    for (size_t i = 0; i < view->count; i++) {
        add_choice(&services, view->summaries[i]->service);
        add_choice(&apps, view->summaries[i]->app);
        add_choice(&triggers, view->summaries[i]->trigger);
    }
    html_printf(out,
        "<form class=\"filters\" method=\"get\" action=\"/\" role=\"search\">\n"
        "<input type=\"search\" name=\"q\" value=\"%s\" placeholder=\"Search\" "
        "aria-label=\"search in functions, headlines, notes\" maxlength=\"200\">\n",
        filter->q ? filter->q : "");
    put_select(out, "service", "service", "service", &services, filter->service);
    if (apps.count > 1 || filter->app)
        put_select(out, "app", "app", "app", &apps, filter->app);
    put_select(out, "trigger", "trigger", "trigger", &triggers, filter->trigger);
    put_fixed(out, "since", "when", times, filter->since);
    put_fixed(out, "verdict", "verdict", verdicts,
        filter->has_verdict ? verdict_names[filter->verdict] : NULL);
    put_fixed(out, "looked", "looked at", lookeds,
        filter->looked == WEB_LOOKED_ANY   ? NULL
        : filter->looked == WEB_LOOKED_YES ? "yes"
                                           : "no");
    put_fixed(out, "kind", "kind", kinds, filter->kind);
    buf_puts(out, "<button>Filter</button>\n");
    if (web_filter_is_set(filter))
        buf_puts(out, "<a class=\"reset\" href=\"/\">Clear</a>\n");
    buf_puts(out, "</form>\n");
}

static void put_empty(struct buf *out, const struct web_site *site,
    const struct web_index_view *view, const struct web_filter *filter)
{
    buf_puts(out, "<div class=\"empty\">");
    if (*view->problem && view->count == 0)
        html_printf(out,
            "<h2>The incidents cannot be read</h2><p>%s</p><p>It is tried again every few "
            "moments; this page follows by itself.</p>",
            view->problem);
    else if (!view->complete)
        html_printf(out,
            "<h2>Reading</h2><p>%zu incident%s of %s so far, and none to show "
            "among them. This page follows by itself.</p>",
            view->count, view->count == 1 ? "" : "s", web_stores_where(site->stores));
    else if (view->count == 0)
        html_printf(out,
            "<h2>No incidents yet</h2><p>There are none in %s. A trigger that fires puts one here; "
            "so does <code>stakeout capture</code>. This page shows it by itself.</p>",
            web_stores_where(site->stores));
    else if (web_filter_is_set(filter))
        buf_puts(out, "<h2>Nothing fits</h2><p><a href=\"/\">Clear the filters</a> to see "
                      "everything.</p>");
    else
        buf_puts(out, "<h2>Only baselines so far</h2><p>Nothing has spiked yet. <a "
                      "href=\"/?kind=all\">Show the baselines</a>, which later spikes are "
                      "compared with.</p>");
    buf_puts(out, "</div>\n");
}

static void put_state(struct buf *out, const struct web_index_view *view)
{
    if (*view->problem && view->count > 0)
        html_printf(out,
            "<p class=\"notice\" role=\"status\">Cannot be read at the moment: %s. What was read "
            "before is shown.</p>\n",
            view->problem);
    else if (!view->complete && view->count > 0)
        html_printf(out,
            "<p class=\"notice\" role=\"status\">%zu incident%s read; older ones are still "
            "coming.</p>\n",
            view->count, view->count == 1 ? "" : "s");
    if (view->full)
        html_printf(out,
            "<p class=\"notice\" role=\"status\">There are more than %d incidents here: the newest "
            "are shown.</p>\n",
            WEB_INDEX_MAX);
}

static void put_link(struct buf *out, const struct web_filter *filter, size_t page, const char *rel,
    const char *text)
{
    struct buf address;
    buf_init(&address, 8192);
    buf_puts(&address, "/");
    web_filter_format(filter, page, &address);
    html_printf(out, "<a rel=\"%s\" href=\"%s\">%s</a> ", rel, address.data, text);
    buf_free(&address);
}

static void put_pages(struct buf *out, const struct web_filter *filter, size_t groups)
{
    size_t pages = (groups + ROWS - 1) / ROWS;
    if (pages <= 1)
        return;
    buf_puts(out, "<nav class=\"pages\" aria-label=\"pages\">");
    if (filter->page > 1)
        put_link(out, filter, filter->page - 1, "prev", "Newer");
    html_printf(out, "<span>page %zu of %zu</span> ", filter->page, pages);
    if (filter->page < pages)
        put_link(out, filter, filter->page + 1, "next", "Older");
    buf_puts(out, "</nav>\n");
}

struct sorting {
    const struct web_rows *rows;
    const struct web_filter *filter;
};

/* With a verdict in the filter: what has another one. Without: what somebody knows already, unless
 * it got worse or was asked for. */
static bool is_aside(void *arg, const struct web_group *group)
{
    const struct sorting *sorting = arg;
    const struct web_filter *filter = sorting->filter;
    const struct known *known = web_index_known(sorting->rows->site->index, group->shown->service);
    if (!filter->has_verdict &&
        (filter->group || filter->q || !known || !known_find(known, group->shown->group)))
        return false;
    struct history history;
    bool told = web_rows_history(sorting->rows, group, &history) == 0;
    bool aside = filter->has_verdict ? !told || history.verdict != filter->verdict
                                     : told && history.verdict == VERDICT_KNOWN;
    history_free(&history);
    return aside;
}

/* Folded below the list. */
static void put_known(struct buf *out, const struct web_rows *rows)
{
    const struct web_groups *groups = rows->groups;
    html_printf(out,
        "<details class=\"known\"><summary>%zu known %s</summary>\n<ol class=\"groups\">\n",
        groups->aside, groups->aside == 1 ? "group" : "groups");
    for (size_t i = 0; i < groups->aside && i < ROWS; i++)
        web_rows_write(out, rows, groups->count + i);
    buf_puts(out, "</ol></details>\n");
}

static void put_list(struct buf *out, const struct web_site *site,
    const struct web_index_view *view, const struct web_filter *filter)
{
    struct web_groups groups;
    struct buf back;
    buf_init(&back, 8192);
    buf_puts(&back, "/");
    web_filter_format(filter, filter->page, &back);
    struct web_rows rows = {
        .site = site, .groups = &groups, .back = back.data, .now_ms = clock_wall_ms()};
    web_groups_make(&groups, view, filter, filter->group != NULL);
    struct sorting sorting = {.rows = &rows, .filter = filter};
    web_groups_set_aside(&groups, is_aside, &sorting);
    html_printf(out,
        "<section id=\"list\" data-version=\"%llu\" data-incidents=\"%zu\" data-complete=\"%d\">\n",
        (unsigned long long)view->version, groups.incidents, view->complete);
    put_state(out, view);
    size_t first = (filter->page - 1) * ROWS;
    if (first >= groups.count)
        put_empty(out, site, view, filter);
    else
        buf_puts(out, "<ol class=\"groups\">\n");
    for (size_t i = first; i < groups.count && i < first + ROWS; i++)
        web_rows_write(out, &rows, i);
    if (first < groups.count)
        buf_puts(out, "</ol>\n");
    put_pages(out, filter, groups.count);
    if (groups.aside > 0 && !filter->has_verdict)
        put_known(out, &rows);
    buf_puts(out, "</section>\n");
    buf_free(&back);
    web_groups_free(&groups);
}

/* -1 when it is none, which the reply says then. */
static int take_filter(struct web_site *site, const struct web_request *request,
    struct web_filter *filter, struct web_reply *reply)
{
    struct error err;
    int status = web_filter_parse(&request->query, clock_wall_ms(), filter, &err);
    if (status < 0)
        web_page_problem(site, reply, 400, err.text);
    return status;
}

void web_list_page(
    struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    struct web_filter filter;
    if (take_filter(site, request, &filter, reply) < 0)
        return;
    web_index_wait_first(site->index, 2 * (size_t)ROWS, first_wait_ms);
    web_page_begin(site, reply, "Incidents", "list");
    struct web_index_view view = web_index_hold(site->index);
    put_filters(&reply->body, &view, &filter);
    put_list(&reply->body, site, &view, &filter);
    web_index_release(site->index);
    buf_puts(&reply->body, "<form id=\"compare\" action=\"/compare\" method=\"get\">"
                           "<span>Tick two incidents to compare them.</span> "
                           "<button>Compare</button></form>\n");
    web_page_end(reply);
}

void web_list_part(
    struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    struct web_filter filter;
    if (take_filter(site, request, &filter, reply) < 0)
        return;
    struct web_index_view view = web_index_hold(site->index);
    put_list(&reply->body, site, &view, &filter);
    web_index_release(site->index);
}

void web_list_changes(
    struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    const char *after = web_form_get(&request->query, "after");
    web_index_wait_change(site->index, after ? strtoull(after, NULL, 10) : 0, news_wait_ms);
    struct web_index_view view = web_index_hold(site->index);
    buf_printf(&reply->body, "{\"version\": %" PRIu64 "}\n", view.version);
    web_index_release(site->index);
    reply->type = "application/json";
}
