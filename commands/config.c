#include "config/config.h"
#include "agent/kinds.h"
#include "commands/command.h"
#include "commands/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int show_effective(const char *path)
{
    static const struct config_needs needs = {.exporter = true};
    struct config *config = command_load_config(path, &needs);
    if (!config)
        return EXIT_USAGE;
    config_print(config, &config_kinds, stdout);
    config_free(config, &config_kinds);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    const char *file = NULL;
    bool reference = false, schema = false, man = false;
    const struct command_option options[] = {{.name = "config", .letter = 'c', .text = &file},
        {.name = "reference", .flag = &reference}, {.name = "schema", .flag = &schema},
        {.name = "man", .flag = &man}, {.name = NULL}};
    if (options_read(&command_config, argc, argv, options, NULL) != EXIT_DONE)
        return EXIT_USAGE;
    if (reference + schema + man > 1)
        return command_misused(
            &command_config, "give --reference, --schema or --man, only one of them");
    int status = EXIT_DONE;
    if (reference)
        config_print_reference(&config_kinds, stdout);
    else if (schema)
        config_print_schema(&config_kinds, stdout);
    else if (man)
        config_print_man(&config_kinds, stdout);
    else
        status = show_effective(file);
    return status;
}

const struct command command_config = {
    .name = "config",
    .usage = "[-c FILE] [--reference | --schema | --man]",
    .summary = "Prints the effective configuration, defaults filled in and secrets hidden",
    .help = "  -c FILE      the configuration; else the text in $STAKEOUT_CONFIG, else\n"
            "               /etc/stakeout/stakeout.yaml\n"
            "  --reference  print every option with its type, default, range and meaning\n"
            "  --schema     print a JSON Schema for editors\n"
            "  --man        print the manual page stakeout.yaml(5): man -l reads it\n",
    .run = run,
};
