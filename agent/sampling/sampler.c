#include "agent/sampling/sampler.h"

#include "agent/kinds.h"
#include "agent/sampling/auto_source.h"
#include "agent/sampling/rds.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/log.h"
#include "core/series.h"
#include "sources/prometheus/prometheus.h"
#include "sources/tcp/tcp.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    struct sampler *sampler;
    const struct source_kind *kind;
    void *source; /* NULL: it cannot be opened, for the reason in `unopened` */
    struct error unopened;
    struct error error; /* "" while it works */
    bool measured;      /* has pushed a sample */
    bool described;
};

enum { MAX_SOURCES = 4 }; /* one for the apps, two for the databases, one for own metrics */

static const char *slot_name(const struct slot *slot)
{
    return slot->kind == &source_auto ? auto_source_name(slot->source) : slot->kind->kind.name;
}

struct sampler {
    struct slot slots[MAX_SOURCES];
    size_t count;
    struct source_app *apps;
    size_t app_count;
    char **prefixes, **containers;
    struct tcp_database *databases;
    struct tcp_options tcp;
    struct rds_polled *rds; /* NULL: nothing of it is polled */
    const struct series_set *series;
    void (*sampled)(void *arg);
    void *arg;
    bool quiet;
};

static void on_sampled(void *arg)
{
    struct slot *slot = arg;
    slot->measured = true;
    slot->sampler->sampled(slot->sampler->arg);
}

/* A source that was not asked for by name may be missing: captures by hand work without it. */
static int open_slot(struct sampler *sampler, const struct source_kind *kind,
    const struct source_setup *setup, bool required, struct error *err)
{
    struct slot *slot = &sampler->slots[sampler->count];
    struct source_setup own = *setup;
    own.sampled = on_sampled;
    own.arg = slot;
    slot->sampler = sampler;
    slot->kind = kind;
    slot->source = kind->open(&own, &slot->unopened);
    if (!slot->source && required) {
        *err = slot->unopened;
        return error_prefix(err, "source %s", kind->kind.name);
    }
    sampler->count++;
    return 0;
}

static int sample_slot(struct slot *slot, int64_t now_ms, struct error *err)
{
    if (!slot->source) {
        *err = slot->unopened;
        return -1;
    }
    uint64_t before = slot->measured ? 0 : series_set_pushed(slot->sampler->series);
    int status = slot->kind->sample(slot->source, now_ms, err);
    slot->measured = slot->measured || series_set_pushed(slot->sampler->series) > before;
    return status;
}

