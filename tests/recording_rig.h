/* Incidents on a real spool with a recorder, an app that is a stub, and a shell script for
 * `stakeout merge`. */
#ifndef TESTS_RECORDING_RIG_H
#define TESTS_RECORDING_RIG_H

#include "agent/apps/app_life.h"
#include "agent/capture/recording.h"
#include "agent/detection/detector.h"
#include "agent/incidents/incidents.h"
#include "agent/self/worker.h"
#include "agent/storage/spool_recovery.h"
#include "core/incident.h"
#include "core/series.h"
#include "recorder_rig.h"

#include <stdio.h>
#include <sys/stat.h>

struct rest {
    struct worker *worker;
    struct incidents *incidents;
    struct series_set series;
    struct trigger_config trigger;
    struct capture_set sets[2];
    char script[128];
    struct app_end end;        /* of the app, as its source tells it */
    bool doubt;                /* whether there was one */
    struct incident *incident; /* as it was completed */
    char *folder;
};

static inline void identify(void *arg, size_t app, struct source_identity *identity)
{
    (void)arg, (void)app, (void)identity;
}

static inline bool on_app_ended(void *arg, size_t app, const struct app_end **end)
{
    const struct world *world = arg;
    const struct rest *rest = world->more;
    assert_int_equal(app, 0);
    *end = &rest->end;
    return rest->doubt;
}

static inline void on_complete(void *arg, const char *id)
{
    struct world *world = arg;
    struct rest *rest = world->more;
    struct buf text;
    struct error err;
    rest->folder = spool_folder(world->spool, id);
    char *path = xasprintf("%s/incident.json", rest->folder);
    assert_int_equal(fs_read(path, 1 << 20, &text, &err), 0);
    rest->incident = incident_from_text(text.data, text.size, &err);
    assert_non_null(rest->incident);
    buf_free(&text);
    free(path);
}

static inline void write_script(const struct rest *rest, const char *merge)
{
    FILE *out = fopen(rest->script, "w");
    assert_non_null(out);
    fprintf(out, "#!/bin/sh\nout=$5\nshift 5\n%s\n", merge);
    fclose(out);
    assert_int_equal(chmod(rest->script, 0755), 0);
}

static inline int set_up_with(void **state, int64_t slice_ms)
{
    static char spike[] = "spike", plain[] = "plain", cpu[] = "cpu", heap[] = "heap";
    static struct capture_entry with_cpu[] = {{.profile = cpu, .seconds = 2}, {.profile = heap}};
    static struct capture_entry without_cpu[] = {{.profile = heap}};
    struct world *world = xcalloc(1, sizeof *world);
    struct rest *rest = world->more = xcalloc(1, sizeof *rest);
    rig_open(world);
    world->config.recorder.slice_ms = slice_ms;
    snprintf(rest->script, sizeof rest->script, "%s/merge", world->state);
    write_script(rest, "cp $1 $out");
    rest->sets[0] = (struct capture_set){.name = spike, .entries = with_cpu, .count = 2};
    rest->sets[1] = (struct capture_set){.name = plain, .entries = without_cpu, .count = 1};
    rest->trigger = (struct trigger_config){.name = spike, .capture = spike};
    world->config.captures = rest->sets;
    world->config.capture_count = 2;
    world->config.triggers = &rest->trigger;
    world->config.trigger_count = 1;
    world->config.service = spike;
    rig_open_recorder(world);
    recorder_release(world->recorder, 0);
    struct worker_setup worker = {.loop = world->loop, .program = rest->script};
    rest->worker = worker_open(&worker);
    series_set_init(&rest->series, 10);
    struct incidents_setup setup = {.loop = world->loop,
        .disk = world->disk,
        .spool = world->spool,
        .recorder = world->recorder,
        .worker = rest->worker,
        .config = &world->config,
        .endpoints = &world->endpoint,
        .series = &rest->series,
        .identify = identify,
        .ended = on_app_ended,
        .complete = on_complete,
        .arg = world};
    rest->incidents = incidents_open(&setup);
    *state = world;
    return 0;
}

static inline int set_up(void **state)
{
    return set_up_with(state, 1000);
}

static inline int set_up_long(void **state)
{
    return set_up_with(state, 60000);
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    struct rest *rest = world->more;
    recorder_stop(world->recorder);
    offload_close(world->disk);
    worker_close(rest->worker);
    incidents_close(rest->incidents);
    recorder_close(world->recorder);
    series_set_free(&rest->series);
    incident_free(rest->incident);
    free(rest->folder);
    free(rest);
    rig_close(world);
    free(world);
    return 0;
}

static inline void arm(struct world *world)
{
    recorder_arm(world->recorder, 0, 0, clock_mono_ms(), clock_mono_ms() + 600000);
}

/* Slices are kept, and one more is being recorded until `hold` is taken away. */
static inline void record(struct world *world)
{
    arm(world);
    wait_until(world, all_are_kept);
    atomic_store(&world->stub.hold, 1);
    wait_until(world, is_recording);
    idle(world, 150); /* longer than what counts as a gap */
    assert_true(is_recording(world));
}

static inline void fire(struct world *world, int64_t onset_ago_ms)
{
    const struct rest *rest = world->more;
    struct error err;
    int64_t now_ms = clock_mono_ms();
    struct detector_event event = {.type = EVENT_FIRE,
        .time_ms = now_ms,
        .metric = "cpu",
        .value = 93,
        .limit = 80,
        .onset_ms = now_ms - onset_ago_ms,
        .reason = "cpu 93% above 80%"};
    assert_int_equal(incidents_fire(rest->incidents, &event, &err), 0);
}

static inline bool is_complete(const struct world *world)
{
    const struct rest *rest = world->more;
    incidents_sampled(rest->incidents);
    return rest->incident != NULL;
}

static inline int count_names(void *arg, const char *name)
{
    (void)name;
    ++*(int *)arg;
    return 0;
}

/* "cpu ok covered, heap ok"; there have to be these files and no other. */
static inline void describe(const struct world *world, char *text, size_t size)
{
    const struct rest *rest = world->more;
    size_t used = 0, files = 2; /* incident.json, metrics.csv */
    int found = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rest->incident->profile_count; i++) {
        const struct incident_profile *profile = &rest->incident->profiles[i];
        static const char *const names[] = {"pending", "ok", "truncated", "failed"};
        used += (size_t)snprintf(text + used, size - used, "%s%s %s%s", used ? ", " : "",
            profile->name, names[profile->status], profile->onset_covered ? " covered" : "");
        char *path = xasprintf("%s/%s", rest->folder, profile->file ? profile->file : "none");
        assert_int_equal(fs_exists(path), profile->file != NULL);
        files += profile->file != NULL;
        free(path);
    }
    struct error err;
    assert_int_equal(fs_each(rest->folder, count_names, &found, &err), 0);
    assert_int_equal(found, files);
}

static inline void check(struct world *world, const char *expected)
{
    char text[512];
    wait_until(world, is_complete);
    describe(world, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(atomic_load(&world->stub.refused), 0);
}

static inline const struct incident_profile *profile(const struct world *world, const char *name)
{
    const struct rest *rest = world->more;
    return incident_find_profile(rest->incident, name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
