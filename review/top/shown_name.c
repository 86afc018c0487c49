#include "review/top/shown_name.h"

#include "core/alloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024 };

struct shown_block {
    struct shown_block *next;
    char bytes[];
};

char *shown_texts_add(struct shown_texts *texts, size_t size)
{
    if (!texts->blocks || size > texts->size - texts->used) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        struct shown_block *block = xrealloc(NULL, 1, sizeof *block + room);
        block->next = texts->blocks;
        *texts = (struct shown_texts){.blocks = block, .size = room};
    }
    char *text = texts->blocks->bytes + texts->used;
    texts->used += size;
    return text;
}

void shown_texts_free(struct shown_texts *texts)
{
    while (texts->blocks) {
        struct shown_block *block = texts->blocks;
        texts->blocks = block->next;
        free(block);
    }
    *texts = (struct shown_texts){.blocks = NULL};
}

static bool has(struct shown_name name, const char *text)
{
    return memmem(name.text, name.size, text, strlen(text)) != NULL;
}

/* Brackets of templates, or two colons. class.<init> is Java's, foo.(*Bar[...]).Method Go's. */
static bool looks_like_cpp(struct shown_name name)
{
    bool may_be = false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.text[i];
        may_be |= c == '<' || c == '>' || c == '[' || c == ']' ||
                  (c == ':' && i + 1 < name.size && name.text[i + 1] == ':');
    }
    return may_be && !has(name, ".<") && !has(name, "]).");
}

/* Takes out what is between outermost brackets, with them; a bracket that closes nothing ends it.
 * Returns the new size. */
static size_t remove_between(char *text, size_t size, char open, char close)
{
    size_t used = 0, nesting = 0, begin = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == close && nesting == 0) {
            memmove(text + used, text + i, size - i);
            return used + size - i;
        }
        if (c == open && nesting++ == 0)
            begin = used;
        text[used++] = c;
        if (c == close && --nesting == 0)
            used = begin;
    }
    return used;
}

struct shown_name shown_name(
    struct shown_name name, struct shown_name system_name, struct shown_texts *texts)
{
    if (name.size > 0 && shown_name_compare(name, system_name) != 0)
        return name;
    if (!looks_like_cpp(system_name))
        return system_name;
    char *text = shown_texts_add(texts, system_name.size);
    memcpy(text, system_name.text, system_name.size);
    size_t size = remove_between(text, system_name.size, '(', ')');
    return (struct shown_name){text, remove_between(text, size, '<', '>')};
}

struct shown_name shown_name_plain(struct shown_name name)
{
    static const char *const no_parameters[] = {"(anonymous namespace)", "operator()"};
    if (name.size > 0 && name.text[0] == '.')
        name = (struct shown_name){name.text + 1, name.size - 1};
    for (size_t i = 0; i < name.size;) {
        size_t skip = 0;
        for (size_t j = 0; j < sizeof no_parameters / sizeof *no_parameters; j++) {
            size_t size = strlen(no_parameters[j]);
            if (name.size - i >= size && !memcmp(name.text + i, no_parameters[j], size))
                skip = size;
        }
        if (skip == 0 && name.text[i] == '(')
            return (struct shown_name){name.text, i};
        i += skip ? skip : 1;
    }
    return name;
}

int shown_name_compare(struct shown_name a, struct shown_name b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.text, b.text, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}
