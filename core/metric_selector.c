#include "core/metric_selector.h"

#include "core/alloc.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t metric_selector_name_length(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && (is_letter(text[length]) || text[length] == ':' ||
                                (length > 0 && is_digit(text[length]))))
        length++;
    return length;
}

size_t metric_selector_label_length(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && (is_letter(text[length]) || (length > 0 && is_digit(text[length]))))
        length++;
    return length;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* What stands between the quotes; *text then points behind them. NULL: they do not end. */
static char *read_value(const char **text)
{
    const char *from = *text + 1;
    char *value = xcalloc(strlen(from) + 1, 1), *to = value;
    for (; *from && *from != '"'; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = from[-1] == '\\' && *from == 'n' ? '\n' : *from;
    }
    if (*from == '"') {
        *text = from + 1;
        return value;
    }
    free(value);
    return NULL;
}

/* One LABEL="VALUE"; *text then points behind it. */
static int read_label(struct metric_selector *selector, const char **text, struct error *err)
{
    const char *at = *text;
    size_t length = metric_selector_label_length(at, strlen(at));
    if (selector->label_count == SELECTOR_LABELS_MAX)
        return error_set(err, "has more than %d labels", SELECTOR_LABELS_MAX);
    if (!length)
        return error_set(err, "has no label's name at \"%.40s\"", at);
    struct selector_label label = {.name = xstrndup(at, length)};
    at = skip_blanks(at + length);
    label.differs = *at == '!';
    bool pattern = at[0] && at[1] == '~';
    at += label.differs;
    bool equals = *at == '=' && !pattern;
    at = equals ? skip_blanks(at + 1) : at;
    label.value = equals && *at == '"' ? read_value(&at) : NULL;
    if (label.value) {
        selector->labels[selector->label_count++] = label;
        *text = skip_blanks(at);
        return 0;
    }
    error_set(err,
        pattern ? "matches the label %.60s by a pattern; only = and != are possible"
                : "has no value in quotes for the label %.60s, as in {%.60s=\"...\"}",
        label.name, label.name);
    free(label.name);
    return -1;
}

static int read_labels(struct metric_selector *selector, const char *text, struct error *err)
{
    text = skip_blanks(text + 1);
    while (*text && *text != '}') {
        if (read_label(selector, &text, err) < 0)
            return -1;
        if (*text != ',' && *text != '}')
            return error_set(err, "wants a comma or } at \"%.40s\"", text);
        if (*text == ',')
            text = skip_blanks(text + 1);
    }
    if (!*text)
        return error_set(err, "has no } at its end");
    return text[1] ? error_set(err, "has more behind its }: \"%.40s\"", text + 1) : 0;
}

int metric_selector_parse(struct metric_selector *selector, const char *text, struct error *err)
{
    *selector = (struct metric_selector){.name = NULL};
    size_t length = metric_selector_name_length(text, strlen(text));
    const char *rest = skip_blanks(text + length);
    int status = 0;
    if (length == 0 || length > SELECTOR_NAME_MAX || (*rest && *rest != '{'))
        return error_set(err,
            "\"%.80s\" is no series; write it as on the page, NAME or NAME{LABEL=\"VALUE\"}", text);
    if (*rest)
        status = read_labels(selector, rest, err);
    selector->name = xstrndup(text, length);
    if (status < 0)
        metric_selector_free(selector);
    return status;
}

void metric_selector_free(struct metric_selector *selector)
{
    for (size_t i = 0; i < selector->label_count; i++) {
        free(selector->labels[i].name);
        free(selector->labels[i].value);
    }
    free(selector->name);
    *selector = (struct metric_selector){.name = NULL};
}
