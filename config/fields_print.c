#include "config/document.h"
#include "config/fields.h"
#include "config/fields_text.h"
#include "config/units.h"
#include "core/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct printer {
    FILE *out;
    int indent;
    bool item; /* the next line begins an item of a list */
};

static const void *value_of(const struct field *field, const void *target)
{
    return (const char *)target + field->offset;
}

static bool allows_zero(const struct field *field)
{
    return field->otherwise || (field->max != 0 && field->min <= 0);
}

bool fields_is_given(const struct field *field, const void *target)
{
    const void *value = value_of(field, target);
    switch (field->type) {
    case FIELD_STRING:
    case FIELD_SECRET:
    case FIELD_URL:
    case FIELD_NAME:
    case FIELD_TRIGGER:
        return *(char *const *)value != NULL;
    case FIELD_NAMES:
    case FIELD_TRIGGERS:
        return ((const struct name_list *)value)->count > 0;
    case FIELD_NUMBER:
        return *(const double *)value > 0 || allows_zero(field);
    case FIELD_INTEGER:
    case FIELD_DURATION:
    case FIELD_BYTES:
        return *(const int64_t *)value != 0 || allows_zero(field);
    case FIELD_LEVEL:
        return ((const struct level *)value)->text != NULL;
    case FIELD_SECRETS:
    case FIELD_TEXTS:
        return ((const struct string_map *)value)->count > 0;
    case FIELD_STRUCT:
        for (const struct field *inner = field->fields; inner->key; inner++)
            if (fields_is_given(inner, value))
                return true;
        return false;
    case FIELD_OTHER:
        return false;
    default:
        return true;
    }
}

static void print_key(struct printer *printer, const char *key)
{
    char *quoted = document_quote(key);
    int indent = printer->item ? printer->indent - 2 : printer->indent;
    fprintf(printer->out, "%*s%s%s:", indent, "", printer->item ? "- " : "", quoted);
    printer->item = false;
    free(quoted);
}

static void print_text(FILE *out, const char *text)
{
    char *quoted = document_quote(text);
    fprintf(out, " %s\n", quoted);
    free(quoted);
}

/* A URL without its user info. */
static void print_url(FILE *out, const char *url)
{
    const char *authority = strstr(url, "://");
    authority = authority ? authority + 3 : url;
    const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));
    char *shown = at ? xasprintf("%.*s<redacted>%s", (int)(authority - url), url, at)
                     : xstrdup(url);
    print_text(out, shown);
    free(shown);
}

static void print_list(const struct field *field, const struct name_list *list, FILE *out)
{
    if (list->count == 1 && field->type == FIELD_NAMES) {
        print_text(out, list->names[0]);
        return;
    }
    fputs(" [", out);
    for (size_t i = 0; i < list->count; i++) {
        char *quoted = document_quote(list->names[i]);
        fprintf(out, "%s%s", i ? ", " : "", quoted);
        free(quoted);
    }
    fputs("]\n", out);
}

static void print_delay(int64_t ms, FILE *out)
{
    char text[VALUE_TEXT_SIZE];
    fprintf(out, " %s\n", ms ? units_format_duration(ms, text) : "off");
}

/* A bare number is one for other readers of YAML, too. */
static void print_level(const char *text, FILE *out)
{
    bool is_bare = !strcmp(text, "off") || text[strspn(text, "0123456789.")] == '\0';
    if (is_bare)
        fprintf(out, " %s\n", text);
    else
        print_text(out, text);
}

static void print_range(const struct duration_range *range, FILE *out)
{
    char from[VALUE_TEXT_SIZE], to[VALUE_TEXT_SIZE];
    fprintf(out, " %s..%s\n", units_format_duration(range->from_ms, from),
        units_format_duration(range->to_ms, to));
}

static void print_scalar(const struct field *field, const void *value, FILE *out)
{
    char text[VALUE_TEXT_SIZE];
    switch (field->type) {
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_TRIGGER:
        print_text(out, *(char *const *)value);
        break;
    case FIELD_SECRET:
        print_text(out, "<redacted>");
        break;
    case FIELD_URL:
        print_url(out, *(char *const *)value);
        break;
    case FIELD_BOOL:
        fprintf(out, " %s\n", *(const bool *)value ? "true" : "false");
        break;
    case FIELD_INTEGER:
        fprintf(out, " %" PRId64 "\n", *(const int64_t *)value);
        break;
    case FIELD_DELAY:
        print_delay(*(const int64_t *)value, out);
        break;
    case FIELD_DURATION:
        fprintf(out, " %s\n", units_format_duration(*(const int64_t *)value, text));
        break;
    case FIELD_BYTES:
        fprintf(out, " %s\n", units_format_bytes(*(const int64_t *)value, text));
        break;
    case FIELD_NUMBER:
        fprintf(out, " %.15g\n", *(const double *)value);
        break;
    case FIELD_RANGE:
        print_range(value, out);
        break;
    case FIELD_NAMES:
    case FIELD_TRIGGERS:
        print_list(field, value, out);
        break;
    case FIELD_LEVEL:
        print_level(((const struct level *)value)->text, out);
        break;
    case FIELD_CHOICE:
        fprintf(out, " %s\n", field->choices[*(const int *)value]);
        break;
    default:
        break;
    }
}

static void print_fields(struct printer *printer, const struct field *fields, const void *target);

static void print_field(struct printer *printer, const struct field *field, const void *target)
{
    const void *value = value_of(field, target);
    print_key(printer, field->key);
    bool map = field->type == FIELD_SECRETS || field->type == FIELD_TEXTS;
    if (field->type != FIELD_STRUCT && !map) {
        print_scalar(field, value, printer->out);
        return;
    }
    fputs("\n", printer->out);
    struct printer inner = {printer->out, printer->indent + 2, false};
    if (field->type == FIELD_STRUCT) {
        print_fields(&inner, field->fields, value);
        return;
    }
    const struct string_map *entries = value;
    for (size_t i = 0; i < entries->count; i++) {
        print_key(&inner, entries->names[i]);
        print_text(inner.out, field->type == FIELD_TEXTS ? entries->values[i] : "<redacted>");
    }
}

static void print_fields(struct printer *printer, const struct field *fields, const void *target)
{
    for (const struct field *field = fields; field && field->key; field++)
        if (fields_is_given(field, target))
            print_field(printer, field, target);
}

void fields_print(const struct field *fields, const void *target, int indent, bool item, FILE *out)
{
    struct printer printer = {out, indent, item};
    print_fields(&printer, fields, target);
}
