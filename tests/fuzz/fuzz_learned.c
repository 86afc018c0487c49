/* learned.json as anybody may have left it in the state folder or in a store: what is accepted is
 * in order, lies in the past, and is written so that it is read back as the same. */
#include "agent/detection/learned_json.h"
#include "config/config.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TRIGGERS = 2 };

static char *text_of(const struct config *config, const char *text, size_t size, int64_t now_ms)
{
    struct learned_onsets onsets[TRIGGERS] = {{0}};
    struct error err;
    bool partial;
    if (learned_parse(config, text, size, now_ms, onsets, &partial, &err) < 0)
        return NULL;
    for (size_t i = 0; i < TRIGGERS; i++)
        for (size_t j = 0; j < onsets[i].count; j++)
            if (onsets[i].wall_ms[j] > now_ms ||
                (j > 0 && onsets[i].wall_ms[j] <= onsets[i].wall_ms[j - 1]))
                abort();
    char *written = learned_text(config, onsets, partial, now_ms);
    learned_onsets_clear(onsets, TRIGGERS);
    return written;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char a[] = "a", b[] = "b";
    static const char *const x[] = {"x"}, *const y[] = {"y"};
    struct trigger_config triggers[TRIGGERS] = {
        {.name = a, .scope = {.members = x, .member_count = 1}},
        {.name = b, .scope = {.members = y, .member_count = 1}}};
    const struct config config = {.triggers = triggers, .trigger_count = TRIGGERS};
    const int64_t now_ms = 1795446241000; /* 2026-11-23T15:04:01Z */
    char *first = text_of(&config, (const char *)data, size, now_ms);
    char *second = first ? text_of(&config, first, strlen(first), now_ms) : NULL;
    if (first && (!second || strcmp(first, second) != 0))
        abort();
    free(first);
    free(second);
    return 0;
}
