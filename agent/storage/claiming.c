#include "agent/storage/claiming.h"

#include "core/alloc.h"
#include "exporters/exporter.h"

#include <stdlib.h>

struct asked {
    struct claiming *claiming;
    struct asked *next;
    void (*claimed)(void *arg, const struct claim_result *result);
    void (*counted)(void *arg, const struct count_result *result);
    void *arg;
    bool forgotten;
};

struct claiming {
    const struct exporter_kind *kind;
    void *exporter;
    struct asked *first;
};

struct claiming *claiming_open(const struct exporter_kind *kind, void *exporter)
{
    struct claiming *claiming = xcalloc(1, sizeof *claiming);
    claiming->kind = kind;
    claiming->exporter = exporter;
    return claiming;
}

void claiming_close(struct claiming *claiming)
{
    while (claiming->first) {
        struct asked *asked = claiming->first;
        claiming->first = asked->next;
        free(asked);
    }
    free(claiming);
}

void claiming_forget(struct claiming *claiming, void *arg)
{
    for (struct asked *asked = claiming->first; asked; asked = asked->next)
        asked->forgotten = asked->forgotten || asked->arg == arg;
}

static struct asked *add(struct claiming *claiming, void *arg)
{
    struct asked *asked = xcalloc(1, sizeof *asked);
    *asked = (struct asked){.claiming = claiming, .next = claiming->first, .arg = arg};
    claiming->first = asked;
    return asked;
}

/* Takes it from the list; the caller frees. */
static struct asked *take(void *arg)
{
    struct asked *asked = arg, **at = &asked->claiming->first;
    while (*at != asked)
        at = &(*at)->next;
    *at = asked->next;
    return asked;
}

static void claimed(void *arg, const struct claim_result *result)
{
    struct asked *asked = take(arg);
    if (!asked->forgotten)
        asked->claimed(asked->arg, result);
    free(asked);
}

static void counted(void *arg, const struct count_result *result)
{
    struct asked *asked = take(arg);
    if (!asked->forgotten)
        asked->counted(asked->arg, result);
    free(asked);
}

void claiming_claim(struct claiming *claiming, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    struct asked *asked = add(claiming, arg);
    asked->claimed = done;
    claiming->kind->claim(claiming->exporter, key, text, claimed, asked);
}

void claiming_count(struct claiming *claiming, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg)
{
    struct asked *asked = add(claiming, arg);
    asked->counted = done;
    claiming->kind->count(claiming->exporter, key, counted, asked);
}
