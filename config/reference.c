#include "config/reference.h"

#include "core/alloc.h"
#include "core/roff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_roff(const struct reference *reference)
{
    return reference->form == REFERENCE_ROFF;
}

void reference_section(const struct reference *reference, const char *title)
{
    if (is_roff(reference))
        fprintf(reference->out, ".SH %s\n", title);
}

void reference_key(const struct reference *reference, const char *key)
{
    if (is_roff(reference))
        fprintf(reference->out, ".SS %s\n", key);
    else
        fputs("\n", reference->out);
}

void reference_prose(const struct reference *reference, const char *text)
{
    if (is_roff(reference))
        roff_layout(text, reference->out);
    else
        fputs(text, reference->out);
}

/* The text below its entry, in lines of at most 100 columns. */
static void print_help(const char *help, FILE *out)
{
    enum { INDENT = 4, COLUMNS = 100 };
    for (const char *at = help; *at;) {
        size_t size = strlen(at);
        if (size > COLUMNS - INDENT) {
            const char *blank = memrchr(at, ' ', COLUMNS - INDENT + 1);
            size = blank ? (size_t)(blank - at) : size;
        }
        fprintf(out, "%*s%.*s\n", INDENT, "", (int)size, at);
        at += size + strspn(at + size, " ");
    }
}

static void roff_entry(const char *head, const char *what, const char *help, FILE *out)
{
    fputs(".TP\n\\fB", out);
    roff_text(head, out);
    fputs("\\fR\n\\fI", out);
    roff_text(what, out);
    fputs("\\fR\n", out);
    if (help) {
        fputs(".br\n", out);
        roff_text(help, out);
        fputs("\n", out);
    }
}

void reference_entry(const struct reference *reference, const char *path, const char *key,
    const char *what, const char *help)
{
    char *whole = xasprintf("%s%s%s", path, *path ? "." : "", key);
    if (is_roff(reference)) {
        roff_entry(whole, what, help, reference->out);
    } else {
        fprintf(reference->out, "%-32s %s\n", whole, what);
        if (help)
            print_help(help, reference->out);
    }
    free(whole);
}

void reference_note(const struct reference *reference, const char *text)
{
    fputs(is_roff(reference) ? ".IP\n" : "  ", reference->out);
    if (is_roff(reference))
        roff_text(text, reference->out);
    else
        fputs(text, reference->out);
    fputs("\n", reference->out);
}

void reference_default(const struct reference *reference, const char *text)
{
    reference_note(reference, "default:");
    if (is_roff(reference))
        fputs(".IP\n.nf\n", reference->out);
    for (const char *line = text; *line;) {
        char *copy = xstrndup(line, strcspn(line, "\n"));
        if (is_roff(reference))
            roff_text(copy, reference->out);
        else
            fprintf(reference->out, "    %s", copy);
        fputs("\n", reference->out);
        line += strlen(copy);
        line += *line == '\n';
        free(copy);
    }
    if (is_roff(reference))
        fputs(".fi\n", reference->out);
}

void reference_metric(const struct reference *reference, const char *prefix, int width,
    const char *name, const char *unit, const char *help)
{
    char *whole = xasprintf("%s%s", prefix, name);
    if (is_roff(reference))
        roff_entry(whole, *unit ? unit : "number", help, reference->out);
    else
        fprintf(reference->out, "  %s%-*s %-8s %s\n", prefix, width, name, unit, help);
    free(whole);
}
