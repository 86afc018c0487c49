#include "commands/man_page.h"

#include "commands/command.h"
#include "core/roff.h"

static const char beginning[] =
    ".TH STAKEOUT 1 \"\" \"stakeout " STAKEOUT_VERSION "\"\n"
    ".SH NAME\n"
    "stakeout \\- profile a service while it spikes, from beside it\n"
    ".SH SYNOPSIS\n"
    ".B stakeout\n"
    ".I COMMAND\n"
    ".RI [ OPTIONS ]\n"
    ".br\n"
    ".B stakeout\n"
    ".RB { \\-h | \\-\\-help | \\-\\-version | \\-\\-man }\n"
    ".SH DESCRIPTION\n"
    "Samples a service's CPU and memory and its database traffic every second. When a threshold "
    "is\n"
    "crossed, or a spike stands out from what is usual, it takes profiles from the service's "
    "debug\n"
    "endpoint (Go\\(aqs net/http/pprof) while the spike is happening. Profiles and the metrics\n"
    "around them become an incident, which is stored in a folder or an S3\\-compatible bucket.\n"
    ".PP\n"
    "\\fBstakeout run\\fR is the agent; the other commands try it, ask it, and look at what it "
    "has\n"
    "stored. The configuration is described in\n"
    ".BR stakeout.yaml (5).\n"
    ".SH OPTIONS\n"
    ".TP\n"
    "\\fB\\-h\\fR, \\fB\\-\\-help\\fR\n"
    "without a command lists the commands, with one tells more of it\n"
    ".TP\n"
    "\\fB\\-\\-version\\fR\n"
    "prints the version\n"
    ".TP\n"
    "\\fB\\-\\-man\\fR\n"
    "prints this page, as roff; \\fBstakeout config \\-\\-man\\fR prints\n"
    ".BR stakeout.yaml (5)\n"
    ".SH COMMANDS\n";

/* Each as roff_layout takes it. */
static const struct {
    const char *title, *text;
} sections[] = {
    {"EXIT STATUS", "  0  done\n"
                    "  1  failed; the reason is on standard error\n"
                    "  2  the command line or the configuration is wrong\n"},
    {"ENVIRONMENT",
        "  STAKEOUT_CONFIG  the text of the configuration, where -c is not given\n"
        "  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN\n"
        "    credentials; else they come from where AWS's own programs look for them: a web\n"
        "    identity, AWS_PROFILE, the task's role, the instance's role\n"
        "  AWS_REGION, AWS_DEFAULT_REGION  the region, where none is given\n"
        "  ECS_CONTAINER_METADATA_URI_V4  set by ECS: the source `ecs` asks there\n"
        "  DOCKER_HOST  the socket of the source `docker`, as unix:///PATH\n"
        "  HTTPS_PROXY, http_proxy, NO_PROXY  the proxy for what is stored and told elsewhere\n"
        "  NO_COLOR  commands print without color\n"
        "\n"
        "Values of the configuration may take any others, as ${NAME}.\n"},
    {"FILES", "  /etc/stakeout/stakeout.yaml  the configuration, where neither -c nor\n"
              "    STAKEOUT_CONFIG is given\n"
              "  /var/lib/stakeout  the state folder, where `state` is not given: the control\n"
              "    socket, incidents that wait for a store, what was learned\n"},
    {"SIGNALS", "The agent takes these:\n"
                "\n"
                "  SIGHUP  reads the file of the configuration again, and goes on with the new\n"
                "    one if it is valid\n"
                "  SIGTERM, SIGINT  ends captures early, delivers what is complete, for at most\n"
                "    limits.grace; a second one ends at once. What is not delivered is, after the\n"
                "    next start.\n"},
};

static const struct {
    const char *what, *line;
} examples[] = {
    {"Take incidents of a program with net/http/pprof on port 6060, without a configuration:",
        "stakeout run --app http://localhost:6060/debug/pprof --directory captures"},
    {"Take one now:", "stakeout capture --state captures/.stakeout"},
    {"Look at them, in the terminal and in a browser:",
        "stakeout list captures; stakeout review captures"},
    {"What the triggers would have done on a recorded trace:",
        "stakeout replay --summary -c stakeout.yaml metrics.csv"},
    {"Look at a bucket:", "stakeout list --since 7d s3://woogles-profiles/prod"},
};

static void print_command(const struct command *command, FILE *out)
{
    fprintf(out, ".SS %s\n\\fBstakeout %s\\fR ", command->name, command->name);
    for (const char *line = command->usage; *line;) { /* it may be broken into lines */
        char text[200];
        size_t size = 0;
        for (; *line && *line != '\n'; line++)
            if (size + 1 < sizeof text)
                text[size++] = *line;
        text[size] = '\0';
        roff_text(text, out);
        fputs("\n", out);
        while (*line == '\n' || *line == ' ')
            line++;
    }
    fputs(".PP\n", out);
    roff_text(command->summary, out);
    fputs(".\n", out);
    roff_layout(command->help, out);
}

void man_page_print(FILE *out)
{
    fputs(beginning, out);
    for (size_t i = 0; command_table[i]; i++)
        print_command(command_table[i], out);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        fprintf(out, ".SH %s\n", sections[i].title);
        roff_layout(sections[i].text, out);
    }
    fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        fputs(".PP\n", out);
        roff_text(examples[i].what, out);
        fputs("\n.PP\n.RS 4\n", out);
        roff_text(examples[i].line, out);
        fputs("\n.RE\n", out);
    }
    fputs(".SH SEE ALSO\n.BR stakeout.yaml (5)\n", out);
}
