#include "commands/terminal.h"

#include "core/alloc.h"
#include "core/buf.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Reads one character of UTF-8 (RFC 3629); returns its bytes, or 0 when there is none: overlong
 * forms and surrogates are not UTF-8 either. */
static size_t read_character(const char *text, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    size_t length = *at < 0x80       ? 1
                    : *at >> 5 == 6  ? 2
                    : *at >> 4 == 14 ? 3
                    : *at >> 3 == 30 ? 4
                                     : 0;
    if (length < 2) {
        *code = *at;
        return length;
    }
    *code = *at & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (at[i] & 0x3fU);
    }
    bool valid = *code >= smallest[length] && *code <= 0x10ffff && *code >> 11 != 0xd800 >> 11;
    return valid ? length : 0;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* Line and paragraph separators, and what turns the direction of the text around it. */
static bool misleads(uint32_t code)
{
    return code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x61c || code == 0xfeff;
}

char *terminal_safe(const char *text)
{
    struct buf safe;
    buf_init(&safe, SIZE_MAX - 1);
    while (*text) {
        uint32_t code;
        size_t length = read_character(text, &code);
        if (length == 0)
            buf_printf(&safe, "\\x%02x", (unsigned)(unsigned char)*text);
        else if (code == '\n')
            buf_puts(&safe, "\\n");
        else if (is_control(code))
            buf_printf(&safe, "\\x%02x", (unsigned)code);
        else if (misleads(code))
            buf_printf(&safe, "\\u%04x", (unsigned)code);
        else
            buf_append(&safe, text, length);
        text += length ? length : 1;
    }
    return buf_take(&safe);
}

void terminal_print_json(FILE *out, const char *text, size_t size)
{
    for (const char *end = text + size; text < end;) {
        uint32_t code;
        size_t length = read_character(text, &code);
        if (code >= 0x7f && is_control(code) && length > 0)
            fprintf(out, "\\u%04x", (unsigned)code);
        else
            fwrite(text, 1, length ? length : 1, out);
        text += length ? length : 1;
    }
}

bool terminal_colour(FILE *out)
{
    const char *refused = getenv("NO_COLOR");
    return !(refused && *refused) && isatty(fileno(out));
}

size_t terminal_columns(FILE *out)
{
    struct winsize size;
    if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col;
}

bool terminal_unicode(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *locale = getenv(variables[i]);
        if (locale && *locale)
            return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
    }
    return false;
}

char *terminal_sparkline(const double *values, size_t count, size_t width)
{
    static const char *const blocks[] = {
        "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
    double low = 0, high = 0;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        known += isfinite(values[i]) ? 1 : 0;
        low = isfinite(values[i]) ? fmin(low, values[i]) : low;
        high = isfinite(values[i]) ? fmax(high, values[i]) : high;
    }
    struct buf line;
    buf_init(&line, SIZE_MAX - 1);
    width = width < count ? width : count;
    for (size_t part = 0; known > 0 && part < width; part++) {
        double most = NAN;
        for (size_t i = part * count / width; i < (part + 1) * count / width; i++)
            most = isfinite(values[i]) ? fmax(most, values[i]) : most;
        double share = high > low ? (most - low) / (high - low) : 0;
        buf_puts(&line, isnan(most) ? " " : blocks[(size_t)(share * 7 + 0.5)]);
    }
    return buf_take(&line);
}

size_t terminal_length(const char *text)
{
    size_t length = 0;
    for (; *text; text++)
        length += ((unsigned char)*text & 0xc0) != 0x80;
    return length;
}
