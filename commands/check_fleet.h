/* For `stakeout check`: whether a store can settle who of a fleet takes an incident. */
#ifndef COMMANDS_CHECK_FLEET_H
#define COMMANDS_CHECK_FLEET_H

enum { CHECK_FLEET_NOTE = 1500 };

struct error;
struct exporter_kind;
struct loop;

/* Writes a small object under a fixed key among the fleet's, twice: the second time the store must
 * not take it. -1 and err when it does, or cannot be asked. Then reads it and counts what is there:
 * `note` says what follows where that is not allowed ("": it is). Runs the loop. */
int check_fleet(struct loop *loop, const struct exporter_kind *kind, void *exporter,
    const char *service, char note[CHECK_FLEET_NOTE], struct error *err);

#endif
