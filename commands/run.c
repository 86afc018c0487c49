#include "agent/agent.h"
#include "agent/kinds.h"
#include "commands/command.h"
#include "commands/options.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/http.h"
#include "core/log.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the state goes when there is no file to say so: the default, or, for who may not write
 * there, beside the incidents. The caller frees. */
static char *choose_state(const char *directory)
{
    struct error err;
    if (fs_make_folders(config_default_state, &err) == 0 && access(config_default_state, W_OK) == 0)
        return xstrdup(config_default_state);
    return xasprintf("%s/.stakeout", directory);
}

/* The configuration that `--app URL --directory DIR` stands for. JSON is YAML. */
static struct config *config_of_options(const char *app, const char *directory)
{
    char *state = choose_state(directory);
    json_t *json = json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "service", "app", "state", state,
        "app", "debug", app, "export", "directory", directory);
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    struct config *config = NULL;
    if (text) {
        struct config_needs needs = {.exporter = true};
        struct buf copy;
        buf_init(&copy, 1 << 20);
        buf_puts(&copy, text);
        config = command_parse_config(copy.data, copy.size, "command line", &needs);
        buf_free(&copy);
    } else {
        fprintf(stderr, "stakeout run: --app and --directory must be UTF-8 text\n");
    }
    free(text);
    json_decref(json);
    free(state);
    return config;
}

static struct config *load(const char *file, const char *app, const char *directory, int *status)
{
    struct config_needs needs = {.exporter = true};
    *status = EXIT_USAGE;
    if (!app && !directory)
        return command_load_config(file, &needs);
    if (file || !app || !directory) {
        *status = command_misused(&command_run, "%s",
            file ? "a file is given with -c, so --app and --directory belong into it"
                 : "--app and --directory need each other");
        return NULL;
    }
    return config_of_options(app, directory);
}

static void announce_trigger(const struct trigger_config *trigger, const char *rule)
{
    char cooldown[VALUE_TEXT_SIZE];
    const char *built_in = trigger->built_in ? " (built in)" : "";
    metric_format_level(UNIT_SECONDS, (double)trigger->cooldown_ms / 1000, cooldown);
    if (trigger->capture)
        log_info("trigger %s: %s takes \"%s\", then is quiet for %s%s", trigger->name, rule,
            trigger->capture, cooldown, built_in);
    else
        log_info("trigger %s: %s%s", trigger->name, rule, built_in);
}

static void announce_limits(const struct limits_config *limits)
{
    char day[VALUE_TEXT_SIZE];
    log_info("at most %lld incident%s an hour, and %s of them in 24 hours",
        (long long)limits->per_hour, limits->per_hour == 1 ? "" : "s",
        metric_format_level(UNIT_BYTES, (double)limits->per_day_bytes, day));
    if (limits->hold_off.value > 0)
        log_info(
            "while the cpu of an app is above %s no CPU profile or trace begins (limits.hold_off)",
            limits->hold_off.text);
}

/* What the agent will do, in plain words, before it does it. */
static void announce(const struct config *config)
{
    log_info("stakeout %s watches %s every %.3g s (configuration: %s)", STAKEOUT_VERSION,
        config->service, (double)config->interval_ms / 1000, config->file);
    for (size_t i = 0; i < config->app_count; i++) {
        char *url = http_public_url(config->apps[i].debug);
        log_info("app %s: profiles from %s", config->apps[i].name, url);
        free(url);
    }
    for (size_t i = 0; i < config->trigger_count; i++) {
        const struct trigger_config *trigger = &config->triggers[i];
        char rule[REASON_SIZE];
        trigger_kinds[trigger->kind]->describe(trigger->options, &trigger->scope, rule);
        announce_trigger(trigger, rule);
    }
    announce_limits(&config->limits);
}

/* Without a file `status` and `capture` look in the default state folder. */
static void announce_state(const struct config *config)
{
    if (strcmp(config->state, config_default_state) != 0)
        log_info("the state folder is %s: ask with `stakeout status --state %s`, take an incident "
                 "with `stakeout capture --state %s`",
            config->state, config->state, config->state);
}

static int run(int argc, char **argv)
{
    const char *file = NULL, *app = NULL, *directory = NULL;
    const struct command_option options[] = {{.name = "app", .text = &app},
        {.name = "config", .letter = 'c', .text = &file}, {.name = "directory", .text = &directory},
        {.name = NULL}};
    if (options_read(&command_run, argc, argv, options, NULL) != EXIT_DONE)
        return EXIT_USAGE;
    int status;
    struct config *config = load(file, app, directory, &status);
    if (!config)
        return status;
    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    signal(SIGPIPE, SIG_IGN); /* who reads the log may go away, also before all is announced */
    announce(config);
    if (app)
        announce_state(config);
    struct error err;
    const char *path = app ? NULL : config_file(file);
    struct agent *agent = agent_open(config, &err);
    status = agent ? EXIT_DONE : command_failed(&command_run, "%s", err.text);
    if (agent && path)
        agent_reload_from(agent, path);
    if (agent && agent_run(agent) < 0)
        status = EXIT_FAILED;
    agent_close(agent);
    config_free(config, &config_kinds);
    return status;
}

const struct command command_run = {
    .name = "run",
    .usage = "[-c FILE] | --app URL --directory DIR",
    .summary = "Runs the agent",
    .help =
        "  -c FILE          the configuration; else the text in $STAKEOUT_CONFIG, else\n"
        "                   /etc/stakeout/stakeout.yaml\n"
        "                   (SIGHUP has a file read again; SIGTERM finishes what is\n"
        "                   running, for at most limits.grace; a second one ends at once)\n"
        "  --app URL        without a file: the app's debug endpoint, such as\n"
        "                   http://localhost:6060/debug/pprof\n"
        "  --directory DIR  without a file: the folder for incidents\n\n"
        "Without a file, and where /var/lib/stakeout cannot be written to, the state folder is\n"
        "DIR/.stakeout; `stakeout status` and `stakeout capture` find it with --state.\n",
    .run = run,
};
