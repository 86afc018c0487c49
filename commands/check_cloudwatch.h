/* `stakeout check` of database.cloudwatch: one question, for all that would be fetched. */
#ifndef COMMANDS_CHECK_CLOUDWATCH_H
#define COMMANDS_CHECK_CLOUDWATCH_H

#include <stddef.h>

struct config;
struct error;
struct loop;

enum { CHECK_CLOUDWATCH_SIZE = 300 };

/* What the part is called; the caller frees. */
char *check_cloudwatch_part(const struct config *config, size_t database);

/* 0 with what came in words, or -1 with err and the remedy. Runs the loop. */
int check_cloudwatch(struct loop *loop, const struct config *config, size_t database,
    char came[CHECK_CLOUDWATCH_SIZE], struct error *err);

#endif
