#include "commands/table.h"

#include "commands/terminal.h"
#include "core/alloc.h"

#include <stdint.h>
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
    free(table->colours);
    table->cells = NULL;
    table->colours = NULL;
}

void table_add(struct table *table, const char *const *cells)
{
    size_t used = table->rows * table->columns;
    table->cells = xrealloc(table->cells, used + table->columns, sizeof *table->cells);
    table->colours = xrealloc(table->colours, used + table->columns, sizeof *table->colours);
    for (size_t i = 0; i < table->columns; i++) {
        char *cell = terminal_safe(cells[i] ? cells[i] : "");
        size_t width = terminal_length(cell);
        if (width > table->widths[i] && !table->headed)
            table->widths[i] = width;
        table->cells[used + i] = cell;
        table->colours[used + i] = TABLE_PLAIN;
    }
    table->rows++;
}

void table_colour(struct table *table, size_t column, enum table_colour colour)
{
    table->colours[(table->rows - 1) * table->columns + column] = colour;
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

static void begin_colour(FILE *out, enum table_colour colour)
{
    if (colour != TABLE_PLAIN)
        fprintf(out, "\x1b[%dm", (int)colour);
}

static void end_colour(FILE *out, enum table_colour colour)
{
    if (colour != TABLE_PLAIN)
        fputs("\x1b[0m", out);
}

/* colours NULL: none. No blanks at the end of a line. */
static void print_row(const struct table *table, FILE *out, const char *const *cells,
    const enum table_colour *colours, const struct table_style *style)
{
    size_t used = 0, blanks = style->indent; /* that come before the next cell */
    for (size_t i = 0; i < table->columns; i++) {
        if (table->hidden >> i & 1)
            continue;
        size_t length = terminal_length(cells[i]);
        size_t pad = length < table->widths[i] ? table->widths[i] - length : 0;
        bool right = table->right >> i & 1;
        blanks += right ? pad : 0;
        if (length > 0) {
            enum table_colour colour = colours ? colours[i] : TABLE_PLAIN;
            used += blanks;
            if (style->columns > 0 && used >= style->columns)
                return;
            fprintf(out, "%*s", (int)blanks, "");
            begin_colour(out, colour);
            print_cut(out, cells[i], style->columns > 0 ? style->columns - used : SIZE_MAX);
            end_colour(out, colour);
            used += length;
            blanks = 0;
        }
        blanks += (right ? 0 : pad) + 2;
    }
}

void table_flush(struct table *table, FILE *out, const struct table_style *style)
{
    if (table->titles && !table->headed) {
        fputs(style->colour ? "\x1b[1m" : "", out);
        print_row(table, out, table->titles, NULL, style);
        fputs(style->colour ? "\x1b[0m\n" : "\n", out);
    }
    table->headed = true;
    for (size_t i = 0; i < table->rows; i++) {
        size_t first = i * table->columns;
        print_row(table, out, (const char *const *)&table->cells[first],
            style->colour ? &table->colours[first] : NULL, style);
        putc('\n', out);
    }
    forget_rows(table);
}
