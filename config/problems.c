#include "config/problems.h"

#include "core/alloc.h"
#include "core/buf.h"

#include <stdio.h>
#include <stdlib.h>

void problems_free(struct problems *problems)
{
    for (size_t i = 0; i < problems->kept_count; i++)
        free(problems->kept[i].text);
    free(problems->kept);
    *problems = (struct problems){0};
}

void problems_vadd(struct problems *problems, int line, int column, const char *key,
    const char *format, va_list args)
{
    char text[1024];
    if (problems->count++ >= PROBLEMS_MAX)
        return;
    vsnprintf(text, sizeof text, format, args);
    char *whole = key && *key ? xasprintf("%s: %s", key, text) : xstrdup(text);
    for (char *c = whole; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    problems->kept = xrealloc(problems->kept, problems->kept_count + 1, sizeof *problems->kept);
    problems->kept[problems->kept_count++] = (struct problem){line, column, whole};
}

void problems_add(
    struct problems *problems, int line, int column, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problems_vadd(problems, line, column, key, format, args);
    va_end(args);
}

static int comes_before(const struct problem *a, const struct problem *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void problems_write(const struct problems *problems, const char *file, struct buf *out)
{
    const struct problem *sorted[PROBLEMS_MAX];
    size_t count = problems->kept_count;
    for (size_t i = 0; i < count; i++) {
        /* By insertion: stable, so that problems of one place stay in the order of their finding */
        size_t at = i;
        for (; at > 0 && comes_before(&problems->kept[i], sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &problems->kept[i];
    }
    for (size_t i = 0; i < count; i++)
        buf_printf(
            out, "%s:%d:%d: %s\n", file, sorted[i]->line, sorted[i]->column, sorted[i]->text);
    if (problems->count > count)
        buf_printf(out, "%s: and %zu more problems\n", file, problems->count - count);
}
