#include "review/page/tables.h"

#include "core/buf.h"
#include "review/compare/growth.h"
#include "review/page/amount.h"
#include "review/page/html.h"
#include "review/page/names.h"
#include "review/suspect/owners.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 20, NAME_BYTES_MAX = 300, LABEL_BYTES_MAX = 100, FILE_BYTES_MAX = 200 };

/* Percentage points, or percent: what has less is in no table. */
static const double least_points = 0.1;

/* What a whole bar has at least, so that small changes look small. */
static const double bar_points = 5;

struct growth_page {
    struct buf *out;
    const struct growth *growth;
    struct tables_options options; /* with nothing left to be NULL that is a text */
    bool has_base, is_amounts;
};

/* One of the tables. */
struct view {
    const char *mode; /* "cum" or "flat", of the radio button that shows it; NULL: neither */
    enum growth_order order;
    const char *caption;
    const char *bar; /* class of the bars */
    const struct growth_function **functions;
    size_t count;
};

static bool is_flat(const struct view *view)
{
    return view->order == GROWTH_FLAT_GREW;
}

/* What a table is sorted by and its bars show. */
static double weight_of(
    const struct growth_page *page, const struct view *view, const struct growth_function *function)
{
    if (!page->has_base)
        return comparison_percent(
            &page->growth->comparison, is_flat(view) ? function->flat : function->cum);
    double points = is_flat(view) ? function->flat_points : function->cum_points;
    return view->order == GROWTH_CUM_SHRANK ? -points : points;
}

/* The caller frees view->functions. */
static void sort(const struct growth_page *page, struct view *view)
{
    view->functions = growth_sorted(page->growth, view->order);
    while (view->count < page->growth->count &&
           weight_of(page, view, view->functions[view->count]) >= least_points)
        view->count++;
}

static void write_head(const struct growth_page *page, const struct view *view)
{
    const char *now = page->has_base ? page->options.now : "share";
    const char *then = page->has_base ? page->options.then : "amount";
    html_printf(page->out,
        "<table%s%s><caption>%s</caption>\n<thead><tr><th scope=\"col\">Function</th>"
        "<th scope=\"col\">%s</th>",
        view->mode ? " class=by-" : "", view->mode ? view->mode : "", view->caption,
        !page->has_base    ? "Share"
        : page->is_amounts ? "Change"
                           : "Points");
    html_printf(page->out,
        "<th scope=\"col\">With calls, %s</th><th scope=\"col\">With calls, %s</th>"
        "<th scope=\"col\">Itself, %s</th><th scope=\"col\">Itself, "
        "%s</th></tr></thead>\n<tbody>\n",
        now, then, now, then);
}

static bool is_web_address(const char *address)
{
    return !strncmp(address, "https://", 8) || !strncmp(address, "http://", 7);
}

/* The path of the package, of which the label has only the last element. Ends the name there. */
static void write_package(const struct growth_page *page, char *name, const char *label)
{
    size_t size = strlen(name), label_size = strlen(label), last = strcspn(label, ".");
    size_t path = size > label_size ? size - label_size : 0;
    if (path == 0 || last == label_size || strcmp(name + path, label) != 0)
        return;
    name[path + last] = '\0';
    html_printf(page->out, " <small>%s</small>", name);
}

static void write_name(const struct growth_page *page, const struct growth_function *function)
{
    char *name = names_line(function->name, NAME_BYTES_MAX);
    char *label = names_label(function->name, LABEL_BYTES_MAX);
    char *file = names_line(function->file, FILE_BYTES_MAX);
    char *source = NULL;
    if (page->options.source && *function->file)
        source = page->options.source(
            page->options.source_arg, function->name, function->file, function->line);
    bool is_link = source && is_web_address(source);
    bool is_own = page->options.owners &&
                  owners_of(page->options.owners, function->name, function->file) == OWNER_OWN;
    html_printf(
        page->out, "<tr><th scope=\"row\"%s title=\"%s", is_own ? " class=\"own\"" : "", name);
    if (*file && function->line > 0)
        html_printf(page->out, "&#10;%s:%lld", file, (long long)function->line);
    else if (*file)
        html_printf(page->out, "&#10;%s", file);
    buf_puts(page->out, "\">");
    if (is_link)
        html_printf(page->out, "<a href=\"%s\">", source);
    html_printf(page->out, "%s", label);
    buf_puts(page->out, is_link ? "</a>" : "");
    buf_puts(page->out, is_own ? " <i>own</i>" : "");
    write_package(page, name, label);
    buf_puts(page->out, "</th>");
    free(name);
    free(label);
    free(file);
    free(source);
}

