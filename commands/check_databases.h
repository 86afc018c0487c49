/* For `stakeout check`: whether each database can be connected to, and what it and CloudWatch tell
 * of it. */
#ifndef COMMANDS_CHECK_DATABASES_H
#define COMMANDS_CHECK_DATABASES_H

struct config;
struct error;
struct loop;

/* Prints one line of a part: ok, or err. */
typedef void check_say(void *arg, const char *part, const struct error *err);

/* Lines that tell more than ok are printed at once. Runs the loop, and blocks. */
void check_databases(struct loop *loop, const struct config *config, check_say *say, void *arg);

#endif
