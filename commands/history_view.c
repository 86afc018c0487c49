#include "commands/history_view.h"

#include "commands/terminal.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/metric.h"
#include "review/history/history_words.h"

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

void history_view_json(
    const char *text, size_t size, const char *group, const struct history *history, FILE *out)
{
    bool grouped = has_group(text, size);
    while (size > 0 && text[size - 1] != '}') /* the end of the object */
        size--;
    size -= size > 0;
    while (size > 0 && strchr(" \t\r\n", text[size - 1]))
        size--;
    json_t *json = history_to_json(history);
    char *added = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(json);
    terminal_print_json(out, text, size);
    if (!grouped)
        fprintf(out, ",\n  \"group\": \"%s\"", group);
    fputs(",\n  \"history\": ", out);
    terminal_print_json(out, added, strlen(added));
    fputs("\n}", out);
    free(added);
}
