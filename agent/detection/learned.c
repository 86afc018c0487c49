#include "agent/detection/learned.h"

#include "agent/detection/detector.h"
#include "agent/detection/learned_json.h"
#include "agent/storage/delivery.h"
#include "agent/storage/recall.h"
#include "agent/storage/state_file.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const int64_t rewrite_pause_ms = 60000; /* after the file could not be written */
static const int64_t recall_pause_ms = 5000, recall_longest_pause_ms = 300000;
static const int64_t recall_patience_ms = 12000; /* two tries, 5 s apart */

/* What tells whether a trigger has learned more since. */
struct mark {
    size_t count;
    int64_t newest_ms; /* in the clock of the samples */
};

struct learned {
    struct learned_setup setup; /* delivery NULL: it is closed */
    char *path, *key;
    struct mark *marks; /* by trigger: what the file has */
    bool ask;           /* the stores, at the first update */
    struct recall *recall;
    size_t exporter_count;
    bool *unsettled; /* by exporter: it is not known what it has, which must not be replaced yet */
    size_t unsettled_count;
    bool partial; /* the file says that some were unsettled */
    bool written; /* in this run, or partial in an earlier one: stores may lack it */
    bool writing;
    bool failing; /* the file could not be written the last time */
    int64_t write_after_ms;
};

struct learned *learned_open(const struct learned_setup *setup)
{
    struct learned *learned = xcalloc(1, sizeof *learned);
    learned->setup = *setup;
    learned->path = xasprintf("%s/learned.json", setup->config->state);
    learned->key = xasprintf("service=%s/_state/learned.json", setup->config->service);
    learned->marks = xcalloc(setup->config->trigger_count, sizeof *learned->marks);
    learned->exporter_count = delivery_exporters(setup->delivery);
    learned->unsettled = xcalloc(learned->exporter_count, sizeof *learned->unsettled);
    return learned;
}

void learned_stop(struct learned *learned)
{
    if (!learned)
        return;
    recall_stop(learned->recall);
    learned->setup.delivery = NULL;
}

void learned_close(struct learned *learned)
{
    if (!learned)
        return;
    recall_close(learned->recall);
    free(learned->path);
    free(learned->key);
    free(learned->marks);
    free(learned->unsettled);
    free(learned);
}

/* NULL: the trigger learns nothing. */
static const int64_t *onsets_of(const struct learned *learned, size_t trigger, struct mark *mark)
{
    const int64_t *onsets_ms = detector_learned(learned->setup.detector, trigger, &mark->count);
    mark->newest_ms = onsets_ms && mark->count ? onsets_ms[mark->count - 1] : 0;
    return onsets_ms;
}

static bool learns(const struct learned *learned)
{
    struct mark mark;
    for (size_t i = 0; i < learned->setup.config->trigger_count; i++)
        if (onsets_of(learned, i, &mark))
            return true;
    return false;
}

/* Notes what the detector has, as what the file has. */
static void take_marks(struct learned *learned)
{
    for (size_t i = 0; i < learned->setup.config->trigger_count; i++)
        onsets_of(learned, i, &learned->marks[i]);
}

/* The file is to be written anew. */
static void drop_marks(struct learned *learned)
{
    memset(learned->marks, 0, learned->setup.config->trigger_count * sizeof *learned->marks);
}

static bool is_changed(const struct learned *learned)
{
    for (size_t i = 0; i < learned->setup.config->trigger_count; i++) {
        struct mark mark;
        if (onsets_of(learned, i, &mark) && mark.count > 0 &&
            (mark.count != learned->marks[i].count ||
                mark.newest_ms != learned->marks[i].newest_ms))
            return true;
    }
    return false;
}

/* The trigger learns from these onsets and from those that it has seen meanwhile. */
static void teach(struct learned *learned, size_t trigger, const struct learned_onsets *earlier)
{
    struct mark mark;
    const int64_t *seen_ms = onsets_of(learned, trigger, &mark);
    if (!seen_ms || earlier->count == 0)
        return;
    int64_t wall_offset_ms = clock_wall_ms() - clock_mono_ms();
    int64_t *onsets_ms = xcalloc(earlier->count + mark.count, sizeof *onsets_ms);
    for (size_t i = 0; i < earlier->count; i++)
        onsets_ms[i] = earlier->wall_ms[i] - wall_offset_ms;
    memcpy(onsets_ms + earlier->count, seen_ms, mark.count * sizeof *onsets_ms);
    size_t count = learned_sort(onsets_ms, earlier->count + mark.count);
    detector_restore_onsets(learned->setup.detector, trigger, onsets_ms, count);
    free(onsets_ms);
}

/* Whether there was anything for this configuration in the text, or -1 and err. *partial: see
 * learned_parse. */
