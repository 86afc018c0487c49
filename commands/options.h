/* The options of a command line, by table. */
#ifndef COMMANDS_OPTIONS_H
#define COMMANDS_OPTIONS_H

#include <stdbool.h>

struct command;

/* One option: with a value for *text, or without one, which sets *flag. */
struct command_option {
    const char *name; /* "config": --config; NULL ends the table */
    char letter;      /* 'c': -c as well; 0: none */
    const char **text;
    bool *flag;
};

/* Reads argv (argv[0] is the command's name); what is not given stays as it was. *argument is the
 * one argument that is no option, NULL when there is none; with argument NULL there must be none.
 * EXIT_DONE, or EXIT_USAGE when standard error has been told what is wrong. */
int options_read(const struct command *command, int argc, char **argv,
    const struct command_option *options, char **argument);

/* The same where there may be any number of arguments: *arguments is within argv. */
int options_read_list(const struct command *command, int argc, char **argv,
    const struct command_option *options, char ***arguments, int *count);

#endif
