#include "commands/command.h"

#include "agent/kinds.h"
#include "core/buf.h"
#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t max_problems_bytes = 256 * 1024;

struct config *command_parse_config(
    const char *text, size_t size, const char *name, const struct config_needs *needs)
{
    struct buf problems;
    buf_init(&problems, max_problems_bytes);
    struct config *config = config_parse(text, size, name, &config_kinds, needs, &problems);
    if (!config)
        fputs(problems.data, stderr);
    buf_free(&problems);
    return config;
}

struct config *command_load_config(const char *path, const struct config_needs *needs)
{
    struct buf text;
    char *name = NULL;
    struct error err;
    struct config *config = NULL;
    if (config_locate(path, &text, &name, &err) < 0)
        fprintf(stderr, "stakeout: %s\n", err.text);
    else
        config = command_parse_config(text.data, text.size, name, needs);
    buf_free(&text);
    free(name);
    return config;
}

int command_failed(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "stakeout %s: ", command->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_FAILED;
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "stakeout %s: ", command->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see `stakeout %s -h`\n", command->name);
    va_end(args);
    return EXIT_USAGE;
}

int command_printed(const struct command *command)
{
    if (fflush(stdout) != 0)
        return command_failed(command, "cannot write to standard output: %s", strerror(errno));
    if (ferror(stdout)) /* of an earlier part, whose reason is gone */
        return command_failed(command, "cannot write all of it to standard output");
    return EXIT_DONE;
}
