#include "review/page/html.h"

#include "core/buf.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *reference_of(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
        return NULL;
    default:
        return byte < 0x20 || byte == 0x7f ? UTF8_REPLACEMENT : NULL;
    }
}

/* C1 controls, and what turns the direction of the text around it: U+0080 to U+009F, U+200E,
 * U+200F, U+202A to U+202E, U+2066 to U+2069, as in a terminal. */
static bool misleads(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    if (length == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    if (length != 3 || at[0] != 0xe2)
        return false;
    return at[1] == 0x80 ? at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xaa && at[2] <= 0xae)
                         : at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9;
}

void html_text(struct buf *out, const char *text)
{
    while (*text) {
        const char *reference = reference_of((unsigned char)*text);
        size_t length = utf8_length(text);
        if (reference)
            buf_puts(out, reference);
        else if (length && !misleads(text, length))
            buf_append(out, text, length);
        else
            buf_puts(out, UTF8_REPLACEMENT);
        text += length ? length : 1;
    }
}

enum { SPEC_MAX = 16, NUMBER_MAX = 400 }; /* the longest double has 309 digits before the point */

/* The compiler has checked the caller's whole format; this is one conversion of it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* Puts one number; the letters of its conversion say of what type it is. */
static void put_number(struct buf *out, const char *spec, va_list *arguments)
{
    char text[NUMBER_MAX];
    size_t length = strlen(spec);
    char last = spec[length - 1];
    if (strchr(spec, '*'))
        abort(); /* nobody uses it yet */
    /* Branches that look the same take arguments of different types. */
    /* NOLINTBEGIN(bugprone-branch-clone) */
    if (strchr("feg", last))
        snprintf(text, sizeof text, spec, va_arg(*arguments, double));
    else if (strchr(spec, 'z'))
        snprintf(text, sizeof text, spec, va_arg(*arguments, size_t));
    else if (strstr(spec, "ll"))
        snprintf(text, sizeof text, spec, va_arg(*arguments, long long));
    else if (strchr("diuxc", last) && !strchr(spec, 'l'))
        snprintf(text, sizeof text, spec, va_arg(*arguments, int));
    else
        abort(); /* a conversion that nobody uses yet */
    /* NOLINTEND(bugprone-branch-clone) */
    buf_puts(out, text);
}

#pragma GCC diagnostic pop

void html_printf(struct buf *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        buf_append(out, format, plain);
        format += plain;
        if (!*format)
            break;
        size_t length = 1 + strcspn(format + 1, "%sdiuxcfeg") + 1;
        char spec[SPEC_MAX];
        if (length >= sizeof spec)
            abort();
        memcpy(spec, format, length);
        spec[length] = '\0';
        format += length;
        if (!strcmp(spec, "%%"))
            buf_puts(out, "%");
        else if (!strcmp(spec, "%s"))
            html_text(out, va_arg(arguments, const char *));
        else
            put_number(out, spec, &arguments);
    }
    va_end(arguments);
}
