/* [WHERE/]ID, as the commands take it that are about one incident: also as the path of the
 * incident's own folder, which is what `show` prints. */
#ifndef COMMANDS_WHERE_INCIDENT_H
#define COMMANDS_WHERE_INCIDENT_H

struct command;
struct store_incident;
struct where;

/* Cuts `argument` to the id, to which *id points, and opens `where`. EXIT_DONE, or another exit
 * status when standard error has been told why. where_close in any case. */
int where_open_incident(
    struct where *where, const struct command *command, char *argument, const char **id);

/* The incident, or NULL when standard error has been told why. */
struct store_incident *where_find_incident(
    const struct where *where, const struct command *command, const char *id);

#endif
