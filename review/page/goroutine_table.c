#include "review/page/goroutine_table.h"

#include "core/buf.h"
#include "review/page/amount.h"
#include "review/page/html.h"
#include "review/page/names.h"
#include "review/suspect/goroutines.h"

#include <stdbool.h>
#include <stdlib.h>

enum { ROWS = 12, FRAMES_SHOWN_MAX = 60, NAME_BYTES_MAX = 200, LABEL_BYTES_MAX = 100 };

struct goroutine_page {
    struct buf *out;
    const struct goroutines *goroutines;
    bool has_base;
    const char *now, *then;
};

static char *count_text(char text[AMOUNT_MAX], int64_t count)
{
    return amount_text(text, (double)count, "count");
}

static void write_summary(const struct goroutine_page *page)
{
    char now[AMOUNT_MAX], then[AMOUNT_MAX];
    const struct goroutines *goroutines = page->goroutines;
    html_printf(page->out, "<p>%s goroutines in %zu %s by stack",
        count_text(now, goroutines->total), goroutines->count + goroutines->left_out,
        goroutines->count + goroutines->left_out == 1 ? "group" : "groups");
    if (page->has_base)
        html_printf(page->out, "; %s: %s", page->then, count_text(then, goroutines->base_total));
    buf_puts(page->out, ".</p>\n");
}

static void write_head(const struct goroutine_page *page)
{
    buf_puts(page->out, "<table class=\"goroutines\"><caption>");
    buf_puts(page->out, page->has_base ? "What grew most; a row opens its stack, innermost first"
                                       : "The most; a row opens its stack, innermost first");
    buf_puts(page->out, "</caption>\n<thead><tr><th scope=\"col\">Doing</th>");
    if (page->has_base)
        html_printf(page->out,
            "<th scope=\"col\">Change</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>",
            page->now, page->then);
    else
        buf_puts(page->out, "<th scope=\"col\">Goroutines</th>");
    buf_puts(page->out, "</tr></thead>\n<tbody>\n");
}

/* What a group is called: the app's own function, else the one that everything began in. */
static const char *name_of(const struct goroutine_group *group)
{
    if (group->own)
        return group->own;
    return group->frame_count > 0 ? group->frames[0] : "no stack";
}

static void write_stack(const struct goroutine_page *page, const struct goroutine_group *group)
{
    char *label = names_label(name_of(group), LABEL_BYTES_MAX);
    html_printf(page->out,
        "<tr><th scope=\"row\"><details><summary>%s <small>%s</small></summary><ol>", label,
        group->state);
    free(label);
    size_t last = group->frame_count > FRAMES_SHOWN_MAX ? group->frame_count - FRAMES_SHOWN_MAX : 0;
    for (size_t i = group->frame_count; i-- > last;) {
        char *name = names_line(group->frames[i], NAME_BYTES_MAX);
        html_printf(page->out, "<li>%s", name);
        free(name);
    }
    if (last > 0)
        html_printf(page->out, "<li>%zu more, further out", last);
    buf_puts(page->out, "</ol></details></th>");
}

static void write_group(const struct goroutine_page *page, const struct goroutine_group *group)
{
    char text[AMOUNT_MAX];
    write_stack(page, group);
    if (page->has_base)
        html_printf(page->out, "<td>%s</td>",
            amount_change(text, (double)group->count - (double)group->base_count, "count"));
    html_printf(page->out, "<td>%s</td>", count_text(text, group->count));
    if (page->has_base)
        html_printf(page->out, "<td>%s</td>", count_text(text, group->base_count));
    buf_puts(page->out, "</tr>\n");
}

void goroutine_table_write(struct buf *out, const struct goroutines *goroutines,
    const struct goroutine_table_options *options)
{
    struct goroutine_page page = {.out = out,
        .goroutines = goroutines,
        .has_base = goroutines->base_total >= 0,
        .now = options->now ? options->now : "now",
        .then = options->then ? options->then : "calm day"};
    size_t rows = options->rows ? options->rows : ROWS;
    rows = rows < goroutines->count ? rows : goroutines->count;
    buf_puts(out, "<div class=\"growth\">\n");
    write_summary(&page);
    if (rows > 0) {
        write_head(&page);
        for (size_t i = 0; i < rows; i++)
            write_group(&page, &goroutines->groups[i]);
        buf_puts(out, "</tbody></table>\n");
    }
    size_t more = goroutines->count + goroutines->left_out - rows;
    if (more > 0)
        html_printf(out, "<p class=\"rest\">%zu more group%s.</p>\n", more, more == 1 ? "" : "s");
    buf_puts(out, "</div>\n");
}
