#include "config/fields.h"
#include "config/fields_text.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <stdlib.h>
#include <string.h>

static void append_type(const struct field *field, struct buf *what)
{
    static const char *const names[] = {
        [FIELD_STRING] = "text",
        [FIELD_SECRET] = "text, never shown",
        [FIELD_URL] = "URL",
        [FIELD_NAME] = "name",
        [FIELD_BOOL] = "true or false",
        [FIELD_INTEGER] = "whole number",
        [FIELD_DURATION] = "duration",
        [FIELD_DELAY] = "duration or off",
        [FIELD_BYTES] = "bytes",
        [FIELD_NUMBER] = "number",
        [FIELD_RANGE] = "range of durations",
        [FIELD_NAMES] = "text, or a list of texts",
        [FIELD_TRIGGER] = "name of a trigger",
        [FIELD_TRIGGERS] = "list of names of triggers",
        [FIELD_LEVEL] = "level, in the metric's unit",
        [FIELD_SECRETS] = "names to texts, never shown",
        [FIELD_TEXTS] = "names to texts",
    };
    if (field->type != FIELD_CHOICE) {
        buf_puts(what, names[field->type]);
        return;
    }
    for (int i = 0; field->choices[i]; i++)
        buf_printf(what, "%s%s", i ? " | " : "", field->choices[i]);
}

/* The text below its entry, in lines of at most 100 columns. */
static void print_help(const char *help, FILE *out)
{
    enum { INDENT = 4, COLUMNS = 100 };
    for (const char *at = help; *at;) {
        size_t size = strlen(at);
        if (size > COLUMNS - INDENT) {
            const char *blank = memrchr(at, ' ', COLUMNS - INDENT + 1);
            size = blank ? (size_t)(blank - at) : size;
        }
        fprintf(out, "%*s%.*s\n", INDENT, "", (int)size, at);
        at += size + strspn(at + size, " ");
    }
}

void fields_print_entry(
    const char *path, const char *key, const char *what, const char *help, FILE *out)
{
    char *whole = xasprintf("%s%s%s", path, *path ? "." : "", key);
    fprintf(out, "%-32s %s\n", whole, what);
    if (help)
        print_help(help, out);
    free(whole);
}

static void print_field(const struct field *field, const char *path, FILE *out)
{
    struct buf what;
    char range[RANGE_TEXT_SIZE];
    buf_init(&what, 1000);
    append_type(field, &what);
    if (*fields_format_range(field, range))
        buf_printf(&what, ", %s", range);
    if (field->otherwise)
        buf_printf(&what, ", default %s", field->otherwise);
    if (field->required)
        buf_puts(&what, ", required");
    fields_print_entry(path, field->key, what.data, field->help, out);
    buf_free(&what);
}

void fields_print_reference(const struct field *fields, const char *path, FILE *out)
{
    for (const struct field *field = fields; field && field->key; field++) {
        if (field->type == FIELD_STRUCT) {
            char *inner = xasprintf("%s%s%s", path, *path ? "." : "", field->key);
            if (*path) /* what stands at the top explains itself */
                fields_print_entry(path, field->key,
                    field->short_key ? "mapping, or one text" : "mapping", field->help, out);
            fields_print_reference(field->fields, inner, out);
            free(inner);
        } else if (field->type != FIELD_OTHER) {
            print_field(field, path, out);
        }
    }
}
