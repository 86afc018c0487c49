/* What is settled in an exporter's store, beside and before the incidents that it is sent. */
#ifndef AGENT_STORAGE_DELIVERY_CLAIMS_H
#define AGENT_STORAGE_DELIVERY_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct claim_result;
struct count_result;
struct delivery;
struct exporter_config;
struct send_result;

/* The exporter that this part of the configuration is; SIZE_MAX: another one has its destination,
 * or there is none. */
size_t delivery_exporter_of(const struct delivery *delivery, const struct exporter_config *config);

/* exporter_kind.claim and count of an exporter whose kind has them. delivery_forget ends them. */
void delivery_claim(struct delivery *delivery, size_t exporter, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg);
void delivery_count(struct delivery *delivery, size_t exporter, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg);

/* Who is asked before an exporter is sent the first file of an incident, until it is there. */
struct delivery_settler {
    /* Whether the exporter may have it as it is. False: delivery_settled comes later, and the
     * exporter is sent nothing until then. */
    bool (*is_ready)(void *arg, size_t exporter, const char *id);
    /* The exporter whose settling changes what incident.json says; SIZE_MAX: none does. The others
     * are sent an incident when it has been settled there, or after patience_ms, as it is then: a
     * store that is down costs the others one such wait, not one an incident. NULL: all are asked
     * is_ready. */
    size_t (*settles)(void *arg);
    int64_t patience_ms;
    void *arg;
};
void delivery_settle_by(struct delivery *delivery, const struct delivery_settler *settler);

/* It may be sent now, or it failed, as if the store had failed to take it. result NULL: neither, it
 * is to be asked again. */
void delivery_settled(struct delivery *delivery, size_t exporter, const struct send_result *result);

#endif
