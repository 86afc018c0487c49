#include "agent/agent.h"
#include "agent/incidents/admission.h"
#include "agent/kinds.h"
#include "commands/client.h"
#include "commands/command.h"
#include "commands/options.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t poll_ms = 250;

struct request {
    const char *file, *given_state, *reason, *set, *app;
};

/* Adds "name=value", percent-encoded. */
static void add_argument(struct buf *target, const char *name, const char *value)
{
    if (!value)
        return;
    char *encoded = curl_easy_escape(NULL, value, 0);
    buf_printf(target, "%c%s=%s", strchr(target->data, '?') ? '&' : '?', name, encoded);
    curl_free(encoded);
}

/* Waits until the running agent has stored the incident, or failed to. */
static int wait_until_stored(struct loop *loop, const char *state, const char *id)
{
    char *target = xasprintf("/capture/%s", id);
    int status = -1;
    while (status < 0) {
        json_t *json;
        struct error err;
        if (client_ask(loop, state, "GET", target, &json, &err) != CLIENT_ANSWERED) {
            status = command_failed(
                &command_capture, "incident %s is left to the agent: %s", id, err.text);
            break;
        }
        const char *progress = json_string_value(json_object_get(json, "state"));
        const char *reason = json_string_value(json_object_get(json, "error"));
        if (progress && !strcmp(progress, "stored"))
            status = EXIT_DONE;
        else if (progress && !strcmp(progress, "failing"))
            status = command_failed(&command_capture, "incident %s is left in the spool: %s", id,
                reason ? reason : "no reason is known");
        json_decref(json);
        bool never = false;
        if (status < 0)
            loop_run_until(loop, &never, clock_mono_ms() + poll_ms);
    }
    free(target);
    return status;
}

/* Through the running agent. -1: there is none. */
static int ask_agent(const char *state, const struct request *request)
{
    struct error err;
    struct loop *loop = loop_open(&err);
    if (!loop)
        return command_failed(&command_capture, "%s", err.text);
    struct buf target;
    buf_init(&target, 8192);
    buf_puts(&target, "/capture");
    add_argument(&target, "reason", request->reason);
    add_argument(&target, "set", request->set);
    add_argument(&target, "app", request->app);
    json_t *json;
    int status = -1;
    switch (client_ask(loop, state, "POST", target.data, &json, &err)) {
    case CLIENT_ANSWERED: {
        const char *id = json_string_value(json_object_get(json, "id"));
        printf("%s\n", id ? id : "");
        fflush(stdout);
        status = wait_until_stored(loop, state, id ? id : "");
        json_decref(json);
        break;
    }
    case CLIENT_NOBODY:
        break;
    case CLIENT_MISUSED:
        status = command_misused(&command_capture, "%s", err.text);
        break;
    case CLIENT_FAILED:
        status = command_failed(&command_capture, "%s", err.text);
    }
    buf_free(&target);
    loop_close(loop);
    return status;
}

/* Opens an agent for this one incident. */
static int capture_with(const struct config *config, const struct request *request)
{
    struct error err;
    int status = EXIT_DONE;
    char *id = NULL;
    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    log_info("no agent is running with the state folder %s: capturing without one", config->state);
    struct agent *agent = agent_open(config, &err);
    if (!agent ||
        agent_capture(agent, request->app, request->reason ? request->reason : "taken by hand",
            request->set, &id, &err) < 0)
        status = command_failed(&command_capture, "%s", err.text);
    if (id)
        printf("%s\n", id);
    free(id);
    agent_close(agent);
    return status;
}

static int capture_alone(const struct request *request)
{
    struct config_needs needs = {.exporter = true};
    struct config *config = command_load_config(request->file, &needs);
    if (!config)
        return EXIT_USAGE;
    struct error err;
    int status = admission_check(config, request->app, request->set, &err) < 0
                     ? command_misused(&command_capture, "%s", err.text)
                     : capture_with(config, request);
    config_free(config, &config_kinds);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request = {0};
    const struct command_option options[] = {{.name = "app", .text = &request.app},
        {.name = "config", .letter = 'c', .text = &request.file},
        {.name = "reason", .text = &request.reason}, {.name = "set", .text = &request.set},
        {.name = "state", .text = &request.given_state}, {.name = NULL}};
    if (options_read(&command_capture, argc, argv, options, NULL) != EXIT_DONE)
        return EXIT_USAGE;
    char *state = client_state(&command_capture, request.file, request.given_state);
    if (!state)
        return EXIT_USAGE;
    int status = ask_agent(state, &request);
    if (status < 0 && request.given_state)
        status = command_failed(
            &command_capture, "no agent is running with the state folder %s", state);
    else if (status < 0 && !client_has_config(request.file))
        status = command_misused(&command_capture,
            "no agent is running with the state folder %s; --state DIR names another, as its log "
            "says, and with -c FILE an incident is taken without one",
            state);
    else if (status < 0)
        status = capture_alone(&request);
    free(state);
    return status;
}

const struct command command_capture = {
    .name = "capture",
    .usage = "[-c FILE | --state DIR] [--reason TEXT] [--set NAME] [--app NAME]",
    .summary = "Takes an incident now, through the running agent or on its own when none runs",
    .help = "  -c FILE        the configuration; else the text in $STAKEOUT_CONFIG, else\n"
            "                 /etc/stakeout/stakeout.yaml\n"
            "  --state DIR    the running agent's state folder, instead of a configuration\n"
            "  --reason TEXT  why; stored with the incident\n"
            "  --set NAME     the capture set (default: spike)\n"
            "  --app NAME     the app, where there are several (default: the first)\n\n"
            "Prints the incident's id. Exit status 0 when it is stored, 1 when it is left in the\n"
            "spool.\n",
    .run = run,
};
