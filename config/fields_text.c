#include "config/fields_text.h"

#include "config/suggestion.h"
#include "config/units.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LENGTH = 64, TEXT_MAX_LENGTH = 4096 };

bool fields_is_name(const char *text, size_t max)
{
    size_t length = 0;
    for (; text[length]; length++)
        if (!isalnum((unsigned char)text[length]) && !strchr("._-", text[length]))
            return false;
    return length >= 1 && length <= max && text[0] != '.';
}

bool fields_has_control(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < ' ' || *c == 0x7f)
            return true;
        if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
            return true;
        if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9))
            return true;
        if (c[0] == 0xef && ((c[1] == 0xbb && c[2] == 0xbf) || (c[1] == 0xbf && c[2] >= 0xbe)))
            return true;
    }
    return false;
}

int fields_split_host_port(const char *text, size_t length, struct host_port *parts)
{
    const char *end = text + length;
    const char *host_end;
    *parts = (struct host_port){.host = text};
    if (length && text[0] == '[') {
        parts->bracketed = true;
        parts->host = text + 1;
        host_end = memchr(text, ']', length);
        text = host_end ? host_end + 1 : end;
    } else {
        host_end = memchr(text, ':', length);
        text = host_end = host_end ? host_end : end;
    }
    if (!host_end || host_end == parts->host)
        return -1;
    parts->host_length = (size_t)(host_end - parts->host);
    if (text == end)
        return 0;
    if (*text++ != ':' || text == end || end - text > 5)
        return -1;
    for (; text < end; text++) {
        if (!isdigit((unsigned char)*text))
            return -1;
        parts->port = 10 * parts->port + (*text - '0');
    }
    return parts->port >= 1 && parts->port <= 65535 ? 0 : -1;
}

static int check_url(const char *text, struct error *err)
{
    size_t scheme = !strncasecmp(text, "http://", 7)    ? 7
                    : !strncasecmp(text, "https://", 8) ? 8
                                                        : 0;
    if (!scheme)
        return error_set(err, "is not a URL that begins with http:// or https://");
    const char *authority = text + scheme;
    size_t length = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', length);
    const char *host = at ? at + 1 : authority;
    struct host_port parts;
    if (strpbrk(text, " \\\""))
        return error_set(err, "is not a URL: it holds a space, a quote or a backslash");
    if (fields_split_host_port(host, length - (size_t)(host - authority), &parts) < 0)
        return error_set(err, "is not a URL: its host or port is wrong; write http://host:port/");
    return 0;
}

static int read_string(const struct field *field, char **value, const char *text, struct error *err)
{
    if (fields_has_control(text))
        return error_set(err, "holds a line break or another control character");
    if (strlen(text) > TEXT_MAX_LENGTH)
        return error_set(err, "is longer than %d bytes", TEXT_MAX_LENGTH);
    if (field->type == FIELD_URL && check_url(text, err) < 0)
        return -1;
    if (field->type == FIELD_NAME && !fields_is_name(text, NAME_MAX_LENGTH))
        return error_set(
            err, "\"%.80s\" is not a name: letters, digits, . _ - (1 to 64), no dot first", text);
    char *copy = xstrdup(text);
    free(*value);
    *value = copy;
    return 0;
}

/* 1, 0, or -1 when the text is neither true nor false in any of YAML's ways. */
static int truth_of(const char *text)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(text, words[i]))
            return i % 2;
    return -1;
}

bool fields_is_off(const char *text)
{
    return truth_of(text) == 0;
}

static int read_bool(bool *value, const char *text, struct error *err)
{
    int truth = truth_of(text);
    if (truth < 0)
        return error_set(err, "\"%.60s\" is neither true nor false", text);
    *value = truth;
    return 0;
}

/* The choice itself, or another word for one that is true or false. */
static bool is_choice(const char *choice, const char *text)
{
    int truth = truth_of(choice);
    return truth < 0 ? !strcmp(choice, text) : truth == truth_of(text);
}

static int read_choice(const struct field *field, int *value, const char *text, struct error *err)
{
    struct suggestion suggestion;
    struct buf list;
    suggestion_init(&suggestion, text);
    buf_init(&list, 300);
    for (int i = 0; field->choices[i]; i++) {
        if (is_choice(field->choices[i], text)) {
            *value = i;
            buf_free(&list);
            return 0;
        }
        suggestion_offer(&suggestion, field->choices[i]);
        buf_printf(&list, "%s%s", i ? ", " : "", field->choices[i]);
    }
    char likely[SUGGESTION_TEXT_SIZE];
    error_set(
        err, "\"%.60s\" is none of %s%s", text, list.data, suggestion_format(&suggestion, likely));
    buf_free(&list);
    return -1;
}

