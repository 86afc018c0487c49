#include "review/page/flame.h"

#include "core/buf.h"
#include "review/page/amount.h"
#include "review/page/flame_parts.h"
#include "review/page/html.h"
#include "review/profile/measure.h"
#include "review/suspect/owners.h"

#include <math.h>
#include <string.h>

const double flame_steps[FLAME_STEPS] = {0.5, 2, 5, 15, 40};

const char *flame_change_class(double points)
{
    static const char *const grew[] = {"z", "p1", "p2", "p3", "p4", "p5"};
    static const char *const shrank[] = {"z", "m1", "m2", "m3", "m4", "m5"};
    int step = 0;
    while (step < FLAME_STEPS && fabs(points) >= flame_steps[step])
        step++;
    return points < 0 ? shrank[step] : grew[step];
}

char flame_owner_letter(const struct flame_page *page, const struct flame_node *node)
{
    if (node->kind != FLAME_FUNCTION)
        return 'x';
    if (!page->options.owners)
        return 'u';
    switch (owners_of(page->options.owners, node->name, node->file)) {
    case OWNER_OWN:
        return 'o';
    case OWNER_LIBRARY:
        return 'l';
    case OWNER_STANDARD:
    case OWNER_RUNTIME:
        return 's';
    case OWNER_UNKNOWN:
        break;
    }
    return 'u';
}

double flame_percent(const struct flame_page *page, const struct flame_node *node)
{
    return comparison_percent(&page->tree->comparison, node->value);
}

double flame_points(const struct flame_page *page, const struct flame_node *node)
{
    return comparison_points(&page->tree->comparison, node->value, node->base);
}

void flame_write_numbers(const struct flame_page *page, const struct flame_node *node)
{
    const struct comparison *comparison = &page->tree->comparison;
    char percent[AMOUNT_MAX], amount[AMOUNT_MAX], then[AMOUNT_MAX], change[AMOUNT_MAX];
    const char *unit = page->tree->unit;
    html_printf(page->out, "%s of %s (%s)", amount_percent(percent, flame_percent(page, node)),
        page->options.title, amount_text(amount, (double)node->value, unit));
    if (!comparison->has_base)
        return;
    if (page->is_amounts) {
        amount_text(then, (double)node->base * comparison->base_ratio, unit);
        amount_change(change, comparison_amount(comparison, node->value, node->base), unit);
    } else {
        amount_percent(then, comparison_base_percent(comparison, node->base));
        amount_points(change, flame_points(page, node));
    }
    html_printf(page->out, ", %s %s, %s%s", page->options.then, then, change,
        page->is_amounts ? "" : " points");
}

double flame_least_percent(const struct flame_page *page, uint32_t count, bool with_base)
{
    static const double steps[] = {0.5, 1, 2, 3, 5, 10};
    const struct comparison *comparison = &page->tree->comparison;
    size_t last = sizeof steps / sizeof *steps - 1;
    for (size_t i = 0; i < last; i++) {
        uint32_t found = 0;
        for (uint32_t j = 0; j < page->tree->count; j++) {
            const struct flame_node *node = &page->tree->nodes[j];
            found += comparison_percent(comparison, node->value) >= steps[i] ||
                     (with_base && comparison_base_percent(comparison, node->base) >= steps[i]);
        }
        if (found <= count)
            return steps[i];
    }
    return steps[last];
}

/* What flame.js computes numbers from. Units are the smallest ones there. */
static void write_opening(const struct flame_page *page)
{
    const struct comparison *comparison = &page->tree->comparison;
    const char *unit = "";
    double ratio = 1;
    if (measure_ratio(page->tree->unit, "bytes", &ratio))
        unit = "B";
    else if (measure_ratio(page->tree->unit, "nanoseconds", &ratio))
        unit = "ns";
    else
        ratio = 1;
    html_printf(page->out,
        "<div class=\"flame%s\" id=\"%s\" data-title=\"%s\" data-then=\"%s\" data-unit=\"%s\" "
        "data-total=\"%.0f\" data-base=\"%.0f\" data-kind=\"%s\">\n",
        comparison->has_base ? " with-base" : "", page->options.id, page->options.title,
        page->options.then, unit, (double)comparison->total * ratio,
        (double)comparison->base_total * comparison->base_ratio * ratio,
        !comparison->has_base ? ""
        : page->is_amounts    ? "amounts"
                              : "shares");
}

