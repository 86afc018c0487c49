#include "agent/statements/masking.h"

#include "core/alloc.h"
#include "core/incident_statements.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Bytes beyond ASCII are letters to the server. */
static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static size_t line_comment(const char *text)
{
    return strcspn(text, "\r\n");
}

/* They nest. */
static size_t block_comment(const char *text)
{
    size_t length = 2, depth = 1;
    while (text[length] && depth) {
        bool opens = text[length] == '/' && text[length + 1] == '*';
        bool closes = text[length] == '*' && text[length + 1] == '/';
        depth += opens;
        depth -= closes;
        length += opens || closes ? 2 : 1;
    }
    return length;
}

/* From a quote through its end; a doubled quote is one of the text, as is one behind a backslash
 * where those escape. */
static size_t quoted(const char *text, bool escapes)
{
    size_t length = 1;
    while (text[length]) {
        bool escaped = escapes && text[length] == '\\' && text[length + 1];
        bool doubled = text[length] == text[0] && text[length + 1] == text[0];
        if (!escaped && !doubled && text[length] == text[0])
            return length + 1;
        length += escaped || doubled ? 2 : 1;
    }
    return length;
}

/* The length of $tag$; 0: it is none, but a parameter. */
static size_t dollar_tag(const char *text)
{
    size_t length = 1;
    if (isdigit((unsigned char)text[1]))
        return 0;
    while (is_word(text[length]) && text[length] != '$')
        length++;
    return text[length] == '$' ? length + 1 : 0;
}

static size_t dollar_quoted(const char *text, size_t tag)
{
    for (size_t length = tag; text[length]; length++)
        if (!strncmp(text + length, text, tag))
            return length + tag;
    return strlen(text);
}

/* What is written is never longer than what it stands for. The text ends elsewhere. */
static size_t write_mask(char *to, const char *mask, size_t room)
{
    size_t length = 0;
    for (; length < room && mask[length]; length++)
        to[length] = mask[length];
    return length;
}

/* A word, or one character. A dollar within a word begins no quote. */
static size_t plain(const char *text)
{
    size_t length = 0;
    while (is_word(text[length]))
        length++;
    return length ? length : 1;
}

/* 1, .5, 1.5e-10, 0x1F, 1_000: from a digit, or a dot before one, which no name begins with. 0: it
 * is none. */
static size_t number(const char *text)
{
    size_t length = 0;
    if (!isdigit((unsigned char)text[*text == '.']))
        return 0;
    while (is_word(text[length]) || text[length] == '.') {
        bool exponent = text[length] == 'e' || text[length] == 'E';
        if (exponent && text[length + 1] == '\'')
            break; /* it belongs to the text that follows */
        bool sign = exponent && (text[length + 1] == '-' || text[length + 1] == '+');
        length += sign && isdigit((unsigned char)text[length + 2]) ? 2 : 1;
    }
    return length;
}

static void hide(char *text, bool numbers)
{
    const char *from = text;
    char *to = text;
    bool escapes = false;   /* an E stands just before, */
    bool continued = false; /* or before a literal that this one continues, on another line */
    while (*from) {
        size_t tag = *from == '$' ? dollar_tag(from) : 0, length;
        const char *mask = NULL;
        if (*from == '\'') {
            length = quoted(from, escapes);
            mask = length == 2 && from[1] == '\'' ? "''" : "'?'";
        } else if (tag) {
            length = dollar_quoted(from, tag);
            mask = "$$?$$";
        } else if (*from == '"') {
            length = quoted(from, false);
        } else if (!strncmp(from, "--", 2)) {
            length = line_comment(from);
        } else if (!strncmp(from, "/*", 2)) {
            length = block_comment(from);
        } else if (numbers && number(from)) {
            length = number(from);
            mask = "?";
        } else {
            length = plain(from);
        }
        continued = *from == '\'' ? escapes : continued && isspace((unsigned char)*from);
        escapes = continued || (!mask && length == 1 && (*from == 'e' || *from == 'E'));
        if (mask)
            to += write_mask(to, mask, length);
        else
            to = (char *)memmove(to, from, length) + length;
        from += length;
    }
    *to = '\0';
}

void masking_hide_literals(char *text)
{
    hide(text, false);
}

void masking_hide_constants(char *text)
{
    hide(text, true);
}

char *masking_copy(const char *text, void (*masks)(char *text))
{
    char *whole = xstrdup(text);
    masks(whole);
    char *copy = incident_statement_text(whole);
    free(whole);
    return copy;
}
