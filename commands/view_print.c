#include "commands/terminal.h"
#include "commands/view.h"
#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

static void print_table(struct table *table, FILE *out, const struct table_style *style)
{
    if (table->rows == 0)
        return;
    if (table->titles)
        putc('\n', out);
    table_flush(table, out, style);
}

void view_print_text(struct view *view, FILE *out)
{
    struct table_style style = {.colour = terminal_colour(out)};
    char *headline = terminal_safe(view->headline);
    fprintf(
        out, "%s%s%s\n\n", style.colour ? "\x1b[1m" : "", headline, style.colour ? "\x1b[0m" : "");
    free(headline);
    print_table(&view->facts, out, &style);
    print_table(&view->profiles, out, &style);
    print_table(&view->peaks, out, &style);
    if (!view->open)
        return;
    char *command = terminal_safe(view->open);
    fprintf(out, "\nOpen the CPU profile:\n  %s\n", command);
    free(command);
}

/* Prints text from outside as a code span, in which nothing is markup, a mention, a reference or a
 * link: the fence is longer than any run of backticks inside (CommonMark 6.1). In a table a bar
 * would end the cell even so: it gets a backslash, which the table takes off again (GFM 4.10). */
static void print_code(FILE *out, const char *text, bool in_table)
{
    size_t longest = 0;
    for (const char *at = text; (at = strchr(at, '`'));) {
        size_t run = strspn(at, "`");
        longest = run > longest ? run : longest;
        at += run;
    }
    const char *space = longest > 0 ? " " : "";
    char *fence = xcalloc(longest + 2, 1);
    memset(fence, '`', longest + 1);
    fprintf(out, "%s%s", fence, space);
    for (; *text; text++) {
        if (*text == '|' && in_table)
            putc('\\', out);
        putc(*text, out);
    }
    fprintf(out, "%s%s", space, fence);
    free(fence);
}

static void print_markdown_cell(FILE *out, const char *text)
{
    if (*text)
        print_code(out, text, true);
}

static void print_markdown_table(const struct table *table, FILE *out, const char *const *titles)
{
    if (table->rows == 0)
        return;
    putc('\n', out);
    for (size_t i = 0; i < table->columns; i++)
        fprintf(out, "| %s ", titles[i]); // NOLINT(*CallAndMessage): there is one for each column
    fputs("|\n", out);
    for (size_t i = 0; i < table->columns; i++)
        fputs("| --- ", out);
    fputs("|\n", out);
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t i = 0; i < table->columns; i++) {
            fputs("| ", out);
            print_markdown_cell(out, table->cells[row * table->columns + i]);
            putc(' ', out);
        }
        fputs("|\n", out);
    }
}

/* The labels of the facts are our own words: no code spans. */
static void print_markdown_facts(const struct table *facts, FILE *out)
{
    fputs("\n| | |\n| --- | --- |\n", out);
    for (size_t row = 0; row < facts->rows; row++) {
        fprintf(out, "| %s | ", facts->cells[row * 2]);
        print_markdown_cell(out, facts->cells[row * 2 + 1]);
        fputs(" |\n", out);
    }
}

void view_print_markdown(struct view *view, FILE *out)
{
    static const char *const profiles[] = {"profile", "status", "seconds", "size", "file", "note"};
    static const char *const peaks[] = {"metric", "peak"};
    char *headline = terminal_safe(view->headline);
    fputs("### ", out);
    print_code(out, headline, false);
    putc('\n', out);
    free(headline);
    print_markdown_facts(&view->facts, out);
    print_markdown_table(&view->profiles, out, profiles);
    print_markdown_table(&view->peaks, out, peaks);
    if (!view->open)
        return;
    char *command = terminal_safe(view->open);
    fprintf(out, "\nOpen the CPU profile:\n\n    %s\n", command);
    free(command);
}
