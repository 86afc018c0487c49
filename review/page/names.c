#include "review/page/names.h"

#include "core/alloc.h"

#include <stdbool.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

enum { LEAST = 16 };

/* Whether the byte is in the middle of a character. */
static bool is_inside(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

char *names_line(const char *name, size_t max)
{
    size_t size = strlen(name);
    max = max > LEAST ? max : LEAST;
    char *line;
    if (size <= max) {
        line = xstrdup(name);
    } else {
        size_t head = max / 3, tail = size - (max - head - (sizeof ELLIPSIS - 1));
        while (head > 0 && is_inside(name[head]))
            head--;
        while (tail < size && is_inside(name[tail]))
            tail++;
        line = xasprintf("%.*s" ELLIPSIS "%s", (int)head, name, name + tail);
    }
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
    return line;
}

char *names_label(const char *name, size_t max)
{
    size_t path = strcspn(name, "[("), at = path;
    while (at > 0 && name[at - 1] != '/')
        at--;
    return names_line(name[at] ? name + at : name, max);
}
