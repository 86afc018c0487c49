#include "commands/check_statements.h"

#include "agent/statements/look.h"
#include "config/config.h"
#include "core/clock.h"

int check_statements(const struct database_config *database, size_t *count, struct error *err)
{
    struct look look = {.url = database->statements,
        .now_ms = clock_mono_ms(),
        .wall_ms = clock_wall_ms(),
        .wants_activity = true}; /* all that an incident asks for */
    look_take(&look);
    int status = look.status;
    *count = look.snapshot.count;
    *err = look.err;
    look_free(&look);
    return status;
}
