#include "agent/storage/delivery_claims.h"

#include "agent/storage/claiming.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_parts.h"
#include "agent/storage/inquiry.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <string.h>

/* How long one exporter waits for another at the agent's end. */
static const int64_t hurried_patience_ms = 2000;

size_t delivery_exporter_of(const struct delivery *delivery, const struct exporter_config *config)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (delivery->outlets[i]->config == config)
            return i;
    return SIZE_MAX;
}

void delivery_claim(struct delivery *delivery, size_t exporter, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    claiming_claim(delivery->outlets[exporter]->claiming, key, text, done, arg);
}

void delivery_count(struct delivery *delivery, size_t exporter, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg)
{
    claiming_count(delivery->outlets[exporter]->claiming, key, done, arg);
}

void delivery_forget(struct delivery *delivery, size_t exporter, void *arg)
{
    inquiry_forget(delivery->outlets[exporter]->inquiry, arg);
    claiming_forget(delivery->outlets[exporter]->claiming, arg);
}

bool delivery_recall(struct delivery *delivery, size_t exporter, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg)
{
    return inquiry_ask(delivery->outlets[exporter]->inquiry, key, max_bytes, done, arg);
}

void delivery_settle_by(struct delivery *delivery, const struct delivery_settler *settler)
{
    delivery->settler = *settler;
}

static size_t index_of(const struct outlet *outlet)
{
    size_t i = 0;
    while (outlet->delivery->outlets[i] != outlet)
        i++;
    return i;
}

/* Whether it has the incident still to settle. */
static bool is_to_settle(const struct outlet *settling, const char *id)
{
    bool settled = settling->settled && !strcmp(settling->queue[0], id);
    return outlet_has(settling, id) && !settled;
}

/* Whether the head is to wait for another exporter to settle it. */
static bool is_to_wait(struct outlet *outlet, const struct outlet *settling)
{
    struct delivery *delivery = outlet->delivery;
    int64_t now_ms = clock_mono_ms();
    if (!is_to_settle(settling, outlet->queue[0]) || delivery->unsettled ||
        (delivery->hurried && settling->failed))
        return false;
    if (!outlet->settled_by_ms)
        outlet->settled_by_ms = now_ms + delivery->settler.patience_ms;
    if (delivery->hurried && outlet->settled_by_ms > now_ms + hurried_patience_ms)
        outlet->settled_by_ms = now_ms + hurried_patience_ms;
    if (now_ms < outlet->settled_by_ms)
        return true;
    delivery->unsettled = true;
    log_info("incident %s goes to %s as it is: %s has not settled what its fleet makes of it",
        outlet->queue[0], outlet->name, settling->name);
    return false;
}

/* Those that wait for another one to settle an incident. */
static void look_again(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (delivery->outlets[i]->settled_by_ms)
            loop_timer_set(delivery->outlets[i]->timer, 0);
}

static void tell_waiting(struct delivery *delivery)
{
    delivery->unsettled = false;
    look_again(delivery);
}

static bool is_settled_elsewhere(struct outlet *outlet, const struct outlet *settling)
{
    if (is_to_wait(outlet, settling)) {
        loop_timer_set(outlet->timer, outlet->settled_by_ms);
        return false;
    }
    outlet->settled_by_ms = 0;
    return outlet->settled = true;
}

bool outlet_is_settled(struct outlet *outlet)
{
    struct delivery *delivery = outlet->delivery;
    const struct delivery_settler *settler = &delivery->settler;
    if (outlet->settled || !settler->is_ready)
        return true;
    size_t settling = settler->settles ? settler->settles(settler->arg) : SIZE_MAX;
    if (settling != SIZE_MAX && delivery->outlets[settling] != outlet)
        return is_settled_elsewhere(outlet, delivery->outlets[settling]);
    outlet->sending = true; /* before it may be settled again */
    outlet->settling = true;
    if (!settler->is_ready(settler->arg, index_of(outlet), outlet->queue[0]))
        return false;
    outlet->sending = outlet->settling = false;
    outlet->settled = true;
    tell_waiting(delivery);
    return true;
}

void delivery_settled(struct delivery *delivery, size_t exporter, const struct send_result *result)
{
    struct outlet *outlet = delivery->outlets[exporter];
    outlet->sending = outlet->settling = false;
    if (result && result->outcome != SEND_STORED) {
        outlet_back_off(outlet, result);
        look_again(delivery);
        return;
    }
    outlet->settled = result != NULL;
    if (outlet->settled)
        tell_waiting(delivery);
    loop_timer_set(outlet->timer, 0);
}
