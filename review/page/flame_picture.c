/* The picture as it is without a script. What is wide enough for text is an HTML box in the SVG,
 * which cuts its text off with an ellipsis; the rest are rectangles. */
#include "core/alloc.h"
#include "core/buf.h"
#include "review/page/amount.h"
#include "review/page/flame_parts.h"
#include "review/page/html.h"
#include "review/page/names.h"

#include <math.h>
#include <stdlib.h>

enum { ROW_PX = 20, GAP_PX = 1, FRAMES_MAX = 320, NAME_MAX_BYTES = 120, LABEL_MAX_BYTES = 80 };

/* Percent of the width: from the first on, there is a text; from the second, also the change. */
static const double label_percent = 3, change_percent = 10;

static void write_title(const struct flame_page *page, const struct flame_node *node)
{
    char *name = names_line(node->name, NAME_MAX_BYTES);
    html_printf(page->out, "%s: ", name);
    flame_write_numbers(page, node);
    free(name);
}

static void write_box(const struct flame_page *page, const struct flame_node *node, double width)
{
    double points = flame_points(page, node);
    html_printf(page->out, "><p class=\"%s %c\" title=\"", flame_change_class(points),
        flame_owner_letter(page, node));
    write_title(page, node);
    char *label = node->kind == FLAME_FUNCTION ? names_label(node->name, LABEL_MAX_BYTES)
                                               : xstrdup(node->name);
    html_printf(page->out, "\">%s", label);
    free(label);
    char text[AMOUNT_MAX];
    if (page->tree->comparison.has_base && width >= change_percent && fabs(points) >= 0.5)
        html_printf(page->out, " <b>%s</b>", amount_points(text, points));
    buf_puts(page->out, "</p></foreignObject>\n");
}

static void write_frame(const struct flame_page *page, const struct flame_node *node, double left)
{
    double width = flame_percent(page, node);
    bool has_label = width >= label_percent;
    html_printf(page->out, "<%s x=\"%.2f%%\" y=\"%u\" width=\"%.2f%%\" height=\"%d\"",
        has_label ? "foreignObject" : "rect", left, node->depth * ROW_PX, width, ROW_PX - GAP_PX);
    if (has_label) {
        write_box(page, node, width);
        return;
    }
    html_printf(page->out, " class=\"%s %c\"><title>", flame_change_class(flame_points(page, node)),
        flame_owner_letter(page, node));
    write_title(page, node);
    buf_puts(page->out, "</title></rect>\n");
}

/* Where each child begins: behind what its siblings before it have. */
static double *lefts_of(const struct flame_page *page)
{
    const struct flame_tree *tree = page->tree;
    double *lefts = xcalloc(tree->count, sizeof *lefts);
    for (uint32_t i = 0; i < tree->count; i++) {
        double left = lefts[i];
        for (uint32_t child = i + 1; child < tree->nodes[i].end; child = tree->nodes[child].end) {
            lefts[child] = left;
            left += flame_percent(page, &tree->nodes[child]);
        }
    }
    return lefts;
}

void flame_write_picture(const struct flame_page *page)
{
    const struct flame_tree *tree = page->tree;
    double least = flame_least_percent(page, FRAMES_MAX, false);
    uint32_t depth = 0;
    for (uint32_t i = 0; i < tree->count; i++)
        if (flame_percent(page, &tree->nodes[i]) >= least && tree->nodes[i].depth > depth)
            depth = tree->nodes[i].depth;
    html_printf(page->out,
        "<svg class=\"flame-graph\" width=\"100%%\" height=\"%u\" role=\"group\" "
        "aria-label=\"Flame graph of %s, callers above what they call\">\n",
        (depth + 1) * ROW_PX, page->options.title);
    double *lefts = lefts_of(page);
    for (uint32_t i = 0; i < tree->count;) {
        bool is_wide = flame_percent(page, &tree->nodes[i]) >= least;
        if (is_wide)
            write_frame(page, &tree->nodes[i], lefts[i]);
        i = is_wide ? i + 1 : tree->nodes[i].end;
    }
    free(lefts);
    buf_puts(page->out, "</svg>\n");
}
