#include "commands/table.h"

#include "commands/terminal.h"
#include "core/alloc.h"

#include <stdlib.h>

void table_init(struct table *table, size_t columns, const char *const *titles)
{
    *table = (struct table){.titles = titles, .columns = columns};
    for (size_t i = 0; titles && i < columns; i++)
        table->widths[i] = terminal_length(titles[i]);
}

static void forget_rows(struct table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    table->rows = 0;
}

void table_free(struct table *table)
{
    forget_rows(table);
    free(table->cells);
    table->cells = NULL;
}

void table_add(struct table *table, const char *const *cells)
{
    size_t used = table->rows * table->columns;
    table->cells = xrealloc(table->cells, used + table->columns, sizeof *table->cells);
    for (size_t i = 0; i < table->columns; i++) {
        char *cell = terminal_safe(cells[i] ? cells[i] : "");
        size_t width = terminal_length(cell);
        if (width > table->widths[i] && !table->headed)
            table->widths[i] = width;
        table->cells[used + i] = cell;
    }
    table->rows++;
}

/* The first `columns` characters of text, with an ellipsis where something is missing. */
static void print_cut(FILE *out, const char *text, size_t columns)
{
    bool cut = terminal_length(text) > columns;
    size_t keep = cut && columns > 0 ? columns - 1 : columns;
    for (; *text; text++) {
        bool begins = ((unsigned char)*text & 0xc0) != 0x80;
        if (begins && keep-- == 0)
            break;
        putc(*text, out);
    }
    if (cut && columns > 0)
        fputs("\u2026", out);
}

static void print_row(
    const struct table *table, FILE *out, const char *const *cells, const struct table_style *style)
{
    size_t last = table->columns;
    while (last > 0 && !*cells[last - 1])
        last--;
    size_t used = style->indent;
    fprintf(out, "%*s", (int)style->indent, "");
    for (size_t i = 0; i + 1 < last; i++) {
        size_t length = terminal_length(cells[i]);
        size_t pad = length < table->widths[i] ? table->widths[i] - length : 0;
        fprintf(out, "%s%*s", cells[i], (int)pad + 2, "");
        used += length + pad + 2;
    }
    bool cuts = style->columns > 0 && last == table->columns;
    if (last > 0 && cuts)
        print_cut(out, cells[last - 1], style->columns > used ? style->columns - used : 0);
    else if (last > 0)
        fputs(cells[last - 1], out);
}

void table_flush(struct table *table, FILE *out, const struct table_style *style)
{
    if (table->titles && !table->headed) {
        fputs(style->colour ? "\x1b[1m" : "", out);
        print_row(table, out, table->titles, style);
        fputs(style->colour ? "\x1b[0m\n" : "\n", out);
    }
    table->headed = true;
    for (size_t i = 0; i < table->rows; i++) {
        print_row(table, out, (const char *const *)&table->cells[i * table->columns], style);
        putc('\n', out);
    }
    forget_rows(table);
}
