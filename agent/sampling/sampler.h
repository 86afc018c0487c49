/* The sources of a run: opened, asked at every tick, and what is wrong with one said once a spell.
 */
#ifndef AGENT_SAMPLING_SAMPLER_H
#define AGENT_SAMPLING_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct loop;
struct offload;
struct own_ports;
struct sampler;
struct series_set;
struct source_identity;
struct source_life;

struct sampler_setup {
    struct loop *loop;
    struct offload *names;
    struct series_set *series;
    const struct config *config;
    struct own_ports *own_ports; /* of connections to databases that do not count; NULL: none */
    bool quiet;                  /* says nothing in the log: who asks reads sampler_source_error */
    /* Samples were pushed outside of sampler_tick. */
    void (*sampled)(void *arg);
    void *arg;
};

/* NULL and err when a source can never work. The configuration may end then. */
struct sampler *sampler_open(const struct sampler_setup *setup, struct error *err);
void sampler_close(struct sampler *sampler);

/* One sample of every source, timed now_ms (monotonic). */
void sampler_tick(struct sampler *sampler, int64_t now_ms);

void sampler_identify(struct sampler *sampler, size_t app, struct source_identity *identity);

/* How an app fares; nothing is filled in where its source does not know. */
void sampler_life(const struct sampler *sampler, size_t app, struct source_life *life);

/* An app may have ended: sources look at it soon. */
void sampler_look_again(const struct sampler *sampler);

/* What `status` tells: each source's name and what is wrong with it (NULL: nothing). */
size_t sampler_sources(const struct sampler *sampler);
const char *sampler_source_name(const struct sampler *sampler, size_t source);
const char *sampler_source_why(const struct sampler *sampler, size_t source); /* of auto's; or "" */
const char *sampler_source_error(const struct sampler *sampler, size_t source);

/* Whether the source has brought a sample since it was opened. */
bool sampler_source_measured(const struct sampler *sampler, size_t source);

#endif
