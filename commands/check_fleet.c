#include "commands/check_fleet.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <stdbool.h>
#include <stdlib.h>

static const int64_t patience_ms = 60000;

struct claiming {
    bool done;
    struct claim_result result;
};

static void on_claimed(void *arg, const struct claim_result *result)
{
    struct claiming *claiming = arg;
    claiming->result = *result;
    claiming->done = true;
}

int check_fleet(struct loop *loop, const struct exporter_kind *kind, void *exporter,
    const char *service, struct error *err)
{
    static const char text[] = "stakeout check\n";
    struct claiming claiming = {.done = false};
    char *key = xasprintf("service=%s/_state/fleet/check", service);
    for (int i = 0; i < 2; i++) {
        claiming = (struct claiming){.done = false};
        kind->claim(exporter, key, text, on_claimed, &claiming);
        bool answered = loop_run_until(loop, &claiming.done, clock_mono_ms() + patience_ms);
        if (!answered || claiming.result.outcome == CLAIM_FAILED)
            break;
    }
    free(key);
    if (!claiming.done)
        return error_set(err, "it does not answer");
    switch (claiming.result.outcome) {
    case CLAIM_EXISTS:
        return 0;
    case CLAIM_TAKEN:
        return error_set(err,
            "the store lets an object be written that is there, although it was "
            "asked not to (If-None-Match): each agent will take its own incidents");
    case CLAIM_FAILED:
    case CLAIM_UNABLE:
        break;
    }
    return error_set(err, "%s: each agent will take its own incidents", claiming.result.reason);
}
