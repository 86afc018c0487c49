#include "agent/detection/detector_parts.h"
#include "agent/detection/gate.h"
#include "agent/kinds.h"
#include "config/config_changes.h"
#include "core/series.h"

#include <string.h>

static const struct feed *find_feed(const struct detector *detector, const char *name)
{
    for (size_t i = 0; i < detector->feed_count; i++)
        if (!strcmp(detector->feeds[i].name, name))
            return &detector->feeds[i];
    return NULL;
}

static void take_over_feeds(struct detector *detector, const struct detector *before)
{
    for (size_t i = 0; i < detector->feed_count; i++) {
        struct feed *feed = &detector->feeds[i];
        const struct feed *was = find_feed(before, feed->name);
        feed->seen = feed->series ? feed->series->pushed : 0;
        if (was)
            feed->before = was->before;
    }
}

static void take_over_starts(struct detector *detector, const struct detector *before)
{
    for (size_t i = 0; i < detector->config->app_count; i++) {
        size_t was = 0;
        while (was < before->config->app_count &&
               strcmp(detector->config->apps[i].name, before->config->apps[was].name) != 0)
            was++;
        if (was < before->config->app_count)
            gate_app_started(detector->gate, i, gate_app_started_ms(before->gate, was));
        else if (detector->now_ms != INT64_MIN)
            detector_note_start(detector, i, detector->now_ms);
    }
}

static struct watch *find_watch(const struct detector *detector, const char *name)
{
    for (size_t i = 0; i < detector->config->trigger_count; i++)
        if (!strcmp(detector->watches[i].config->name, name))
            return &detector->watches[i];
    return NULL;
}

/* The triggers change places, so that each detector closes one. */
static void take_over_trigger(
    const struct detector *detector, struct watch *watch, struct watch *was)
{
    void *own = watch->trigger;
    watch->trigger = was->trigger;
    was->trigger = own;
    if (watch->kind->rebind)
        watch->kind->rebind(watch->trigger, watch->config->options, &watch->config->scope);
    const struct feed *feed = was->verdict.metric ? find_feed(detector, was->verdict.metric) : NULL;
    watch->verdict = was->verdict;
    watch->verdict.metric = feed ? feed->name : NULL;
    watch->last_ms = was->last_ms;
    watch->spacing = was->spacing;
    watch->excursion = was->excursion;
    watch->ended_ms = was->ended_ms;
    watch->held_by = was->held_by;
    watch->missed = was->missed;
    watch->missed.metric = watch->verdict.metric;
}

void detector_take_over(struct detector *detector, struct detector *before)
{
    detector_look_up_series(detector);
    detector->now_ms = before->now_ms;
    take_over_feeds(detector, before);
    take_over_starts(detector, before);
    for (size_t i = 0; i < detector->config->trigger_count; i++) {
        struct watch *watch = &detector->watches[i];
        struct watch *was = find_watch(before, watch->config->name);
        if (!was)
            continue;
        watch->fires = was->fires;
        watch->suppressed = was->suppressed;
        watch->withdrawn = was->withdrawn;
        watch->told_ms = was->told_ms;
        memcpy(watch->told, was->told, sizeof watch->told);
        if (config_same_rule(watch->config, was->config, &config_kinds))
            take_over_trigger(detector, watch, was);
    }
}
