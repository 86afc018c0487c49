/* The configuration is the user's own, but its values come from the environment and from parameter
 * stores: whatever it is, it is read or refused, and what is read prints as something that reads
 * back. */
#include "config/config.h"
#include "core/buf.h"

#include "../fake_kinds.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *parse(const char *text, size_t size)
{
    static const struct config_needs needs = {.exporter = true};
    struct buf problems;
    buf_init(&problems, 1 << 16);
    struct config *config = config_parse(text, size, "f", &fake_kinds, &needs, &problems);
    /* Refused with a reason, or taken without one. */
    if (!config != (problems.size > 0))
        abort();
    buf_free(&problems);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = parse((const char *)data, size);
    if (!config)
        return 0;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        abort();
    config_print(config, &fake_kinds, out);
    fclose(out);
    config_free(config, &fake_kinds);
    config = parse(text, length);
    if (!config)
        abort();
    config_free(config, &fake_kinds);
    free(text);
    return 0;
}
