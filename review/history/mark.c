#include "review/history/mark.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident_json.h"
#include "core/utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

/* As much of the note as there is room for, in whole characters; NULL for an empty one. */
static char *cut_note(const char *note)
{
    size_t length = strlen(note), kept = 0;
    if (length <= MARK_NOTE_MAX)
        return length ? xstrdup(note) : NULL;
    for (size_t next = 0; next <= MARK_NOTE_MAX;) {
        kept = next;
        size_t character = utf8_length(note + next);
        next += character ? character : 1;
    }
    return xstrndup(note, kept);
}

int mark_parse(const char *text, size_t size, struct mark *mark, struct error *err)
{
    *mark = (struct mark){0};
    json_error_t problem;
    if (size > MARK_TEXT_MAX)
        return error_set(err, "it is larger than %d bytes", MARK_TEXT_MAX);
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    int status = 0;
    if (!json)
        status = error_set(err, "it is not JSON: line %d: %s", problem.line, problem.text);
    else if (json_integer_value(json_object_get(json, "schema")) != SCHEMA)
        status = error_set(err, "it is not of schema %d", SCHEMA);
    if (status == 0) {
        const char *note = json_string_value(json_object_get(json, "note"));
        mark->looked_ms = incident_get_time(json, "looked");
        mark->note = note ? cut_note(note) : NULL;
    }
    json_decref(json);
    return status;
}

void mark_free(struct mark *mark)
{
    free(mark->note);
    *mark = (struct mark){0};
}

bool mark_is_empty(const struct mark *mark)
{
    return !mark->looked_ms && !mark->note;
}

static void put(const struct mark *mark, json_t *json)
{
    char *note = mark->note ? cut_note(mark->note) : NULL;
    incident_put_time(json, "looked", mark->looked_ms);
    incident_put_text(json, "note", note);
    free(note);
}

json_t *mark_to_json(const struct mark *mark)
{
    json_t *json = json_object();
    put(mark, json);
    return json;
}

char *mark_text(const struct mark *mark)
{
    json_t *json = json_object();
    json_object_set_new(json, "schema", json_integer(SCHEMA));
    put(mark, json);
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    if (!text)
        abort(); /* out of memory: what is in the tree is valid */
    return text;
}
