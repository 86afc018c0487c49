#include "commands/where_incident.h"

#include "commands/command.h"
#include "commands/terminal.h"
#include "commands/where.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/store/store.h"

#include <stdlib.h>
#include <string.h>

/* Takes "/NAME=..." off the end of a path. */
static void strip_level(char *path, const char *name)
{
    char *slash = strrchr(path, '/');
    size_t length = strlen(name);
    if (slash && !strncmp(slash + 1, name, length) && slash[1 + length] == '=')
        *slash = '\0';
}

/* The place, freed by the caller; NULL: the configuration's. Cuts `argument` to the id. */
static char *split(char *argument, const char **id)
{
    size_t length = strlen(argument);
    while (length > 1 && argument[length - 1] == '/')
        argument[--length] = '\0';
    char *slash = strrchr(argument, '/');
    *id = slash ? slash + 1 : argument;
    if (!slash)
        return NULL;
    char *place = xstrndup(argument, (size_t)(slash - argument));
    strip_level(place, "date");
    strip_level(place, "service");
    if (*place)
        return place;
    free(place);
    return xstrdup("/");
}

int where_open_incident(
    struct where *where, const struct command *command, char *argument, const char **id)
{
    if (!argument)
        return command_misused(command, "which incident? Give its id; `stakeout list` shows them");
    char *place = split(argument, id);
    int status = EXIT_DONE;
    if (!incident_id_valid(*id)) {
        char *safe = terminal_safe(*id);
        status = command_misused(command,
            "%.100s is not the id of an incident, which looks like "
            "20261123T150401Z-cpu-high-1a2b3c; `stakeout list` shows them",
            *safe ? safe : "\"\"");
        free(safe);
    }
    if (status == EXIT_DONE)
        status = where_open(where, command, place);
    free(place);
    return status;
}

struct store_incident *where_find_incident(
    const struct where *where, const struct command *command, const char *id)
{
    struct error err;
    struct store_incident *stored = store_find(where->store, id, &err);
    if (!stored) {
        char *reason = terminal_safe(err.text);
        command_failed(command, "%s", reason);
        free(reason);
    }
    return stored;
}
