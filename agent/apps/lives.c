#include "agent/apps/lives.h"

#include "agent/agent_parts.h"
#include "agent/apps/preflight.h"
#include "agent/capture/endpoint.h"
#include "agent/capture/recorder.h"
#include "agent/sampling/sampler.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"
#include "sources/source.h"

#include <stdio.h>
#include <stdlib.h>

/* From a connection that was lost to the source's word: ECS is asked every 2 s at most. */
static const int64_t doubt_ms = 5000;

struct watched {
    struct app_life life;
    unsigned losses; /* the endpoint's that were seen */
    int64_t lost_ms; /* when the newest of them was; 0: none */
};

struct lives {
    struct agent *agent;
    struct watched *apps; /* by app */
};

struct lives *lives_open(struct agent *agent)
{
    struct lives *lives = xcalloc(1, sizeof *lives);
    lives->agent = agent;
    lives_reload(lives);
    return lives;
}

void lives_close(struct lives *lives)
{
    if (lives)
        free(lives->apps);
    free(lives);
}

void lives_reload(struct lives *lives)
{
    free(lives->apps);
    lives->apps = xcalloc(lives->agent->config->app_count, sizeof *lives->apps);
}

static void log_end(const char *app, const struct app_end *end)
{
    char status[40] = "";
    if (end->exit_code >= 0)
        snprintf(status, sizeof status, ", exit status %lld", (long long)end->exit_code);
    log_warn("app %s: it has ended%s%s", app, end->oom_killed ? ": killed for want of memory" : "",
        status);
}

static void react(const struct lives *lives, size_t app, unsigned changes)
{
    const struct agent *agent = lives->agent;
    const struct app_end *end = &lives->apps[app].life.end;
    const char *name = agent->config->apps[app].name;
    if (changes & (APP_LIFE_ENDED | APP_LIFE_TOLD))
        log_end(name, end);
    if (!(changes & APP_LIFE_RESTARTED))
        return;
    log_info("app %s: it was started anew%s", name,
        agent->once ? "" : ", and its profiles are tried again");
    recorder_cut(agent->recorder, app, end->time_ms);
    if (!agent->once)
        preflight_repeat(agent->preflight, app);
}

void lives_update(struct lives *lives)
{
    const struct agent *agent = lives->agent;
    int64_t now_ms = clock_mono_ms();
    for (size_t i = 0; i < agent->config->app_count; i++) {
        struct watched *app = &lives->apps[i];
        const struct endpoint *endpoint = agent->endpoints[i];
        struct source_life source = {0};
        if (endpoint_losses(endpoint) != app->losses) {
            app->losses = endpoint_losses(endpoint);
            app->lost_ms = now_ms;
            sampler_look_again(agent->sampler);
        }
        sampler_life(agent->sampler, i, &source);
        react(lives, i, app_life_update(&app->life, &source, endpoint_is_gone(endpoint), now_ms));
    }
}

bool lives_end(const struct lives *lives, size_t app, const struct app_end **end)
{
    const struct watched *watched = &lives->apps[app];
    *end = &watched->life.end;
    return watched->lost_ms && (*end)->time_ms < watched->lost_ms - doubt_ms &&
           clock_mono_ms() < watched->lost_ms + doubt_ms;
}
