#include "core/log.h"

#include "core/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;
static enum log_format layout = LOG_LOGFMT;
static bool is_set_up;
static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_level level, enum log_format format)
{
    threshold = level;
    layout = format;
    is_set_up = true;
}

int log_chosen_format(void)
{
    return is_set_up ? (int)layout : -1;
}

bool log_enabled(enum log_level level)
{
    return level >= threshold;
}

/* Copies text with what JSON and logfmt both need escaped. Stops where `room` ends. */
static size_t escape(char *out, size_t room, const char *text)
{
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        char piece[8];
        if (*at == '"' || *at == '\\')
            snprintf(piece, sizeof piece, "\\%c", *at);
        else if (*at == '\n')
            strcpy(piece, "\\n");
        else if (*at < 0x20 || *at == 0x7f)
            snprintf(piece, sizeof piece, "\\u%04x", *at);
        else
            snprintf(piece, sizeof piece, "%c", *at);
        size_t length = strlen(piece);
        if (used + length >= room)
            break;
        memcpy(out + used, piece, length);
        used += length;
    }
    out[used] = '\0';
    return used;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    char message[1000], escaped[1400], line[1600], time[RFC3339_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    escape(escaped, sizeof escaped, message);
    rfc3339_format(clock_wall_ms(), time);
    const char *form = layout == LOG_JSON ? "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":\"%s\"}\n"
                                          : "time=%s level=%s msg=\"%s\"\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int length = snprintf(line, sizeof line, form, time, level_names[level], escaped);
#pragma GCC diagnostic pop
    if (length > 0)
        (void)!write(STDERR_FILENO, line, (size_t)length); /* one call: lines never interleave */
}
