#include "core/roff.h"

#include <stdbool.h>
#include <string.h>

/* What roff would take for something else; https://man.openbsd.org/mandoc_char.7. */
static const char *escaped(char character)
{
    switch (character) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-"; /* else a hyphen, which nobody can paste */
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '"':
        return "\\(dq";
    default:
        return NULL;
    }
}

static void print(const char *text, size_t size, FILE *out)
{
    if (size && *text == '.')
        fputs("\\&", out);
    for (size_t i = 0; i < size; i++) {
        const char *escape = escaped(text[i]);
        if (escape)
            fputs(escape, out);
        else
            fputc(text[i], out);
    }
}

void roff_text(const char *text, FILE *out)
{
    print(text, strlen(text), out);
}

static size_t head_size(const char *line, size_t size)
{
    const char *end = memmem(line, size, "  ", 2);
    return end ? (size_t)(end - line) : size;
}

/* Where the words of a line begin. */
static size_t indent_of(const char *line, size_t size)
{
    size_t indent = strspn(line, " ");
    return indent < size ? indent : size;
}

static void print_entry(const char *line, size_t size, FILE *out)
{
    size_t head = head_size(line, size);
    fputs(".TP\n\\fB", out);
    print(line, head, out);
    fputs("\\fR\n", out);
    size_t blanks = indent_of(line + head, size - head);
    if (head + blanks < size) {
        print(line + head + blanks, size - head - blanks, out);
        fputc('\n', out);
    }
}

void roff_layout(const char *text, FILE *out)
{
    enum { ENTRY = 2 };
    bool paragraph = true, in_entry = false;
    for (const char *line = text; *line;) {
        size_t size = strcspn(line, "\n");
        size_t indent = indent_of(line, size);
        if (indent == ENTRY && indent < size) {
            print_entry(line + indent, size - indent, out);
            in_entry = true;
            paragraph = false;
        } else if (size == indent) {
            paragraph = true;
        } else {
            if (paragraph || (in_entry && !indent))
                fputs(".PP\n", out);
            paragraph = false;
            in_entry = in_entry && indent;
            print(line + indent, size - indent, out);
            fputc('\n', out);
        }
        line += size + (line[size] == '\n');
    }
}
