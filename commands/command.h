/* A subcommand: one file, one line in command_table.c. */
#ifndef COMMANDS_COMMAND_H
#define COMMANDS_COMMAND_H

#include <stddef.h>

struct config;
struct config_needs;

/* Exit statuses, as the manual promises them. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *usage;   /* what follows the name: "[-c FILE] TRACE.csv" */
    const char *summary; /* one line without a full stop */
    const char *help;    /* the options, a line each */
    /* argv[0] is the command's name; returns an exit status. -h was taken care of. */
    int (*run)(int argc, char **argv);
};

extern const struct command command_capture, command_check, command_config, command_init,
    command_list, command_mark, command_merge, command_replay, command_report, command_review,
    command_run, command_show, command_status, command_top;

/* All of them, as they are listed; NULL-ended. */
extern const struct command *const command_table[];

/* Reads and validates the configuration (path NULL: where it is by default); says on standard error
 * what is wrong. NULL: exit with EXIT_USAGE. config_free with &config_kinds. */
struct config *command_load_config(const char *path, const struct config_needs *needs);

/* The same for text that is already there; `name` stands for the file in messages. */
struct config *command_parse_config(
    const char *text, size_t size, const char *name, const struct config_needs *needs);

/* "stakeout replay: TEXT" and, for a command line that is wrong, where help is; on standard error.
 * They return EXIT_FAILED and EXIT_USAGE. */
int command_failed(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int command_misused(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether all that was printed is out. EXIT_DONE, or EXIT_FAILED after saying why not: a full disk
 * is an error of who prints a result. main asks it of every command that is done; one that goes on
 * after its result asks before. */
int command_printed(const struct command *command);

#endif