static int take_up(struct learned *learned, const char *text, size_t size, const char *from,
    bool *partial, struct error *err)
{
    const struct config *config = learned->setup.config;
    struct learned_onsets *onsets = xcalloc(config->trigger_count, sizeof *onsets);
    int found = learned_parse(config, text, size, clock_wall_ms(), onsets, partial, err);
    for (size_t i = 0; found >= 0 && i < config->trigger_count; i++) {
        if (onsets[i].count == 0)
            continue;
        found = 1;
        teach(learned, i, &onsets[i]);
        log_info("trigger %s goes on with %zu onset%s from %s", config->triggers[i].name,
            onsets[i].count, onsets[i].count == 1 ? "" : "s", from);
    }
    learned_onsets_clear(onsets, config->trigger_count);
    free(onsets);
    return found;
}

void learned_restore(struct learned *learned)
{
    struct buf text;
    struct error err;
    if (!learns(learned))
        return;
    learned->ask = true;
    if (!fs_exists(learned->path))
        return;
    int found = fs_read(learned->path, LEARNED_MAX_BYTES, &text, &err);
    if (found == 0)
        found = take_up(learned, text.data, text.size, learned->path, &learned->partial, &err);
    if (found < 0)
        log_warn("%s is passed over: %s", learned->path, err.text);
    learned->ask = found <= 0 || learned->partial;
    learned->written = found > 0 && learned->partial;
    take_marks(learned);
    buf_free(&text);
}

/* This store gets the file, unless its next version is due already. */
static void keep(const struct learned *learned, size_t exporter)
{
    if (learned->setup.delivery && !learned->unsettled[exporter] && !is_changed(learned))
        delivery_keep(learned->setup.delivery, exporter, learned->path, learned->key);
}

static char *text_of(const struct learned *learned)
{
    const struct config *config = learned->setup.config;
    struct learned_onsets *onsets = xcalloc(config->trigger_count, sizeof *onsets);
    int64_t wall_ms = clock_wall_ms(), wall_offset_ms = wall_ms - clock_mono_ms();
    for (size_t i = 0; i < config->trigger_count; i++) {
        struct mark mark;
        const int64_t *onsets_ms = onsets_of(learned, i, &mark);
        if (!onsets_ms)
            continue;
        onsets[i] = (struct learned_onsets){
            .wall_ms = xcalloc(mark.count, sizeof *onsets_ms), .count = mark.count};
        for (size_t j = 0; j < mark.count; j++)
            onsets[i].wall_ms[j] = onsets_ms[j] + wall_offset_ms;
    }
    char *text = learned_text(config, onsets, learned->partial, wall_ms);
    learned_onsets_clear(onsets, config->trigger_count);
    free(onsets);
    return text;
}

static void file_written(void *arg, const struct error *err);

static void write_changes(struct learned *learned)
{
    if (!learned->setup.delivery || learned->writing || !is_changed(learned) ||
        clock_mono_ms() < learned->write_after_ms)
        return;
    learned->writing = true;
    learned->partial = learned->unsettled_count > 0;
    take_marks(learned);
    state_file_write(learned->setup.disk, learned->path, text_of(learned), file_written, learned);
}

static void file_written(void *arg, const struct error *err)
{
    struct learned *learned = arg;
    if (err && !learned->failing)
        log_warn("after a restart, what recurs will be learned anew: %s", err->text);
    if (err) {
        drop_marks(learned);
        learned->write_after_ms = clock_mono_ms() + rewrite_pause_ms;
    } else {
        learned->written = true;
        for (size_t i = 0; i < learned->exporter_count; i++)
            keep(learned, i);
    }
    learned->failing = err;
    learned->writing = false;
    write_changes(learned);
}

static void settled(void *arg, size_t exporter, const char *from, const char *text, size_t size)
{
    struct learned *learned = arg;
    struct error err;
    bool ignored;
    int found = text ? take_up(learned, text, size, from, &ignored, &err) : 0;
    if (found < 0)
        log_warn("%s in %s is passed over: %s", learned->key, from, err.text);
    learned->unsettled[exporter] = false;
    learned->unsettled_count--;
    if (found > 0 || (learned->partial && learned->unsettled_count == 0))
        drop_marks(learned);
    if (learned->written && !learned->writing)
        keep(learned, exporter);
    write_changes(learned);
}

static void ask_stores(struct learned *learned)
{
    learned->ask = false;
    learned->unsettled_count = learned->exporter_count;
    memset(learned->unsettled, true, learned->exporter_count * sizeof *learned->unsettled);
    learned->recall = recall_start(&(struct recall_setup){.loop = learned->setup.loop,
        .delivery = learned->setup.delivery,
        .key = learned->key,
        .unread = "what an earlier task of the service learned is not read back",
        .max_bytes = LEARNED_MAX_BYTES,
        .pause_ms = recall_pause_ms,
        .longest_pause_ms = recall_longest_pause_ms,
        .patience_ms = recall_patience_ms,
        .settled = settled,
        .arg = learned});
}

void learned_update(struct learned *learned)
{
    if (learned->ask)
        ask_stores(learned);
    write_changes(learned);
}

bool learned_is_writing(const struct learned *learned)
{
    return learned->writing;
}
