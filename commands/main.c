#include "agent/self/worker.h"
#include "commands/command.h"
#include "commands/man_page.h"
#include "core/crash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void print_usage(FILE *out)
{
    fprintf(out, "usage: stakeout COMMAND [OPTIONS]\n\n"
                 "Waits beside a service for its CPU, memory or database spike and takes profiles\n"
                 "while it is happening.\n\n");
    for (size_t i = 0; command_table[i]; i++)
        fprintf(out, "  %-9s %s\n", command_table[i]->name, command_table[i]->summary);
    fprintf(out, "\n`stakeout COMMAND -h` tells more; `stakeout --version` the version,\n"
                 "`stakeout --man` the manual page (try `stakeout --man | man -l -`).\n");
}

/* A full disk is told, as by every command that prints a result. */
static int printed(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    fprintf(stderr, "stakeout: cannot write to standard output: %s\n", strerror(errno));
    return EXIT_FAILED;
}

static int help(const struct command *command)
{
    printf("usage: stakeout %s %s\n\n%s.\n\n%s", command->name, command->usage, command->summary,
        command->help);
    return command_printed(command);
}

/* -h and --help mean the same to every command, wherever they stand before "--". */
static int asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
            return 1;
    return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    if (asks_for_help(argc, argv))
        return help(command);
    int status = command->run(argc, argv);
    return status == EXIT_DONE ? command_printed(command) : status;
}

int main(int argc, char **argv)
{
    worker_settle_child();
    crash_install();
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
        print_usage(stdout);
        return printed();
    }
    if (!strcmp(argv[1], "--version")) {
        printf("stakeout %s\n", STAKEOUT_VERSION);
        return printed();
    }
    if (!strcmp(argv[1], "--man")) {
        man_page_print(stdout);
        return printed();
    }
    for (size_t i = 0; command_table[i]; i++)
        if (!strcmp(argv[1], command_table[i]->name))
            return run(command_table[i], argc - 1, argv + 1);
    fprintf(stderr, "stakeout: there is no command \"%s\"; see `stakeout --help`\n", argv[1]);
    return EXIT_USAGE;
}
