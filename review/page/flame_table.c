/* The same tree as a table, for whoever cannot see the picture. */
#include "core/alloc.h"
#include "core/buf.h"
#include "review/page/amount.h"
#include "review/page/flame_parts.h"
#include "review/page/html.h"
#include "review/page/names.h"

#include <stdlib.h>

enum { ROWS_MAX = 120, INDENT_MAX = 24, NAME_MAX_BYTES = 160 };

static void write_heading(const struct flame_page *page)
{
    const struct flame_options *options = &page->options;
    html_printf(page->out,
        "<details class=\"flame-table\"><summary>The same as a table</summary>\n"
        "<table><caption>%s by calls: each function below the one that called it; from %g%% on"
        "</caption>\n<thead><tr><th scope=\"col\">Level</th><th scope=\"col\">Function</th>",
        options->title, page->least_percent);
    if (page->tree->comparison.has_base)
        html_printf(page->out,
            "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>",
            options->now, options->then, page->is_amounts ? "Change" : "Points");
    else
        buf_puts(page->out, "<th scope=\"col\">Share</th><th scope=\"col\">Amount</th>");
    buf_puts(page->out, "</tr></thead>\n<tbody>\n");
}

static void write_cells(const struct flame_page *page, const struct flame_node *node)
{
    const struct comparison *comparison = &page->tree->comparison;
    char now[AMOUNT_MAX], then[AMOUNT_MAX], change[AMOUNT_MAX];
    const char *unit = page->tree->unit;
    if (!comparison->has_base) {
        html_printf(page->out, "<td>%s<td>%s", amount_percent(now, flame_percent(page, node)),
            amount_text(then, (double)node->value, unit));
        return;
    }
    if (page->is_amounts) {
        amount_text(now, (double)node->value, unit);
        amount_text(then, (double)node->base * comparison->base_ratio, unit);
        amount_change(change, comparison_amount(comparison, node->value, node->base), unit);
    } else {
        amount_percent(now, flame_percent(page, node));
        amount_percent(then, comparison_base_percent(comparison, node->base));
        amount_points(change, flame_points(page, node));
    }
    html_printf(page->out, "<td>%s<td>%s<td>%s", now, then, change);
}

static void write_row(const struct flame_page *page, const struct flame_node *node)
{
    uint32_t indent = node->depth < INDENT_MAX ? node->depth : INDENT_MAX;
    char *name = names_line(node->name, NAME_MAX_BYTES);
    html_printf(page->out, "<tr><td>%u<th scope=\"row\" class=\"i%u%s\">%s", node->depth, indent,
        flame_owner_letter(page, node) == 'o' ? " own" : "", name);
    free(name);
    write_cells(page, node);
    buf_puts(page->out, "\n");
}

void flame_write_table(const struct flame_page *page)
{
    struct flame_page table = *page;
    const struct comparison *comparison = &page->tree->comparison;
    table.least_percent = flame_least_percent(page, ROWS_MAX, true);
    write_heading(&table);
    for (uint32_t i = 0; i < page->tree->count; i++) {
        const struct flame_node *node = &page->tree->nodes[i];
        if (flame_percent(page, node) >= table.least_percent ||
            comparison_base_percent(comparison, node->base) >= table.least_percent)
            write_row(&table, node);
    }
    buf_puts(page->out, "</tbody></table></details>\n");
}
