#include "agent/capture/fetch.h"

#include "agent/capture/endpoint.h"
#include "agent/capture/landing.h"
#include "agent/capture/profile_check.h"
#include "agent/capture/profile_settle.h"
#include "agent/capture/profiler.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/http.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the end of a profile to its last byte: Go needs 0.1 to 0.2 s, a busy one with many symbols
 * more. */
static const int64_t slack_ms = 15000;
static const int64_t half_close_retry_ms = 100;
static const int64_t cooler_ms = 500; /* how often it is looked whether the app is cooler */
/* A profiler that is in use may be so by what has just been dropped for this request. */
static const int64_t first_busy_ms = 100;
static const int64_t moment_ms = 30000; /* for a profile without `seconds` */

struct fetch {
    struct fetch_setup setup;
    struct http_request *request;
    struct loop_timer *timer; /* the next try, or the end */
    struct landing landing;
    char *title;            /* for the log: "incident <id>: profile cpu" */
    enum profile_form form; /* that is wanted */
    bool write_failed;
    bool finishing, half_closed;
    bool last_try;                 /* there is no other */
    bool held_off;                 /* it was said that it waits until the app is cooler */
    bool early;                    /* half-closed, as the spike was over */
    int64_t finish_by_ms;          /* once finishing */
    int64_t enough_ms;             /* that it has to record; INT64_MAX: all that it asks for */
    int64_t requested_ms;          /* the newest request */
    int64_t seconds;               /* to ask for; 0: none */
    int64_t deadline_ms;           /* no new request after it */
    struct profiler_lesson lesson; /* of the last request that failed */
    struct error said;             /* why it was tried again */
    struct profile_facts facts;
    bool refused;        /* a longer one was, by the app's WriteTimeout */
    int64_t busy_ms;     /* what was waited last for somebody else's profile */
    bool checking;       /* the disk thread has it */
    bool answered_whole; /* the transport saw a whole answer */
};

/* What is told of every profile; of passing ones only to who wants to know all. */
static enum log_level level(const struct fetch *fetch)
{
    return fetch->setup.passing ? LOG_DEBUG : LOG_INFO;
}

static void conclude(struct fetch *fetch, enum profile_status status, const char *why)
{
    struct incident_profile *profile = fetch->setup.profile;
    profile->status = status;
    profile->error = why ? xstrdup(why) : NULL;
    if (status == PROFILE_FAILED || status == PROFILE_LEFT_OUT) {
        free(profile->file);
        profile->file = NULL;
        landing_remove(&fetch->landing);
    }
    if (status == PROFILE_FAILED && !fetch->setup.passing)
        log_warn("%s failed: %s", fetch->title, why);
    else if (status == PROFILE_LEFT_OUT)
        log_write(level(fetch), "%s is left out: the app does not have it", fetch->title);
    else if (status != PROFILE_FAILED)
        log_write(level(fetch), "%s finished: %llu bytes%s%s", fetch->title,
            (unsigned long long)profile->bytes, why ? ", " : "", why ? why : "");
    fetch->setup.done(fetch->setup.arg);
}

static void send_request(struct fetch *fetch);

/* Ends the recording of a CPU profile. Before the request is on the wire that cannot be: false. */
static bool half_close(struct fetch *fetch, const char *why)
{
    if (http_half_close(fetch->request) < 0)
        return false;
    fetch->half_closed = true;
    log_write(level(fetch), "%s is ended early and kept%s%s", fetch->title, why ? ": " : "",
        why ? why : "");
    return true;
}

static void drop_request(struct fetch *fetch)
{
    http_cancel(fetch->request);
    fetch->request = NULL;
    landing_close(&fetch->landing);
}

/* Has Go end a CPU profile and send what it has. Before the request is on the wire that cannot be,
 * so it is tried again shortly. */
static void end_recording(struct fetch *fetch)
{
    int64_t now_ms = clock_mono_ms();
    if (now_ms >= fetch->finish_by_ms) {
        drop_request(fetch);
        conclude(fetch, PROFILE_FAILED, "the agent was stopped before the profile was whole");
        return;
    }
    int64_t next_ms = fetch->finish_by_ms;
    bool again = config_entry_is_cpu(fetch->setup.entry) && !fetch->half_closed &&
                 !half_close(fetch, NULL);
    if (again && next_ms > now_ms + half_close_retry_ms)
        next_ms = now_ms + half_close_retry_ms;
    loop_timer_set(fetch->timer, next_ms);
}

/* Why a running profile cannot be ended early, or NULL. */
static const char *cannot_end_early(const struct fetch *fetch)
{
    if (!http_can_half_close(fetch->request))
        return "over TLS it cannot be ended early";
    if (!endpoint_keeps_half_closed(fetch->setup.endpoint))
        return "one that was ended early got no answer (is a proxy in between?)";
    return NULL;
}

