#include "agent/capture/probe.h"

#include "agent/capture/endpoint.h"
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

/* Go's profiler needs up to 0.2 s to end after its client has gone. */
static const int64_t pause_ms = 500;
static const unsigned most_busy = 4;

/* A finding that may be that of all. */
struct kept {
    const struct capture_entry *entry;
    enum probe_verdict verdict;
    struct error why;
};

struct probe {
    struct probe_setup setup;
    const struct capture_entry **entries;
    size_t count, at, available, left_out;
    size_t strangers;  /* answers 404 that are not from Go's profiler */
    struct kept *kept; /* every finding as yet, while they agree */
    size_t kept_count;
    bool differ;                  /* they do not */
    struct http_request *request; /* for entries[at]; NULL: none is running */
    bool held;                    /* the request is for the profile itself, and will be dropped */
    int64_t seconds, sent_ms;     /* sent_ms 0: the request was not seen to be sent */
    /* Of entries[at]: the longest that is known to fit and the shortest that does not; 0: none. */
    int64_t fits, refused;
    bool seen_held;  /* that `fits` does was said by the profile itself */
    bool must_hold;  /* the way that costs nothing does not lead there */
    unsigned busy;   /* times that somebody else was profiling */
    int64_t free_ms; /* when the app's profiler is free again after what was dropped */
    struct loop_timer *timer;
    bool waiting_was_told;
};

