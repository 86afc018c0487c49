#include "commands/history_view.h"

#include "commands/terminal.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/metric.h"
#include "review/history/history_words.h"
#include "review/history/mark.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

char *history_view_times(const struct history *history, bool one, bool unicode)
{
    struct buf words;
    buf_init(&words, SIZE_MAX - 1);
    char every[VALUE_TEXT_SIZE];
    if (one && history->count > 1)
        buf_printf(&words, "%zu of %zu", history->ordinal, history->count);
    else
        buf_printf(&words, "%zu%s", history->count, unicode ? "\u00d7" : "x");
    if (isfinite(history->period_s))
        buf_printf(&words, ", every %s", history_period_words(history->period_s, every));
    bool volume = isfinite(history->volume.week_percent);
    double week = isfinite(history->peak.week_percent) ? history->peak.week_percent
                  : volume                             ? history->volume.week_percent
                                                       : NAN;
    if (isfinite(week))
        buf_printf(&words, ", %+.0f%%/week", week);
    return buf_take(&words);
}

enum table_colour history_view_colour(enum verdict verdict)
{
    static const enum table_colour colours[] = {[VERDICT_NEW] = TABLE_YELLOW,
        [VERDICT_SEEN] = TABLE_PLAIN,
        [VERDICT_KNOWN] = TABLE_DIM,
        [VERDICT_WORSE] = TABLE_RED,
        [VERDICT_GONE] = TABLE_GREEN};
    return colours[verdict];
}

static bool has_group(const char *text, size_t size)
{
    json_t *json = json_loadb(text, size, 0, NULL);
    bool has = json_is_string(json_object_get(json, "group"));
    json_decref(json);
    return has;
}

/* Takes it over. */
static void print_added(const char *key, json_t *json, FILE *out)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(json);
    fprintf(out, ",\n  \"%s\": ", key);
    terminal_print_json(out, text, strlen(text));
    free(text);
}

void history_view_json(
    const char *text, size_t size, const struct history_view_added *added, FILE *out)
{
    bool grouped = !added->group || has_group(text, size);
    while (size > 0 && text[size - 1] != '}') /* the end of the object */
        size--;
    size -= size > 0;
    while (size > 0 && strchr(" \t\r\n", text[size - 1]))
        size--;
    terminal_print_json(out, text, size);
    if (!grouped)
        fprintf(out, ",\n  \"group\": \"%s\"", added->group);
    if (added->history)
        print_added("history", history_to_json(added->history), out);
    if (added->mark && !mark_is_empty(added->mark))
        print_added("review", mark_to_json(added->mark), out);
    fputs("\n}", out);
}
