#include "agent/storage/delivery_claims.h"

#include "agent/storage/claiming.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_parts.h"
#include "agent/storage/inquiry.h"
#include "core/loop.h"
#include "exporters/exporter.h"

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

bool outlet_is_settled(struct outlet *outlet)
{
    const struct delivery_settler *settler = &outlet->delivery->settler;
    if (outlet->settled || !settler->is_ready)
        return true;
    outlet->sending = true; /* before it may be settled again */
    outlet->settling = true;
    if (!settler->is_ready(settler->arg, index_of(outlet), outlet->queue[0]))
        return false;
    outlet->sending = outlet->settling = false;
    return outlet->settled = true;
}

void delivery_settled(struct delivery *delivery, size_t exporter, const struct send_result *result)
{
    struct outlet *outlet = delivery->outlets[exporter];
    outlet->sending = outlet->settling = false;
    if (result && result->outcome != SEND_STORED) {
        outlet_back_off(outlet, result);
        return;
    }
    outlet->settled = result != NULL;
    loop_timer_set(outlet->timer, 0);
}