static void write_mode(
    const struct flame_page *page, const char *mode, const char *checked, const char *label)
{
    html_printf(page->out, "<input type=\"radio\" class=\"to-%s\" name=\"%s-mode\" id=\"%s-%s\"%s>",
        mode, page->options.id, page->options.id, mode, checked);
    html_printf(page->out, "<label for=\"%s-%s\">%s</label>\n", page->options.id, mode, label);
}

static void write_tools(const struct flame_page *page)
{
    if (page->tree->comparison.has_base) {
        write_mode(page, "diff", " checked", "Difference");
        write_mode(page, "then", " disabled", "What shrank");
        write_mode(page, "plain", "", "Plain");
    }
    html_printf(page->out,
        "<span class=\"flame-tools\" hidden><input type=\"search\" aria-label=\"Search in the "
        "flame "
        "graph of %s: part of a function's name, or /regular expression/\" "
        "placeholder=\"Search (press /)\" autocomplete=\"off\" spellcheck=\"false\" "
        "maxlength=\"200\"> <button type=\"button\" disabled>Reset zoom</button></span>\n",
        page->options.title);
}

static void write_scale(const struct flame_page *page)
{
    buf_puts(page->out, "<span class=\"flame-scale\">shrank ");
    for (int i = FLAME_STEPS; i-- > 0;)
        html_printf(page->out, "<i class=\"m%d\">" AMOUNT_MINUS "%g</i>", i + 1, flame_steps[i]);
    buf_puts(page->out, "<i class=\"z\">0</i>");
    for (int i = 0; i < FLAME_STEPS; i++)
        html_printf(page->out, "<i class=\"p%d\">+%g</i>", i + 1, flame_steps[i]);
    buf_puts(page->out, " grew</span>");
}

static void write_legends(const struct flame_page *page)
{
    const struct flame_options *options = &page->options;
    if (page->tree->comparison.has_base) {
        html_printf(page->out,
            "<p class=\"flame-legend in-diff\">Width: share of %s, <b><span class=\"is-now\">%s"
            "</span><span class=\"is-then\">%s</span></b>. Colour: change from <b>%s</b> to "
            "<b>%s</b>, in %s: ",
            options->title, options->now, options->then, options->then, options->now,
            page->is_amounts ? "percent of the larger total" : "percentage points");
        write_scale(page);
        buf_puts(page->out, "</p>\n");
    }
    html_printf(page->out, "<p class=\"flame-legend in-plain\">Width: share of %s", options->title);
    if (page->tree->comparison.has_base)
        html_printf(page->out, ", <b>%s</b>", options->now);
    buf_puts(page->out, ".");
    if (options->owners)
        buf_puts(page->out, " <span class=\"flame-scale\"><i class=\"o\">own code</i>"
                            "<i class=\"l\">libraries</i><i class=\"s\">standard library, runtime"
                            "</i><i class=\"u\">unknown</i></span>");
    buf_puts(page->out, "</p>\n");
}

void flame_write(
    struct buf *out, const struct flame_tree *tree, const struct flame_options *options)
{
    struct flame_page page = {.out = out,
        .tree = tree,
        .options = *options,
        .is_amounts = tree->comparison.kind == COMPARISON_AMOUNTS};
    if (!page.options.now)
        page.options.now = "now";
    if (!page.options.then)
        page.options.then = "calm day";
    if (tree->comparison.total == 0 && tree->comparison.base_total == 0) {
        html_printf(out, "<p class=\"flame-empty\">The profile has no samples of %s.</p>\n",
            page.options.title);
        return;
    }
    write_opening(&page);
    write_tools(&page);
    write_legends(&page);
    buf_puts(out, "<p class=\"flame-details\" role=\"status\" hidden></p>\n");
    flame_write_picture(&page);
    flame_write_data(&page);
    flame_write_table(&page);
    buf_puts(out, "</div>\n");
}
