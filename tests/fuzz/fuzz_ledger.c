/* limits.json as anybody may have left it in the state folder: what is accepted is written so that
 * it is read back as the same. */
#include "agent/detection/ledger.h"
#include "config/config.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char a[] = "a", b[] = "b", state[] = "state";
    struct trigger_config triggers[] = {{.name = a}, {.name = b}};
    struct config config = {.triggers = triggers, .trigger_count = 2, .state = state};
    config.limits.per_hour = 3;
    struct error err;
    struct ledger *ledger = ledger_open(&config, NULL);
    if (ledger_parse(ledger, (const char *)data, size, &err) == 0) {
        char *first = ledger_text(ledger);
        if (ledger_parse(ledger, first, strlen(first), &err) < 0)
            abort();
        char *second = ledger_text(ledger);
        if (strcmp(first, second) != 0)
            abort();
        free(first);
        free(second);
    }
    ledger_close(ledger);
    return 0;
}