static bool is_held(const struct capture_entry *entry)
{
    return entry->path || config_entry_is_cpu(entry) || !strcmp(entry->profile, "trace");
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

static bool is_same(const struct capture_entry *a, const struct capture_entry *b)
{
    bool same_path = a->path && b->path ? !strcmp(a->path, b->path) : !a->path && !b->path;
    return same_path && a->seconds == b->seconds && !strcmp(a->profile, b->profile);
}

static void add_entry(struct probe *probe, const struct capture_entry *entry)
{
    for (size_t i = 0; i < probe->count; i++)
        if (is_same(probe->entries[i], entry))
            return;
    probe->entries = xrealloc(probe->entries, probe->count + 1, sizeof *probe->entries);
    probe->entries[probe->count++] = entry;
}

/* Of this entry nothing is known yet. */
static void begin_entry(struct probe *probe)
{
    probe->fits = probe->refused = 0;
    probe->seen_held = probe->must_hold = false;
    probe->busy = 0;
    if (probe->at < probe->count) {
        const struct capture_entry *entry = probe->entries[probe->at];
        probe->held = is_held(entry);
        probe->seconds = entry->seconds;
    }
}

/* All were answered 404 by what is not Go, which names another profile each time, or all failed for
 * one reason. */
static bool agrees(const struct probe *probe, enum probe_verdict verdict, const struct error *why)
{
    if (probe->strangers > 0)
        return probe->strangers == probe->kept_count + 1;
    return verdict == PROBE_FAILED &&
           (probe->kept_count == 0 || !strcmp(probe->kept[0].why.text, why->text));
}

static void tell_kept(struct probe *probe, bool common)
{
    for (size_t i = 0; i < probe->kept_count; i++) {
        const struct kept *kept = &probe->kept[i];
        struct probe_finding finding = {.app = probe->setup.app,
            .entry = kept->entry,
            .verdict = kept->verdict,
            .why = &kept->why,
            .common = common};
        probe->setup.found(probe->setup.arg, &finding);
    }
    free(probe->kept);
    probe->kept = NULL;
    probe->kept_count = 0;
}

static void tell(struct probe *probe, const struct probe_finding *finding)
{
    if (finding->why && !probe->differ && agrees(probe, finding->verdict, finding->why)) {
        probe->kept = xrealloc(probe->kept, probe->kept_count + 1, sizeof *probe->kept);
        probe->kept[probe->kept_count++] = (struct kept){
            finding->entry, finding->verdict, *finding->why};
        return;
    }
    probe->differ = true;
    tell_kept(probe, false);
    probe->setup.found(probe->setup.arg, finding);
}

static void conclude(struct probe *probe, enum probe_verdict verdict, const struct error *why)
{
    struct probe_finding finding = {.app = probe->setup.app,
        .entry = probe->entries[probe->at],
        .verdict = verdict,
        .seconds = probe->fits,
        .why = why};
    probe->available += verdict == PROBE_OK || verdict == PROBE_SHORTER;
    probe->left_out += verdict == PROBE_LEFT_OUT;
    if (verdict == PROBE_SHORTER)
        endpoint_refuses(probe->setup.endpoint, finding.entry->profile, finding.seconds);
    else if (verdict == PROBE_OK)
        endpoint_allows(probe->setup.endpoint, finding.entry->profile, finding.entry->seconds);
    probe->at++;
    begin_entry(probe);
    tell(probe, &finding);
    loop_timer_set(probe->timer, clock_mono_ms());
}

/* Asks in a while; what is asked for may take a while to be free. */
static void ask_for(struct probe *probe, int64_t seconds, bool held)
{
    int64_t now_ms = clock_mono_ms();
    probe->seconds = seconds;
    probe->held = held;
    loop_timer_set(probe->timer, held && probe->free_ms > now_ms ? probe->free_ms : now_ms);
}

static void conclude_shorter(struct probe *probe)
{
    int64_t wanted = probe->entries[probe->at]->seconds;
    struct error why;
    error_set(&why,
        "%lld s are more than the app's WriteTimeout allows: %lld s fit and are taken; for more "
        "raise WriteTimeout above %lld s",
        (long long)wanted, (long long)probe->fits, (long long)wanted);
    conclude(probe, PROBE_SHORTER, &why);
}

/* The next question of the search by halves, or its result. */
static void search(struct probe *probe)
{
    bool holds = is_held(probe->entries[probe->at]);
    if (probe->refused - probe->fits > 1) {
        ask_for(probe, probe->fits + (probe->refused - probe->fits) / 2, holds && probe->must_hold);
    } else if (probe->fits == 0) {
        struct error why;
        error_set(&why,
            "the app's WriteTimeout allows no profile of even a second: raise it above "
            "%lld s",
            (long long)probe->entries[probe->at]->seconds);
        conclude(probe, PROBE_FAILED, &why);
    } else if (holds && !probe->seen_held) {
        ask_for(probe, probe->fits, true);
    } else {
        conclude_shorter(probe);
    }
}

static void note_fits(struct probe *probe)
{
    probe->fits = probe->seconds;
    probe->seen_held = probe->held;
    if (probe->refused)
        search(probe);
    else
        conclude(probe, PROBE_OK, NULL);
}

/* What the profile itself refuses although the other way let it pass has to be asked itself. */
static void note_too_long(struct probe *probe)
{
    if (probe->held && probe->refused && probe->seconds <= probe->fits) {
        probe->must_hold = true;
        probe->fits = 0;
    }
    probe->refused = probe->seconds;
    search(probe);
}

static void wait_for_endpoint(struct probe *probe, const struct error *problem)
{
    if (!probe->waiting_was_told) {
        struct error told = *problem;
        size_t used = strlen(told.text);
        snprintf(told.text + used, sizeof told.text - used, "; profiles are tried when it can be");
        struct probe_finding finding = {
            .app = probe->setup.app, .entry = probe->entries[probe->at], PROBE_FAILED, 0, &told};
        probe->setup.found(probe->setup.arg, &finding);
    }
    probe->waiting_was_told = true;
    loop_timer_set(probe->timer, clock_mono_ms() + again_ms);
}

static bool says(const struct http_result *result, const char *words)
{
    return strstr(result->body.data, words) != NULL;
}

/* Go's own refusal of what makes no sense is the proof that the profile is there. */
static bool is_there(const struct probe *probe, const struct http_result *result)
{
    bool came = result->status >= 200 && result->status <= 299;
    bool whole = result->outcome == HTTP_ANSWERED || result->outcome == HTTP_TOO_LARGE;
    if (came)
        return whole && !profiler_is_page(result);
    return !probe->held && result->status == 400 && http_header(result, "X-Go-Pprof") &&
           !says(result, "not supported");
}

static bool is_busy(const struct http_result *result)
{
    return result->status == 500 && says(result, "already in use");
}

static void leave_out(struct probe *probe)
{
    struct error why;
    error_set(&why, "the app does not have it (404): it is left out of incidents");
    conclude(probe, PROBE_LEFT_OUT, &why);
}

static void note_problem(struct probe *probe, const struct http_result *result)
{
    const struct capture_entry *entry = probe->entries[probe->at];
    if (probe->refused) { /* in the search by another profile, which is not to be had */
        bool led_there = probe->held || !is_held(entry);
        probe->must_hold = true;
        if (!led_there) {
            search(probe);
            return;
        }
    }
    struct profiler_lesson lesson;
    profiler_learn(result, entry, probe->seconds, 0, &lesson);
    probe->strangers += result->status == 404 && !http_header(result, "X-Go-Pprof");
    if (result->outcome == HTTP_UNREACHED && probe->setup.patient)
        wait_for_endpoint(probe, &lesson.why);
    else if (result->status == 404 && entry->optional)
        leave_out(probe);
    else
        conclude(probe, PROBE_FAILED, &lesson.why);
}

static void on_answer(void *arg, const struct http_result *result)
{
    struct probe *probe = arg;
    probe->request = NULL;
    loop_timer_unset(probe->timer);
    endpoint_note(probe->setup.endpoint, result);
    bool cpu = !strcmp(probe->entries[probe->at]->profile, "cpu");
    bool ours = probe->setup.recorded && cpu;
    if (result->status == 400 && says(result, "WriteTimeout")) {
        note_too_long(probe);
    } else if (is_there(probe, result) || (is_busy(result) && ours)) {
        note_fits(probe);
    } else if (is_busy(result) && probe->busy++ < most_busy) {
        probe->free_ms = clock_mono_ms() + pause_ms;
        ask_for(probe, probe->seconds, probe->held);
    } else {
        note_problem(probe, result);
    }
}

/* What Go refuses at once. A length is searched for at the heap profile's, as the WriteTimeout is
 * the whole server's. */
static char *free_url(const struct probe *probe)
{
    static char heap[] = "heap";
    static const struct capture_entry other = {.profile = heap};
    const struct capture_entry *entry = probe->entries[probe->at];
    char *url = profiler_url(probe->setup.app, is_held(entry) ? &other : entry, probe->seconds);
    char *asked = xasprintf(
        "%s%s%s", url, strchr(url, '?') ? "&" : "?", probe->seconds ? "debug=1" : "seconds=0");
    free(url);
    return asked;
}

static void ask(struct probe *probe)
{
    const struct capture_entry *entry = probe->entries[probe->at];
    probe->sent_ms = 0;
    char *url = probe->held ? profiler_url(probe->setup.app, entry, probe->seconds)
                            : free_url(probe);
    char **headers = profiler_headers(probe->setup.app);
    struct http_options options = {
        .url = url,
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
    free(url);
    if (probe->held)
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
    probe->free_ms = now_ms + pause_ms;
    note_fits(probe);
}

static void finish(struct probe *probe)
{
    struct error problem;
    bool nobody = probe->count && probe->strangers == probe->count;
    bool common = probe->kept_count > 1;
    char *url = http_public_url(probe->setup.app->debug);
    if (common)
        problem = probe->kept[0].why;
    if (nobody)
        error_set(&problem,
            "something answers at %s, but nothing there is Go's profiler (404 to every profile): "
            "are the port and the path of app.debug the app's, and does it serve net/http/pprof?",
            url);
    free(url);
    struct probe_summary summary = {.app = probe->setup.app,
        .available = probe->available,
        .tried = probe->count - probe->left_out,
        .problem = nobody || common ? &problem : NULL};
    tell_kept(probe, common);
    probe->setup.done(probe->setup.arg, &summary);
}

static void on_timer(void *arg)
{
    struct probe *probe = arg;
    if (probe->request)
        look_whether_it_records(probe);
    else if (probe->at == probe->count)
        finish(probe);
    else if (probe->held && clock_mono_ms() < probe->free_ms)
        loop_timer_set(probe->timer, probe->free_ms);
    else
        ask(probe);
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
    begin_entry(probe);
    loop_timer_set(probe->timer, clock_mono_ms());
    return probe;
}

void probe_stop(struct probe *probe)
{
    if (!probe)
        return;
    http_cancel(probe->request);
    loop_timer_free(probe->timer);
    free(probe->entries);
    free(probe->kept);
    free(probe);
}

char *probe_describe(const struct app_config *app, const struct capture_entry *entry)
{
    return entry->seconds ? xasprintf("app %s, profile %s of %lld s", app->name, entry->profile,
                                (long long)entry->seconds)
                          : xasprintf("app %s, profile %s", app->name, entry->profile);
}
