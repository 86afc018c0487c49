#include "agent/apps/preflight.h"

#include "agent/capture/endpoint.h"
#include "agent/capture/recorder.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"

#include <stdint.h>
#include <stdlib.h>

/* A connection that was lost may have been the app's end. Where something else cuts connections,
 * the app's profiles are not tried over and over. */
static const int64_t after_loss_ms = 60000;

/* One app's. */
struct trial {
    struct preflight *preflight;
    struct probe *probe; /* NULL: none is running */
    bool wanted, held;   /* a probe is due; the recorder is held for it */
    unsigned losses;     /* of the endpoint's that are looked after */
    int64_t begun_ms;    /* INT64_MIN: never */
    struct preflight_finding *findings;
    size_t count;
    struct error problem; /* "": none */
};

struct preflight {
    struct preflight_setup setup;
    struct trial *trials;
    bool stopped;
};

struct preflight *preflight_open(const struct preflight_setup *setup)
{
    struct preflight *preflight = xcalloc(1, sizeof *preflight);
    preflight->setup = *setup;
    preflight->trials = xcalloc(setup->config->app_count, sizeof *preflight->trials);
    for (size_t i = 0; i < setup->config->app_count; i++)
        preflight->trials[i] = (struct trial){
            .preflight = preflight, .wanted = true, .held = true, .begun_ms = INT64_MIN};
    return preflight;
}

static void forget_findings(struct trial *trial)
{
    for (size_t i = 0; i < trial->count; i++)
        free(trial->findings[i].profile);
    free(trial->findings);
    trial->findings = NULL;
    trial->count = 0;
    trial->problem.text[0] = '\0';
}

static size_t index_of(const struct trial *trial)
{
    return (size_t)(trial - trial->preflight->trials);
}

/* Ends a probe and lets the recorder go on. */
static void end(struct trial *trial)
{
    probe_stop(trial->probe);
    trial->probe = NULL;
    trial->held = false;
    recorder_release(trial->preflight->setup.recorder, index_of(trial));
}

/* Without the app's name, which `status` has beside it. */
static char *describe(const struct capture_entry *entry)
{
    return entry->seconds
               ? xasprintf("profile %s of %lld s", entry->profile, (long long)entry->seconds)
               : xasprintf("profile %s", entry->profile);
}

static void on_found(void *arg, const struct probe_finding *found)
{
    struct trial *trial = arg;
    char *part = probe_describe(found->app, found->entry);
    if (found->why && !found->common)
        log_write(found->verdict == PROBE_LEFT_OUT ? LOG_INFO : LOG_WARN, "%s: %s", part,
            found->why->text);
    else if (!found->why)
        log_debug("%s: ok", part);
    free(part);
    trial->findings = xrealloc(trial->findings, trial->count + 1, sizeof *trial->findings);
    struct preflight_finding *finding = &trial->findings[trial->count++];
    *finding = (struct preflight_finding){
        .profile = describe(found->entry), .verdict = found->verdict, .seconds = found->seconds};
    if (found->why)
        finding->why = *found->why;
}

static void on_done(void *arg, const struct probe_summary *summary)
{
    struct trial *trial = arg;
    if (summary->problem) {
        trial->problem = *summary->problem;
        log_warn("app %s: %s", summary->app->name, summary->problem->text);
    }
    log_info("app %s: %zu of %zu profile%s can be had", summary->app->name, summary->available,
        summary->tried, summary->tried == 1 ? "" : "s");
    trial->losses = endpoint_losses(trial->preflight->setup.endpoints[index_of(trial)]);
    end(trial);
}

static void begin(struct trial *trial)
{
    const struct preflight_setup *setup = &trial->preflight->setup;
    size_t app = index_of(trial);
    if (!trial->held)
        recorder_hold(setup->recorder, app);
    trial->held = true;
    trial->wanted = false;
    trial->begun_ms = clock_mono_ms();
    forget_findings(trial);
    struct probe_setup probe = {.loop = setup->loop,
        .config = setup->config,
        .app = &setup->config->apps[app],
        .endpoint = setup->endpoints[app],
        .patient = true,
        .found = on_found,
        .done = on_done,
        .arg = trial};
    trial->probe = probe_start(&probe);
}

static void look_for_losses(struct trial *trial)
{
    unsigned losses = endpoint_losses(trial->preflight->setup.endpoints[index_of(trial)]);
    int64_t now_ms = clock_mono_ms();
    if (trial->wanted || trial->probe || losses == trial->losses ||
        (trial->begun_ms != INT64_MIN && now_ms < trial->begun_ms + after_loss_ms))
        return;
    log_info("app %s: its debug endpoint has ended a connection: its profiles are tried again",
        trial->preflight->setup.config->apps[index_of(trial)].name);
    trial->losses = losses;
    trial->wanted = true;
}

void preflight_update(struct preflight *preflight)
{
    const struct preflight_setup *setup = &preflight->setup;
    for (size_t i = 0; !preflight->stopped && i < setup->config->app_count; i++) {
        struct trial *trial = &preflight->trials[i];
        look_for_losses(trial);
        if (trial->wanted && !trial->probe && !setup->busy(setup->arg, i))
            begin(trial);
    }
}

void preflight_repeat(struct preflight *preflight, size_t app)
{
    struct trial *trial = &preflight->trials[app];
    endpoint_forget(preflight->setup.endpoints[app]);
    trial->losses = endpoint_losses(preflight->setup.endpoints[app]);
    preflight_clear_way(preflight, app);
    trial->wanted = true;
}

void preflight_clear_way(struct preflight *preflight, size_t app)
{
    struct trial *trial = &preflight->trials[app];
    if (!trial->probe)
        return;
    trial->wanted = true;
    end(trial);
}

bool preflight_is_running(const struct preflight *preflight, size_t app)
{
    return preflight->trials[app].probe != NULL;
}

void preflight_stop(struct preflight *preflight)
{
    if (!preflight)
        return;
    preflight->stopped = true;
    for (size_t i = 0; i < preflight->setup.config->app_count; i++)
        preflight_clear_way(preflight, i);
}

void preflight_close(struct preflight *preflight)
{
    if (!preflight)
        return;
    for (size_t i = 0; i < preflight->setup.config->app_count; i++) {
        probe_stop(preflight->trials[i].probe);
        forget_findings(&preflight->trials[i]);
    }
    free(preflight->trials);
    free(preflight);
}

size_t preflight_findings(
    const struct preflight *preflight, size_t app, const struct preflight_finding **findings)
{
    *findings = preflight->trials[app].findings;
    return preflight->trials[app].count;
}

const char *preflight_problem(const struct preflight *preflight, size_t app)
{
    const char *text = preflight->trials[app].problem.text;
    return text[0] ? text : NULL;
}