/* Enough of a profile is recorded, which is not at its end by itself yet. */
static void end_early(struct fetch *fetch)
{
    const char *obstacle = cannot_end_early(fetch);
    int64_t now_ms = clock_mono_ms(), recorded_ms = now_ms - fetch->requested_ms;
    char why[100];
    if (fetch->half_closed || recorded_ms >= fetch->seconds * 1000)
        return;
    snprintf(why, sizeof why, "the spike is over, and %.1f of %lld s are recorded",
        (double)recorded_ms / 1000, (long long)fetch->seconds);
    if (obstacle)
        log_write(
            level(fetch), "%s takes its full length, though %s: %s", fetch->title, why, obstacle);
    else if (half_close(fetch, why))
        fetch->early = true;
    else
        loop_timer_set(fetch->timer, now_ms + half_close_retry_ms);
}

static void wait_for_enough(struct fetch *fetch)
{
    if (fetch->finishing || fetch->half_closed)
        return;
    if (fetch->enough_ms / 1000 < fetch->seconds)
        loop_timer_set(fetch->timer, fetch->requested_ms + fetch->enough_ms);
    else
        loop_timer_unset(fetch->timer);
}

/* The timer: the next try, or the end. */
static void wake(void *arg)
{
    struct fetch *fetch = arg;
    if (fetch->request)
        (fetch->finishing ? end_recording : end_early)(fetch);
    else if (clock_mono_ms() > fetch->deadline_ms)
        conclude(fetch, PROFILE_FAILED, fetch->lesson.why.text);
    else
        send_request(fetch);
}

static void wait_while_busy(struct fetch *fetch)
{
    struct profiler_lesson *lesson = &fetch->lesson;
    fetch->busy_ms = fetch->busy_ms ? 2 * fetch->busy_ms : first_busy_ms;
    if (lesson->busy && fetch->busy_ms < lesson->wait_ms)
        lesson->wait_ms = fetch->busy_ms;
}

static void act_on_lesson(struct fetch *fetch)
{
    wait_while_busy(fetch);
    const struct profiler_lesson *lesson = &fetch->lesson;
    const char *why = lesson->why.text;
    int64_t next_ms = clock_mono_ms() + lesson->wait_ms;
    bool again = lesson->advice != PROFILER_GIVE_UP && !fetch->finishing && !fetch->last_try &&
                 next_ms <= fetch->deadline_ms;
    if (!again) {
        conclude(fetch, PROFILE_FAILED, why);
        return;
    }
    bool said = !strcmp(fetch->said.text, why);
    fetch->said = lesson->why;
    if (lesson->advice == PROFILER_SHORTER) {
        fetch->refused = true;
        fetch->seconds = lesson->seconds;
        log_write(level(fetch), "%s retried with %lld s: %s", fetch->title,
            (long long)fetch->seconds, why);
    } else if (!said) {
        log_write(level(fetch), "%s retried %s %.3g s: %s", fetch->title,
            lesson->busy ? "in" : "every", (double)lesson->wait_ms / 1000, why);
    }
    loop_timer_set(fetch->timer, next_ms);
}

/* On the disk thread: what came is made durable and looked at. */
static void check(void *arg)
{
    struct fetch *fetch = arg;
    struct landing *landing = &fetch->landing;
    if (fetch->setup.passing)
        landing_close(landing);
    else if (landing_sync(landing) < 0)
        fetch->write_failed = true;
    /* In memory there is no room for another copy: a plain profile stays plain, which readers see.
     */
    int (*look)(const char *, enum profile_form, struct profile_facts *,
        struct error *) = landing->memory ? profile_check_file : profile_settle_file;
    struct error err = {0};
    memset(&fetch->facts, 0, sizeof fetch->facts);
    if (fetch->write_failed || look(landing_content(landing), fetch->form, &fetch->facts, &err) < 0)
        fetch->write_failed = true;
    if (fetch->write_failed || fetch->facts.soundness == PROFILE_FOREIGN)
        return;
    char *file = profile_file_name(fetch->setup.profile->name, fetch->facts.form);
    if (landing_keep(landing, file) < 0)
        fetch->write_failed = true;
    free(file);
}

/* As far as the agent can tell: an endpoint may do without its half-closed client and go on. */
static double recorded_s(const struct fetch *fetch)
{
    const struct incident_profile *profile = fetch->setup.profile;
    double took_s = (double)(profile->finished_ms - profile->requested_ms) / 1000;
    return fetch->half_closed ? fmin(took_s, (double)fetch->seconds) : (double)fetch->seconds;
}

