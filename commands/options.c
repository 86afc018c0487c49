#include "commands/options.h"

#include "commands/command.h"

#include <getopt.h>
#include <stddef.h>

/* What getopt_long returns for an option without a letter is FIRST_CODE and its index. */
enum { MAX_OPTIONS = 16, FIRST_CODE = 256 };

static int code_of(const struct command_option *options, size_t index)
{
    return options[index].letter ? options[index].letter : FIRST_CODE + (int)index;
}

/* Both of getopt_long's tables; letters has room for two characters an option. */
static void fill_tables(
    const struct command_option *options, struct option names[MAX_OPTIONS + 1], char *letters)
{
    for (size_t i = 0; i < MAX_OPTIONS && options[i].name; i++) {
        names[i] = (struct option){.name = options[i].name,
            .has_arg = options[i].text ? required_argument : no_argument,
            .val = code_of(options, i)};
        if (options[i].letter)
            *letters++ = options[i].letter;
        if (options[i].letter && options[i].text)
            *letters++ = ':';
    }
    *letters = '\0';
}

static bool take(const struct command_option *options, int code)
{
    for (size_t i = 0; options[i].name; i++) {
        if (code_of(options, i) != code)
            continue;
        if (options[i].text)
            *options[i].text = optarg;
        else
            *options[i].flag = true;
        return true;
    }
    return false;
}

int options_read_list(const struct command *command, int argc, char **argv,
    const struct command_option *options, char ***arguments, int *count)
{
    *arguments = argv + argc;
    *count = 0;
    struct option names[MAX_OPTIONS + 1] = {{0}};
    char letters[2 * MAX_OPTIONS + 1];
    fill_tables(options, names, letters);
    optind = 0; /* glibc: forget the last command line */
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, letters, names, NULL)) != -1;)
        if (!take(options, code))
            return command_misused(
                command, "%s is no option of it, or its value is missing", argv[optind - 1]);
    *arguments = argv + optind;
    *count = argc - optind;
    return EXIT_DONE;
}

int options_read(const struct command *command, int argc, char **argv,
    const struct command_option *options, char **argument)
{
    char **arguments;
    int count, allowed = argument ? 1 : 0;
    if (options_read_list(command, argc, argv, options, &arguments, &count) != EXIT_DONE)
        return EXIT_USAGE;
    if (argument)
        *argument = count > 0 ? arguments[0] : NULL;
    if (count > allowed)
        return command_misused(command, "\"%s\" is one argument too many", arguments[allowed]);
    return EXIT_DONE;
}
