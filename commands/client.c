#include "commands/client.h"

#include "agent/control/control.h"
#include "agent/kinds.h"
#include "commands/command.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t max_answer_bytes = 4 << 20;

static enum client_outcome read_answer(
    int status, const struct buf *body, json_t **json, struct error *err)
{
    json_error_t problem;
    *json = json_loadb(body->data, body->size, 0, &problem);
    if (*json && status < 300)
        return CLIENT_ANSWERED;
    const char *refusal = json_string_value(json_object_get(*json, "error"));
    error_set(err, "%s", refusal ? refusal : "the agent's answer is not understood");
    json_decref(*json);
    *json = NULL;
    return status == 400 ? CLIENT_MISUSED : CLIENT_FAILED;
}

enum client_outcome client_ask(struct loop *loop, const char *state, const char *method,
    const char *target, json_t **json, struct error *err)
{
    char *socket = control_socket_path(state);
    char *url = xasprintf("http://stakeout%s", target);
    struct http_options options = {
        .method = method,
        .url = url,
        .unix_socket = socket,
        .upload_fd = -1,
        .timeout_ms = 10000,
        .max_answer_bytes = max_answer_bytes,
    };
    int status = 0;
    struct buf body;
    enum client_outcome outcome = CLIENT_NOBODY;
    *json = NULL;
    buf_init(&body, 0);
    if (!fs_exists(socket))
        error_set(err,
            "no agent is running with the state folder %s; -c FILE or --state DIR names another",
            state);
    else if (http_fetch(loop, &options, &status, &body, err) < 0)
        error_set(err,
            "no agent answers on %s: it was killed, hangs, or is another user's; start it again",
            socket);
    else
        outcome = read_answer(status, &body, json, err);
    buf_free(&body);
    free(url);
    free(socket);
    return outcome;
}

bool client_has_config(const char *path)
{
    return path || getenv("STAKEOUT_CONFIG") || fs_exists(config_default_path);
}

bool client_config_is_wrong(const char *config_path)
{
    struct config_needs needs = {0};
    struct config *config = client_has_config(config_path)
                                ? command_load_config(config_path, &needs)
                                : NULL;
    bool wrong = client_has_config(config_path) && !config;
    config_free(config, &config_kinds);
    return wrong;
}

char *client_state(const struct command *command, const char *config_path, const char *given)
{
    if (given && config_path) {
        command_misused(command, "-c and --state exclude each other");
        return NULL;
    }
    if (given)
        return xstrdup(given);
    if (!client_has_config(config_path))
        return xstrdup(config_default_state);
    struct buf text;
    char *name = NULL, *state = NULL;
    struct error err;
    if (config_locate(config_path, &text, &name, &err) == 0)
        state = config_state(text.data, text.size);
    else
        fprintf(stderr, "stakeout: %s\n", err.text);
    buf_free(&text);
    free(name);
    return state;
}
