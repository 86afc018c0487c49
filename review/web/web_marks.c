#include "review/web/web_marks.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident_json.h"
#include "core/json_text.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

char *web_marks_cut(const char *text, size_t max)
{
    size_t length = strnlen(text, max + 1);
    if (length > max)
        for (length = max; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    return xstrndup(text, length);
}

int web_marks_parse(const char *text, size_t size, struct web_marks *marks, struct error *err)
{
    *marks = (struct web_marks){0};
    if (size == 0)
        return 0;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(json) || json_integer_value(json_object_get(json, "schema")) != SCHEMA) {
        json_decref(json);
        return error_set(err, "review.json is not of schema %d", SCHEMA);
    }
    char *note = incident_get_text(json, "note");
    marks->looked_ms = incident_get_time(json, "looked");
    marks->note = note && *note ? web_marks_cut(note, WEB_NOTE_MAX) : NULL;
    free(note);
    json_decref(json);
    return 0;
}

void web_marks_free(struct web_marks *marks)
{
    free(marks->note);
    *marks = (struct web_marks){0};
}

char *web_marks_format(const struct web_marks *marks)
{
    json_t *json = json_object();
    json_object_set_new(json, "schema", json_integer(SCHEMA));
    incident_put_time(json, "looked", marks->looked_ms);
    if (marks->note)
        json_object_set_new(json, "note", json_text(marks->note));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text)
        abort(); /* only for want of memory */
    return text;
}