static void note_facts(struct fetch *fetch)
{
    struct incident_profile *profile = fetch->setup.profile;
    free(profile->file);
    profile->file = profile_file_name(profile->name, fetch->facts.form);
    profile->bytes = fetch->facts.bytes;
    memcpy(profile->sha256, fetch->facts.sha256, sizeof profile->sha256);
    if (fetch->facts.duration_ns > 0)
        profile->seconds = (double)fetch->facts.duration_ns / 1e9;
    else if (fetch->seconds > 0)
        profile->seconds = recorded_s(fetch);
    if (fetch->early && profile->seconds < (double)fetch->seconds - 0.2)
        profile->ended_early = true;
}

static void checked(void *arg)
{
    struct fetch *fetch = arg;
    const struct profile_facts *facts = &fetch->facts;
    if (fetch->write_failed) {
        struct error problem;
        landing_problem(&fetch->landing, &problem);
        conclude(fetch, PROFILE_FAILED, problem.text);
        return;
    }
    if (facts->soundness == PROFILE_FOREIGN) {
        char why[256];
        snprintf(why, sizeof why, "what the endpoint sent is no profile: %s; check app.debug",
            facts->why);
        conclude(fetch, PROFILE_FAILED, why);
        return;
    }
    note_facts(fetch);
    landing_hand_over(&fetch->landing);
    if (facts->soundness == PROFILE_WHOLE && fetch->answered_whole)
        conclude(fetch, PROFILE_OK, NULL);
    else
        conclude(fetch, PROFILE_TRUNCATED,
            fetch->lesson.why.text[0] ? fetch->lesson.why.text : "the answer ended in the middle");
}

static int on_data(void *arg, const void *data, size_t size)
{
    struct fetch *fetch = arg;
    fetch->write_failed = landing_write(&fetch->landing, data, size) < 0;
    return fetch->write_failed ? -1 : 0;
}

/* The profile is lost: a short one of the calm is little, but more than none. */
static void note_no_answer(struct fetch *fetch)
{
    endpoint_drops_half_closed(fetch->setup.endpoint);
    fetch->lesson = (struct profiler_lesson){.advice = PROFILER_AGAIN, .wait_ms = 1000};
    error_set(&fetch->lesson.why, "the endpoint gave no answer when the profile was ended early (a "
                                  "proxy?); none is any more");
}

static void on_answer(void *arg, const struct http_result *result)
{
    struct fetch *fetch = arg;
    struct incident_profile *profile = fetch->setup.profile;
    int64_t now_ms = clock_mono_ms();
    fetch->request = NULL;
    loop_timer_unset(fetch->timer);
    profile->http_status = result->status;
    profile->finished_ms = now_ms + fetch->setup.wall_offset_ms;
    bool profile_came = result->status >= 200 && result->status <= 299;
    bool something = profile_came && result->received > 0;
    fetch->answered_whole = something && result->outcome == HTTP_ANSWERED;
    endpoint_note(fetch->setup.endpoint, result);
    if (result->outcome == HTTP_UNREACHED || result->outcome == HTTP_BROKEN)
        profile->run++;
    if (fetch->answered_whole && fetch->refused)
        endpoint_refuses(fetch->setup.endpoint, fetch->setup.entry->profile, fetch->seconds);
    fetch->lesson.why.text[0] = '\0';
    if (!fetch->answered_whole)
        profiler_learn(result, fetch->setup.entry, fetch->seconds, now_ms - fetch->requested_ms,
            &fetch->lesson);
    if (fetch->early && !something && result->outcome != HTTP_ANSWERED)
        note_no_answer(fetch);
    bool partial = something && result->outcome != HTTP_TOO_LARGE;
    if (fetch->answered_whole || partial || fetch->write_failed) {
        fetch->checking = true;
        offload_submit(fetch->setup.disk, check, checked, fetch);
        if (fetch->setup.answered)
            fetch->setup.answered(fetch->setup.arg);
        return;
    }
    landing_close(&fetch->landing);
    if (result->status == 404 && fetch->setup.entry->optional)
        conclude(fetch, PROFILE_LEFT_OUT, NULL);
    else
        act_on_lesson(fetch);
}

/* Ends it from the loop, so that `done` never comes from within fetch_start. */
static void end_soon(struct fetch *fetch)
{
    fetch->deadline_ms = INT64_MIN;
    loop_timer_set(fetch->timer, 0);
}

/* Another try is for what is wanted yet. */
static void shorten(struct fetch *fetch)
{
    if (fetch->enough_ms / 1000 >= fetch->seconds)
        return;
    fetch->seconds = fetch->enough_ms > 1000 ? (fetch->enough_ms + 999) / 1000 : 1;
    fetch->refused = false; /* that length is not what the app allows */
    fetch->setup.profile->ended_early = true;
}

