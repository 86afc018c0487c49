#include "commands/command.h"

const struct command *const command_table[] = {&command_run, &command_check, &command_config,
    &command_replay, &command_capture, &command_status, &command_list, &command_show, &command_top,
    &command_review, &command_mark, &command_report, &command_merge, &command_init, NULL};
