/* `stakeout init`: the rights that a configuration needs at AWS, and none beyond.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
#ifndef COMMANDS_INIT_POLICY_H
#define COMMANDS_INIT_POLICY_H

#include <jansson.h>
#include <stddef.h>

struct config;

/* The policy of a role: NULL is the task's own, else one that the configuration assumes. The
 * caller's to json_decref; NULL: it needs no rights. */
json_t *init_policy(const struct config *config, const char *role);

/* The roles that the configuration assumes, each once: how many are in `roles`, which has room for
 * init_policy_roles_max. They stay the configuration's. */
size_t init_policy_roles(const struct config *config, const char **roles);
size_t init_policy_roles_max(const struct config *config);

#endif