static void write_change(
    const struct growth_page *page, const struct view *view, const struct growth_function *function)
{
    char text[AMOUNT_MAX];
    const struct comparison *comparison = &page->growth->comparison;
    double weight = weight_of(page, view, function);
    double largest = fmax(weight_of(page, view, view->functions[0]), bar_points);
    double points = is_flat(view) ? function->flat_points : function->cum_points;
    double amount = is_flat(view)
                        ? comparison_amount(comparison, function->flat, function->base_flat)
                        : comparison_amount(comparison, function->cum, function->base_cum);
    if (!page->has_base)
        amount_percent(text, weight);
    else if (page->is_amounts)
        amount_change(text, amount, page->growth->unit);
    else
        amount_points(text, points);
    html_printf(page->out,
        "<td>%s <svg class=\"%s\" width=\"80\" height=\"10\" aria-hidden=\"true\"><rect "
        "width=\"%.1f%%\" height=\"10\"/></svg></td>",
        text, view->bar, weight / largest * 100);
}

static void write_pair(const struct growth_page *page, int64_t value, int64_t base)
{
    char left[AMOUNT_MAX], right[AMOUNT_MAX];
    const struct comparison *comparison = &page->growth->comparison;
    if (page->has_base && page->is_amounts) {
        amount_text(left, (double)value, page->growth->unit);
        amount_text(right, (double)base * comparison->base_ratio, page->growth->unit);
    } else {
        amount_percent(left, comparison_percent(comparison, value));
        amount_percent(right, comparison_base_percent(comparison, base));
    }
    if (!page->has_base)
        amount_text(right, (double)value, page->growth->unit);
    html_printf(page->out, "<td>%s</td><td>%s</td>", left, right);
}

static void write_table(const struct growth_page *page, const struct view *view)
{
    size_t count = view->count < page->options.rows ? view->count : page->options.rows;
    write_head(page, view);
    for (size_t i = 0; i < count; i++) {
        const struct growth_function *function = view->functions[i];
        write_name(page, function);
        write_change(page, view, function);
        write_pair(page, function->cum, function->base_cum);
        write_pair(page, function->flat, function->base_flat);
        buf_puts(page->out, "</tr>\n");
    }
    buf_puts(page->out, "</tbody></table>\n");
    if (count < view->count)
        html_printf(page->out, "<p class=\"rest%s%s\">%zu more are smaller.</p>\n",
            view->mode ? " by-" : "", view->mode ? view->mode : "", view->count - count);
}

static void write_mode(const struct growth_page *page, const char *mode, bool is_first)
{
    const char *id = page->options.id;
    html_printf(page->out,
        "<input type=\"radio\" class=\"to-%s\" name=\"%s-by\" id=\"%s-%s\"%s>"
        "<label for=\"%s-%s\">%s</label>\n",
        mode, id, id, mode, is_first ? " checked" : "", id, mode,
        !strcmp(mode, "cum") ? "With what they call" : "By themselves");
}

static void write_shrank(const struct growth_page *page)
{
    struct view shrank = {.order = GROWTH_CUM_SHRANK,
        .caption = "Functions that shrank most, with what they call",
        .bar = "bar-shrank"};
    sort(page, &shrank);
    if (shrank.count > 0) {
        html_printf(page->out, "<details><summary>What shrank: %zu %s</summary>\n", shrank.count,
            shrank.count == 1 ? "function" : "functions");
        write_table(page, &shrank);
        buf_puts(page->out, "</details>\n");
    }
    free(shrank.functions);
}

static void write_nothing(const struct growth_page *page)
{
    if (page->growth->comparison.total == 0)
        html_printf(page->out, "<p>The profile has no samples of %s.</p>\n", page->options.title);
    else
        html_printf(page->out, "<p>No function has grown in %s since %s.</p>\n",
            page->options.title, page->options.then);
}

void tables_write_growth(
    struct buf *out, const struct growth *growth, const struct tables_options *options)
{
    struct growth_page page = {.out = out, .growth = growth, .options = *options};
    page.has_base = growth->comparison.has_base;
    page.is_amounts = growth->comparison.kind == COMPARISON_AMOUNTS;
    page.options.rows = options->rows ? options->rows : ROWS;
    page.options.now = options->now ? options->now : "now";
    page.options.then = options->then ? options->then : "calm day";
    struct view views[] = {
        {.mode = "cum",
            .order = GROWTH_CUM_GREW,
            .caption = page.has_base ? "Functions that grew most, with what they call"
                                     : "Functions that take most, with what they call",
            .bar = page.has_base ? "bar-grew" : "bar-share"},
        {.mode = "flat",
            .order = GROWTH_FLAT_GREW,
            .caption = page.has_base ? "Functions that grew most by themselves"
                                     : "Functions that take most by themselves",
            .bar = page.has_base ? "bar-grew" : "bar-share"},
    };
    sort(&page, &views[0]);
    sort(&page, &views[1]);
    html_printf(out, "<div class=\"growth\" id=\"%s\">\n", options->id);
    /* Without a base everything is below main: what takes it by itself says more. */
    write_mode(&page, page.has_base ? "cum" : "flat", true);
    write_mode(&page, page.has_base ? "flat" : "cum", false);
    for (size_t i = 0; i < 2; i++)
        if (views[i].count > 0)
            write_table(&page, &views[i]);
    if (views[0].count == 0 && views[1].count == 0)
        write_nothing(&page);
    if (page.has_base)
        write_shrank(&page);
    buf_puts(out, "</div>\n");
    free(views[0].functions);
    free(views[1].functions);
}