const char *fields_format_range(const struct field *field, char text[RANGE_TEXT_SIZE])
{
    char low[VALUE_TEXT_SIZE], high[VALUE_TEXT_SIZE];
    text[0] = '\0';
    if (field->min == 0 && field->max == 0)
        return text;
    if (field->type == FIELD_NAMES || field->type == FIELD_TRIGGERS)
        return text;
    if (field->type == FIELD_DURATION || field->type == FIELD_DELAY || field->type == FIELD_RANGE) {
        units_format_duration(field->min, low);
        units_format_duration(field->max, high);
    } else if (field->type == FIELD_BYTES) {
        units_format_bytes(field->min, low);
        units_format_bytes(field->max, high);
    } else {
        snprintf(low, sizeof low, "%" PRId64, field->min);
        snprintf(high, sizeof high, "%" PRId64, field->max);
    }
    snprintf(text, RANGE_TEXT_SIZE, "%s to %s", low, high);
    return text;
}

static int check_range(
    const struct field *field, double number, const char *text, struct error *err)
{
    char range[RANGE_TEXT_SIZE];
    if ((field->min == 0 && field->max == 0) ||
        (number >= (double)field->min && number <= (double)field->max))
        return 0;
    return error_set(
        err, "%.60s is out of range; it may be %s", text, fields_format_range(field, range));
}

static int read_number(
    const struct field *field, int64_t *value, const char *text, struct error *err)
{
    int64_t number = 0;
    int status = field->type == FIELD_DURATION ? units_read_duration(text, &number, err)
                 : field->type == FIELD_BYTES  ? units_read_bytes(text, &number, err)
                                               : units_read_integer(text, &number, err);
    if (status < 0)
        return -1;
    if (check_range(field, (double)number, text, err) < 0)
        return -1;
    *value = number;
    return 0;
}

static int read_delay(
    const struct field *field, int64_t *value, const char *text, struct error *err)
{
    int64_t number;
    if (truth_of(text) == 0) {
        *value = 0;
        return 0;
    }
    if (units_read_duration(text, &number, err) < 0 ||
        check_range(field, (double)number, text, err) < 0)
        return -1;
    *value = number;
    return 0;
}

static int read_real(const struct field *field, double *value, const char *text, struct error *err)
{
    double number;
    if (units_read_number(text, &number, err) < 0 || check_range(field, number, text, err) < 0)
        return -1;
    *value = number;
    return 0;
}

/* 3m..8h */
static int read_duration_range(
    const struct field *field, struct duration_range *value, const char *text, struct error *err)
{
    struct duration_range range;
    const char *dots = strstr(text, "..");
    if (!dots || strlen(text) > 60)
        return error_set(err, "\"%.60s\" is not a range of durations; write it like 3m..8h", text);
    char *from = xasprintf("%.*s", (int)(dots - text), text);
    int status = units_read_duration(from, &range.from_ms, err);
    free(from);
    if (status < 0 || units_read_duration(dots + 2, &range.to_ms, err) < 0 ||
        check_range(field, (double)range.from_ms, text, err) < 0 ||
        check_range(field, (double)range.to_ms, text, err) < 0)
        return -1;
    if (range.from_ms >= range.to_ms)
        return error_set(err, "%.60s: its end has to be longer than its begin", text);
    *value = range;
    return 0;
}

static int read_level(struct level *level, const char *text, struct error *err)
{
    if (strlen(text) > 60 || fields_has_control(text))
        return error_set(err, "is not a level; write it like 80%%, 20MB/s, 512MiB or 3");
    char *copy = xstrdup(text);
    free(level->text);
    *level = (struct level){.text = copy};
    return 0;
}

int fields_read_text(const struct field *field, void *value, const char *text, struct error *err)
{
    switch (field->type) {
    case FIELD_STRING:
    case FIELD_SECRET:
    case FIELD_URL:
    case FIELD_NAME:
    case FIELD_TRIGGER:
        return read_string(field, value, text, err);
    case FIELD_BOOL:
        return read_bool(value, text, err);
    case FIELD_INTEGER:
    case FIELD_DURATION:
    case FIELD_BYTES:
        return read_number(field, value, text, err);
    case FIELD_DELAY:
        return read_delay(field, value, text, err);
    case FIELD_NUMBER:
        return read_real(field, value, text, err);
    case FIELD_RANGE:
        return read_duration_range(field, value, text, err);
    case FIELD_LEVEL:
        return read_level(value, text, err);
    case FIELD_CHOICE:
        return read_choice(field, value, text, err);
    default:
        return error_set(err, "is not one value");
    }
}
