#include "config/fields.h"
#include "config/fields_text.h"
#include "config/reference.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <stdlib.h>

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

static void print_field(const struct field *field, const char *path, const struct reference *out)
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
    reference_entry(out, path, field->key, what.data, field->help);
    buf_free(&what);
}

void fields_print_reference(
    const struct field *fields, const char *path, const struct reference *out)
{
    for (const struct field *field = fields; field && field->key; field++) {
        if (field->type == FIELD_STRUCT) {
            char *inner = xasprintf("%s%s%s", path, *path ? "." : "", field->key);
            if (*path) /* what stands at the top explains itself */
                reference_entry(out, path, field->key,
                    field->short_key ? "mapping, or one text" : "mapping", field->help);
            fields_print_reference(field->fields, inner, out);
            free(inner);
        } else if (field->type != FIELD_OTHER) {
            print_field(field, path, out);
        }
    }
}
