#include "commands/terminal.h"
#include "commands/view.h"
#include "core/alloc.h"

#include <stdbool.h>
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

static void print_coloured(FILE *out, const char *code, const char *text, bool colour)
{
    char *safe = terminal_safe(text);
    fprintf(out, "%s%s%s\n", colour ? code : "", safe, colour ? "\x1b[0m" : "");
    free(safe);
}

static void print_growth(struct view *view, FILE *out, const struct table_style *style)
{
    if (!view->growth.rows)
        return;
    putc('\n', out);
    print_coloured(out, "\x1b[2m", view->growth_title, style->colour);
    table_flush(&view->growth, out, style);
}

void view_print_text(struct view *view, FILE *out)
{
    /* Cells are not cut: what is shown may be copied. */
    struct table_style style = {.colour = terminal_colour(out)};
    print_coloured(out, "\x1b[1m", view->headline, style.colour);
    if (view->verdict)
        print_coloured(out, "\x1b[33m", view->verdict, style.colour);
    if (view->suspect.rows)
        putc('\n', out);
    print_table(&view->suspect, out, &style);
    print_growth(view, out, &style);
    print_table(&view->statements, out, &style);
    print_table(&view->ongoing, out, &style);
    putc('\n', out);
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
 * link: the fence is longer than any run of backticks inside (CommonMark 6.1). It is in a
 * table, where a bar would end the cell even so: it gets a backslash, which the table takes off
 * again (GFM 4.10). */
static void print_code(FILE *out, const char *text)
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
        if (*text == '|')
            putc('\\', out);
        putc(*text, out);
    }
    fprintf(out, "%s%s", space, fence);
    free(fence);
}

/* Whether something that GitHub makes a link of by itself goes on here: https://, www., GH-1. */
static bool links_by_itself(const char *text, const char *at)
{
    if (*at == ':')
        return at[1] == '/';
    bool after_w = at > text && (at[-1] == 'w' || at[-1] == 'W');
    bool after_h = at > text && (at[-1] == 'h' || at[-1] == 'H');
    return (*at == '.' && after_w) || (*at == '-' && after_h);
}

/* A sentence in which nothing is markup (CommonMark 2.4), a mention, a reference or a link. */
static void print_escaped(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++)
        if (strchr("@#<>&", *at) || links_by_itself(text, at))
            fprintf(out, "&#%d;", *at);
        else if (strchr("\\`*_{}[]()!|~$^=", *at))
            fprintf(out, "\\%c", *at);
        else
            putc(*at, out);
}

static void print_markdown_cell(FILE *out, const char *text)
{
    if (*text)
        print_code(out, text);
}

/* links: of the last column, one for each row; NULL: none. A link has no character that could end
 * it (review/analysis/source_link.h). */
static void print_markdown_table(
    const struct table *table, FILE *out, const char *const *titles, char *const *links)
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
            const char *link = links && i + 1 == table->columns ? links[row] : NULL;
            fputs(link ? "| [" : "| ", out);
            print_markdown_cell(out, table->cells[row * table->columns + i]);
            if (link)
                fprintf(out, "](%s)", link);
            putc(' ', out);
        }
        fputs("|\n", out);
    }
}

/* The labels are our own words: no code spans. A link is that of the first row. */
static void print_markdown_facts(const struct table *facts, const char *link, FILE *out)
{
    if (facts->rows == 0)
        return;
    fputs("\n| | |\n| --- | --- |\n", out);
    for (size_t row = 0; row < facts->rows; row++) {
        bool linked = link && row == 0;
        fprintf(out, "| %s | %s", facts->cells[row * 2], linked ? "[" : "");
        print_markdown_cell(out, facts->cells[row * 2 + 1]);
        if (linked)
            fprintf(out, "](%s)", link);
        fputs(" |\n", out);
    }
}

static void print_markdown_growth(const struct view *view, FILE *out)
{
    static const char *const compared[] = {"grew", "now", "calm", "itself", "function"};
    static const char *const amounts[] = {"change", "now", "calm", "itself", "function"};
    static const char *const plain[] = {"share", "itself", "function"};
    if (!view->growth.rows)
        return;
    char *title = terminal_safe(view->growth_title);
    putc('\n', out);
    print_escaped(out, title);
    putc('\n', out);
    free(title);
    const char *const *titles = view->growth.columns != 5        ? plain
                                : *view->growth.titles[0] == 'C' ? amounts
                                                                 : compared;
    print_markdown_table(&view->growth, out, titles, view->growth_links);
}

void view_print_markdown(struct view *view, FILE *out)
{
    static const char *const profiles[] = {"profile", "status", "seconds", "size", "file", "note"};
    static const char *const peaks[] = {"metric", "peak", ""};
    static const char *const statements[] = {
        "database time", "share", "calls", "rows", "statement"};
    static const char *const ongoing[] = {"still running for", "state", "waits for", "statement"};
    char *headline = terminal_safe(view->headline);
    fputs("### ", out);
    print_escaped(out, headline);
    putc('\n', out);
    free(headline);
    if (view->verdict) {
        char *verdict = terminal_safe(view->verdict);
        putc('\n', out);
        print_escaped(out, verdict);
        putc('\n', out);
        free(verdict);
    }
    print_markdown_facts(&view->suspect, view->source, out);
    print_markdown_growth(view, out);
    print_markdown_table(&view->statements, out, statements, NULL);
    print_markdown_table(&view->ongoing, out, ongoing, NULL);
    print_markdown_facts(&view->facts, NULL, out);
    print_markdown_table(&view->profiles, out, profiles, NULL);
    print_markdown_table(&view->peaks, out, peaks, NULL);
    if (!view->open)
        return;
    char *command = terminal_safe(view->open);
    fprintf(out, "\nOpen the CPU profile:\n\n    %s\n", command);
    free(command);
}
