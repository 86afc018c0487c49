#include "agent/capture/probe.h"

#include "agent/capture/profiler.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/http.h"
#include "core/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hold_ms = 300;
static const int64_t look_ms = 50; /* how often it is looked whether a request was sent */
static const int64_t again_ms = 5000;
static const int64_t connect_ms = 3000;
static const int64_t patience_ms = 5000;
static const uint64_t max_probe_bytes = 64 * 1024;

struct probe {
    struct probe_setup setup;
    const struct capture_entry **entries;
    size_t count, at, available;
    struct http_request *request; /* for entries[at]; NULL: none is running */
    int64_t seconds, sent_ms;     /* sent_ms 0: the request was not seen to be sent */
    struct loop_timer *timer;
    bool waiting_was_told;
};

static bool is_held(const struct capture_entry *entry)
{
    return !strcmp(entry->profile, "cpu") || !strcmp(entry->profile, "trace");
}

/* `stakeout capture` takes the set "spike" when it is not told another. */
static bool is_wanted(const struct config *config, const struct capture_set *set)
{
    bool wanted = set->line > 0 || !strcmp(set->name, "spike");
    for (size_t i = 0; i < config->trigger_count; i++) {
        const char *capture = config->triggers[i].capture;
        wanted = wanted || (capture && !strcmp(capture, set->name));
    }
    return wanted;
}

static void add_entry(struct probe *probe, const struct capture_entry *entry)
{
    for (size_t i = 0; i < probe->count; i++)
        if (!strcmp(probe->entries[i]->profile, entry->profile) &&
            probe->entries[i]->seconds == entry->seconds)
            return;
    probe->entries = xrealloc(probe->entries, probe->count + 1, sizeof *probe->entries);
    probe->entries[probe->count++] = entry;
}

static void proceed(struct probe *probe)
{
    loop_timer_set(probe->timer, clock_mono_ms());
}

static void conclude(struct probe *probe, const struct error *problem)
{
    const struct capture_entry *entry = probe->entries[probe->at++];
    probe->available += !problem;
    probe->setup.found(probe->setup.arg, probe->setup.app, entry, problem);
    proceed(probe);
}

static void wait_for_endpoint(struct probe *probe, const struct error *problem)
{
    if (!probe->waiting_was_told) {
        struct error told = *problem;
        size_t used = strlen(told.text);
        snprintf(told.text + used, sizeof told.text - used, "; profiles are tried when it can be");
        probe->setup.found(probe->setup.arg, probe->setup.app, probe->entries[probe->at], &told);
    }
    probe->waiting_was_told = true;
    loop_timer_set(probe->timer, clock_mono_ms() + again_ms);
}

/* Go's own refusal of `seconds=0` is the proof that the profile is there. */
static bool proves_profile(const struct probe *probe, const struct http_result *result)
{
    return probe->seconds == 0 && result->status == 400 && http_header(result, "X-Go-Pprof");
}

static bool is_busy_with_us(const struct probe *probe, const struct http_result *result)
{
    return probe->setup.recorded && !strcmp(probe->entries[probe->at]->profile, "cpu") &&
           result->status == 500 && strstr(result->body.data, "already in use");
}

static void on_answer(void *arg, const struct http_result *result)
{
    struct probe *probe = arg;
    probe->request = NULL;
    loop_timer_unset(probe->timer);
    bool there = result->status >= 200 && result->status <= 299;
    if (there || proves_profile(probe, result) || is_busy_with_us(probe, result)) {
        conclude(probe, NULL);
        return;
    }
    struct profiler_lesson lesson;
    profiler_learn(result, probe->entries[probe->at], probe->seconds, 0, &lesson);
    if (result->outcome == HTTP_UNREACHED && probe->setup.patient) {
        wait_for_endpoint(probe, &lesson.why);
        return;
    }
    struct error problem;
    error_set(&problem, "%s%s", lesson.why.text,
        lesson.advice == PROFILER_SHORTER ? "; a shorter profile will be taken" : "");
    conclude(probe, &problem);
}

static void ask(struct probe *probe)
{
    const struct capture_entry *entry = probe->entries[probe->at];
    bool held = is_held(entry);
    probe->seconds = held ? entry->seconds : 0;
    probe->sent_ms = 0;
    char *url = profiler_url(probe->setup.app, entry, probe->seconds);
    char *asked = held ? NULL : xasprintf("%s%sseconds=0", url, strchr(url, '?') ? "&" : "?");
    char **headers = profiler_headers(probe->setup.app);
    struct http_options options = {
        .url = asked ? asked : url,
        .headers = (const char *const *)headers,
        .upload_fd = -1,
        .own_connection = true,
        .connect_ms = connect_ms,
        .timeout_ms = patience_ms,
        .max_answer_bytes = max_probe_bytes,
        .done = on_answer,
        .arg = probe,
    };
    probe->request = http_start(probe->setup.loop, &options);
    profiler_free_headers(headers);
    free(asked);
    free(url);
    if (held)
        loop_timer_set(probe->timer, clock_mono_ms() + look_ms);
}

/* Silence means that it is recording only once it was asked to. */
static void look_whether_it_records(struct probe *probe)
{
    int64_t now_ms = clock_mono_ms();
    if (!probe->sent_ms && http_was_sent(probe->request))
        probe->sent_ms = now_ms;
    if (!probe->sent_ms || now_ms < probe->sent_ms + hold_ms) {
        loop_timer_set(probe->timer, now_ms + look_ms);
        return;
    }
    http_cancel(probe->request);
    probe->request = NULL;
    conclude(probe, NULL);
}

static void on_timer(void *arg)
{
    struct probe *probe = arg;
    if (probe->request)
        look_whether_it_records(probe);
    else if (probe->at < probe->count)
        ask(probe);
    else
        probe->setup.done(probe->setup.arg, probe->setup.app, probe->available, probe->count);
}

struct probe *probe_start(const struct probe_setup *setup)
{
    const struct config *config = setup->config;
    struct probe *probe = xcalloc(1, sizeof *probe);
    probe->setup = *setup;
    for (size_t i = 0; i < config->capture_count; i++) {
        const struct capture_set *set = &config->captures[i];
        for (size_t j = 0; is_wanted(config, set) && j < set->count; j++)
            add_entry(probe, &set->entries[j]);
    }
    probe->timer = loop_timer_new(setup->loop, on_timer, probe);
    proceed(probe);
    return probe;
}

void probe_stop(struct probe *probe)
{
    if (!probe)
        return;
    http_cancel(probe->request);
    loop_timer_free(probe->timer);
    free(probe->entries);
    free(probe);
}

char *probe_describe(const struct app_config *app, const struct capture_entry *entry)
{
    return entry->seconds ? xasprintf("app %s, profile %s of %lld s", app->name, entry->profile,
                                (long long)entry->seconds)
                          : xasprintf("app %s, profile %s", app->name, entry->profile);
}