static char *copy_of(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* It may outlive the configuration. */
static void describe_apps(struct sampler *sampler, const struct config *config)
{
    sampler->app_count = config->app_count;
    sampler->apps = xcalloc(config->app_count, sizeof *sampler->apps);
    sampler->prefixes = xcalloc(config->app_count, sizeof *sampler->prefixes);
    sampler->containers = xcalloc(config->app_count, sizeof *sampler->containers);
    for (size_t i = 0; i < config->app_count; i++) {
        sampler->prefixes[i] = config->single_app ? xstrdup("")
                                                  : xasprintf("%s.", config->apps[i].name);
        sampler->containers[i] = copy_of(config->apps[i].container);
        sampler->apps[i] = (struct source_app){sampler->prefixes[i], sampler->containers[i]};
    }
}

static void describe_databases(struct sampler *sampler, const struct config *config)
{
    sampler->databases = xcalloc(config->database_count, sizeof *sampler->databases);
    for (size_t i = 0; i < config->database_count; i++)
        sampler->databases[i] = (struct tcp_database){
            copy_of(config->databases[i].name), copy_of(config->databases[i].endpoint)};
    sampler->tcp.databases = sampler->databases;
    sampler->tcp.count = config->database_count;
}

/* They copy what they need of it. */
static int open_own_metrics(struct sampler *sampler, const struct config *config,
    const struct source_setup *setup, struct error *err)
{
    if (!config->series_count)
        return 0;
    struct prometheus_metric *own = xcalloc(config->series_count, sizeof *own);
    for (size_t i = 0; i < config->series_count; i++) {
        const struct series_config *series = &config->series[i];
        own[i] = (struct prometheus_metric){.name = series->name,
            .url = series->prometheus,
            .series = series->series,
            .rate = series->rate,
            .headers = series->headers,
            .ca_file = series->ca_file};
    }
    struct prometheus_options options = {own, config->series_count};
    struct source_setup with_them = *setup;
    with_them.options = &options;
    int status = open_slot(sampler, &source_prometheus, &with_them, true, err);
    free(own);
    return status;
}

struct sampler *sampler_open(const struct sampler_setup *setup, struct error *err)
{
    const struct config *config = setup->config;
    struct sampler *sampler = xcalloc(1, sizeof *sampler);
    sampler->quiet = setup->quiet;
    sampler->series = setup->series;
    sampler->sampled = setup->sampled;
    sampler->arg = setup->arg;
    sampler->tcp.own = setup->own_ports;
    describe_apps(sampler, config);
    describe_databases(sampler, config);
    struct source_setup source = {
        .loop = setup->loop,
        .names = setup->names,
        .series = setup->series,
        .root = "/",
        .apps = sampler->apps,
        .app_count = sampler->app_count,
        .interval_ms = config->interval_ms,
    };
    source.options = config->source > 0 ? NULL : source_kinds;
    int status = open_slot(sampler,
        config->source > 0 ? source_kinds[config->source - 1] : &source_auto, &source,
        config->source > 0, err);
    source.options = &sampler->tcp;
    if (status == 0 && config->database_count)
        status = open_slot(sampler, &source_tcp, &source, true, err);
    sampler->rds = setup->quiet ? NULL : rds_polled_new(config); /* who is quiet has no triggers */
    if (status == 0 && sampler->rds) {
        source.options = rds_polled_options(sampler->rds);
        status = open_slot(sampler, &source_cloudwatch, &source, true, err);
    }
    if (status == 0)
        status = open_own_metrics(sampler, config, &source, err);
    if (status == 0)
        return sampler;
    sampler_close(sampler);
    return NULL;
}

void sampler_close(struct sampler *sampler)
{
    if (!sampler)
        return;
    for (size_t i = 0; i < sampler->count; i++)
        if (sampler->slots[i].source)
            sampler->slots[i].kind->close(sampler->slots[i].source);
    for (size_t i = 0; i < sampler->app_count; i++) {
        free(sampler->prefixes[i]);
        free(sampler->containers[i]);
    }
    for (size_t i = 0; i < sampler->tcp.count; i++) {
        free((char *)sampler->databases[i].name);
        free((char *)sampler->databases[i].endpoint);
    }
    rds_polled_free(sampler->rds);
    free(sampler->prefixes);
    free(sampler->containers);
    free(sampler->apps);
    free(sampler->databases);
    free(sampler);
}

static void say(void *arg, const char *sentence)
{
    const struct slot *slot = arg;
    log_info("source %s: %s", slot_name(slot), sentence);
}

/* A source whose answers come later knows only then what it measures. */
static void describe(const struct sampler *sampler, struct slot *slot)
{
    slot->described = true;
    if (!sampler->quiet && slot->kind->describe)
        slot->kind->describe(slot->source, say, slot);
}

void sampler_tick(struct sampler *sampler, int64_t now_ms)
{
    for (size_t i = 0; i < sampler->count; i++) {
        struct slot *slot = &sampler->slots[i];
        struct error err = {0};
        if (sample_slot(slot, now_ms, &err) < 0) {
            if (!sampler->quiet && strcmp(slot->error.text, err.text) != 0)
                log_warn("source %s: %s; what it cannot measure is a gap until that is mended",
                    slot_name(slot), err.text);
            slot->error = err;
        } else {
            if (!sampler->quiet && slot->error.text[0])
                log_info("source %s works again", slot_name(slot));
            slot->error.text[0] = '\0';
        }
        if (!slot->described && slot->measured)
            describe(sampler, slot);
    }
}

void sampler_identify(struct sampler *sampler, size_t app, struct source_identity *identity)
{
    const struct slot *slot = &sampler->slots[0];
    if (slot->source && slot->kind->identify)
        slot->kind->identify(slot->source, app, identity);
}

void sampler_life(const struct sampler *sampler, size_t app, struct source_life *life)
{
    const struct slot *slot = &sampler->slots[0];
    if (slot->source && slot->kind->life)
        slot->kind->life(slot->source, app, life);
}

void sampler_look_again(const struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->count; i++) {
        const struct slot *slot = &sampler->slots[i];
        if (slot->source && slot->kind->look_again)
            slot->kind->look_again(slot->source);
    }
}

size_t sampler_sources(const struct sampler *sampler)
{
    return sampler->count;
}

const char *sampler_source_name(const struct sampler *sampler, size_t source)
{
    return slot_name(&sampler->slots[source]);
}

const char *sampler_source_why(const struct sampler *sampler, size_t source)
{
    const struct slot *slot = &sampler->slots[source];
    return slot->kind == &source_auto ? auto_source_why(slot->source) : "";
}

bool sampler_source_measured(const struct sampler *sampler, size_t source)
{
    return sampler->slots[source].measured;
}

const char *sampler_source_error(const struct sampler *sampler, size_t source)
{
    const char *text = sampler->slots[source].error.text;
    return text[0] ? text : NULL;
}
