/* Asking the running agent, through the control socket in its state folder. */
#ifndef COMMANDS_CLIENT_H
#define COMMANDS_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

struct command;
struct error;
struct loop;

enum client_outcome {
    CLIENT_ANSWERED,
    CLIENT_NOBODY,  /* no agent is running there */
    CLIENT_MISUSED, /* what was asked for does not exist: err says what */
    CLIENT_FAILED   /* err says why, also what the agent refused */
};

/* One request; *json (the caller decrefs) is the answer's body. target: "/status", "/capture?set=x"
 */
enum client_outcome client_ask(struct loop *loop, const char *state, const char *method,
    const char *target, json_t **json, struct error *err);

/* The state folder that was `given` with --state (NULL: none was), else the one that the command's
 * configuration names, even if that has errors, as the agent may have refused it; without any
 * configuration the default one, so that `status` and `capture` work beside an agent that was
 * started without a file. NULL after errors were printed; the caller frees. */
char *client_state(const struct command *command, const char *config_path, const char *given);

/* Whether there is a configuration: `config_path`, in the environment, or at the usual place. */
bool client_has_config(const char *config_path);

/* Whether there is a configuration and it has errors, which are printed. */
bool client_config_is_wrong(const char *config_path);

#endif