/* Looks again in a moment. */
static void wait_until_cooler(struct fetch *fetch)
{
    int64_t next_ms = clock_mono_ms() + cooler_ms;
    if (!fetch->held_off)
        log_write(level(fetch), "%s waits: %s", fetch->title, fetch->lesson.why.text);
    fetch->held_off = true;
    if (next_ms > fetch->deadline_ms)
        end_soon(fetch);
    else
        loop_timer_set(fetch->timer, next_ms);
}

static bool is_too_hot(struct fetch *fetch)
{
    char why[HEAT_WHY_SIZE];
    if (!heat_concerns(fetch->setup.entry->profile) ||
        !heat_is_too_hot(&fetch->setup.heat, clock_mono_ms(), why))
        return false;
    error_set(&fetch->lesson.why, "%s", why);
    return true;
}

static void send_request(struct fetch *fetch)
{
    if (is_too_hot(fetch)) {
        wait_until_cooler(fetch);
        return;
    }
    const struct fetch_setup *setup = &fetch->setup;
    struct incident_profile *profile = setup->profile;
    shorten(fetch);
    if (landing_begin(&fetch->landing) < 0) {
        error_set(&fetch->lesson.why, "cannot write %s: %s", fetch->landing.temporary,
            strerror(fetch->landing.code));
        end_soon(fetch);
        return;
    }
    char *url = profiler_url(setup->app, setup->entry, fetch->seconds);
    char **headers = profiler_headers(setup->app);
    int64_t recording_ms = fetch->seconds * 1000;
    struct http_options options = {
        .url = url,
        .headers = (const char *const *)headers,
        .upload_fd = -1,
        .own_connection = true,
        .timeout_ms = fetch->seconds ? recording_ms + slack_ms : moment_ms,
        .max_answer_bytes = setup->max_bytes,
        .on_data = on_data,
        .done = on_answer,
        .arg = fetch,
    };
    int64_t now_ms = clock_mono_ms();
    fetch->half_closed = fetch->early = false;
    profile->attempts++;
    fetch->requested_ms = now_ms;
    profile->requested_ms = now_ms + setup->wall_offset_ms;
    free(profile->url);
    profile->url = http_public_url(url);
    if (profile->attempts == 1)
        log_write(level(fetch), "%s started: %s", fetch->title, profile->url);
    fetch->request = http_start(setup->loop, &options);
    profiler_free_headers(headers);
    free(url);
    wait_for_enough(fetch);
}

struct fetch *fetch_start(const struct fetch_setup *setup)
{
    struct fetch *fetch = xcalloc(1, sizeof *fetch);
    fetch->setup = *setup;
    fetch->seconds = endpoint_seconds(
        setup->endpoint, setup->entry->profile, setup->entry->seconds);
    fetch->enough_ms = setup->enough_ms ? setup->enough_ms : INT64_MAX;
    fetch->deadline_ms = setup->give_up_ms;
    fetch->timer = loop_timer_new(setup->loop, wake, fetch);
    fetch->form = setup->entry->path ? PROFILE_FORM_ANY : profile_form_of(setup->entry->profile);
    setup->profile->file = profile_file_name(setup->profile->name, fetch->form);
    setup->profile->seconds = NAN;
    landing_init(&fetch->landing, setup->reserve, setup->folder, setup->profile->file);
    fetch->title = setup->incident
                       ? xasprintf("incident %s: profile %s", setup->incident, setup->profile->name)
                       : xasprintf("profile %s", setup->profile->name);
    send_request(fetch);
    return fetch;
}

void fetch_finish(struct fetch *fetch, int64_t deadline_ms)
{
    fetch->finishing = true;
    if (fetch->setup.profile->status != PROFILE_PENDING)
        return;
    fetch->finish_by_ms = deadline_ms;
    if (fetch->request) {
        loop_timer_set(fetch->timer, 0);
    } else if (!fetch->checking) {
        end_soon(fetch);
    }
}

void fetch_end_early(struct fetch *fetch, int64_t enough_ms)
{
    fetch->enough_ms = enough_ms;
    if (fetch->request)
        wait_for_enough(fetch);
}

void fetch_give_up(struct fetch *fetch, const char *why)
{
    fetch->last_try = true;
    if (fetch->setup.profile->status != PROFILE_PENDING || fetch->request || fetch->checking)
        return;
    struct error before = fetch->lesson.why;
    error_set(&fetch->lesson.why, "%s%s%s", before.text,
        before.text[0] ? "; there is no other try, as " : "", why);
    end_soon(fetch);
}

int64_t fetch_seconds(const struct fetch *fetch)
{
    return fetch->seconds;
}

void fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return;
    drop_request(fetch);
    loop_timer_free(fetch->timer);
    landing_free(&fetch->landing);
    free(fetch->title);
    free(fetch);
}
