#include "agent/capture/profiler.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The path takes the place of that of app.debug. */
static char *url_of_path(const struct app_config *app, const char *path, int64_t seconds)
{
    const char *host = strstr(app->debug, "://");
    host = host ? host + 3 : app->debug;
    int root = (int)(host + strcspn(host, "/?#") - app->debug);
    char query[64] = "";
    if (seconds > 0)
        snprintf(query, sizeof query, "%cseconds=%lld", strchr(path, '?') ? '&' : '?',
            (long long)seconds);
    return xasprintf("%.*s%s%s", root, app->debug, path, query);
}

char *profiler_url(const struct app_config *app, const struct capture_entry *entry, int64_t seconds)
{
    if (entry->path)
        return url_of_path(app, entry->path, seconds);
    const char *name = config_entry_is_cpu(entry) ? "profile" : entry->profile;
    char query[64] = "";
    if (seconds > 0)
        snprintf(query, sizeof query, "?seconds=%lld", (long long)seconds);
    else if (!strcmp(entry->profile, "heap") && entry->gc)
        snprintf(query, sizeof query, "?gc=1");
    return xasprintf("%s/%s%s", app->debug, name, query);
}

char **profiler_headers(const struct app_config *app)
{
    const struct string_map *map = &app->headers;
    char **lines = xcalloc(map->count + 1, sizeof *lines);
    for (size_t i = 0; i < map->count; i++)
        lines[i] = xasprintf("%s: %s", map->names[i], map->values[i]);
    return lines;
}

void profiler_free_headers(char **lines)
{
    for (char **line = lines; *line; line++)
        free(*line);
    free(lines);
}

/* One line of a server's error text, without what a terminal or log could trip over. */
static void quote(const struct http_result *result, char *text, size_t size)
{
    size_t used = 0;
    for (const char *at = result->body.data; *at && *at != '\n' && used + 1 < size; at++)
        text[used++] = (unsigned char)*at < 0x20 ? ' ' : *at;
    text[used] = '\0';
}

/* Go refuses a length over its WriteTimeout at once, so that small steps cost nothing. */
static void advise_shorter(struct profiler_lesson *lesson, int64_t seconds)
{
    int64_t step = seconds / 10 ? seconds / 10 : 1;
    error_set(
        &lesson->why, "%lld s are more than the app's WriteTimeout allows", (long long)seconds);
    lesson->seconds = seconds - step;
    lesson->advice = lesson->seconds > 0 ? PROFILER_SHORTER : PROFILER_GIVE_UP;
}

/* From Go 1.23 on, a middleware that wraps the ResponseWriter lets a profile over the WriteTimeout
 * run and its answer come back empty. Every try takes its time, so the next one takes half of it.
 */
static void advise_half(struct profiler_lesson *lesson, int64_t seconds)
{
    error_set(&lesson->why,
        "the app ended the connection after %lld s without sending the profile: its WriteTimeout "
        "is "
        "probably shorter than that",
        (long long)seconds);
    lesson->seconds = seconds / 2;
    lesson->advice = lesson->seconds > 0 ? PROFILER_SHORTER : PROFILER_GIVE_UP;
}

static void advise_again(struct profiler_lesson *lesson, int64_t wait_ms)
{
    lesson->advice = PROFILER_AGAIN;
    lesson->wait_ms = wait_ms;
}

/* Headers are there only while the request is. */
static const char *header(const struct http_result *result, const char *name)
{
    const char *value = result->request ? http_header(result, name) : NULL;
    return value ? value : "";
}

bool profiler_is_page(const struct http_result *result)
{
    return !strncasecmp(header(result, "Content-Type"), "text/html", 9) ||
           (result->body.size && result->body.data[0] == '<');
}

static bool is_redirect(int status)
{
    return status >= 300 && status <= 399;
}

/* Without the query, which may hold a secret: the text gets into the log and the incident. */
static void say_missing(const struct capture_entry *entry, struct error *why)
{
    const char *name = entry->path ? entry->path : entry->profile;
    error_set(why, "the endpoint has no %s \"%.*s\" (404): check app.debug and the app's routes",
        entry->path ? "path" : "profile", (int)strcspn(name, "?"), name);
}

static void learn_status(const struct http_result *result, const struct capture_entry *entry,
    int64_t seconds, struct profiler_lesson *lesson)
{
    char text[160];
    quote(result, text, sizeof text);
    if (result->status == 400 && strstr(text, "WriteTimeout")) {
        advise_shorter(lesson, seconds);
        return;
    }
    if (result->status >= 500 || result->status == 429)
        advise_again(lesson, 2000);
    lesson->busy = result->status == 500 && strstr(text, "already in use");
    if (is_redirect(result->status))
        error_set(&lesson->why,
            "the endpoint redirects (%d), as to a login: give what it wants with app.headers, or "
            "check app.debug",
            result->status);
    else if (result->status == 401 || result->status == 403)
        error_set(&lesson->why, "the endpoint wants a login (%d): give it with app.headers",
            result->status);
    else if (result->status == 404)
        say_missing(entry, &lesson->why);
    else if (lesson->busy)
        error_set(&lesson->why, "somebody else is profiling the app (already in use)");
    else
        error_set(&lesson->why, "the endpoint answered %d%s%s", result->status, text[0] ? ": " : "",
            text);
}

/* A recording that was cut off means that the app died: another try would profile its successor,
 * which is not in the spike. */
static void learn_broken(const struct http_result *result, int64_t seconds, int64_t elapsed_ms,
    struct profiler_lesson *lesson)
{
    if (seconds > 0 && elapsed_ms >= seconds * 1000 && result->received == 0) {
        advise_half(lesson, seconds);
        return;
    }
    error_set(&lesson->why, "the app ended the connection after %.3g s: %s",
        (double)elapsed_ms / 1000, result->error->text);
    if (elapsed_ms < 1000)
        advise_again(lesson, 1000);
}

void profiler_learn(const struct http_result *result, const struct capture_entry *entry,
    int64_t seconds, int64_t elapsed_ms, struct profiler_lesson *lesson)
{
    *lesson = (struct profiler_lesson){.advice = PROFILER_GIVE_UP};
    bool refusal = result->status > 299;
    bool empty = result->received == 0 && seconds > 0 && elapsed_ms >= seconds * 1000;
    switch (result->outcome) {
    case HTTP_ANSWERED:
        if (empty && !refusal)
            advise_half(lesson, seconds);
        else if (!refusal && profiler_is_page(result))
            error_set(&lesson->why,
                "the endpoint sent a web page, as a login does, and no profile: give what it wants "
                "with app.headers, or check app.debug");
        else if (!refusal)
            error_set(&lesson->why, "the endpoint sent an empty answer: check app.debug");
        else
            learn_status(result, entry, seconds, lesson);
        break;
    case HTTP_UNREACHED:
        advise_again(lesson, 1000);
        error_set(&lesson->why,
            "the debug endpoint cannot be reached: %s; does the app run, and is app.debug right?",
            result->error->text);
        break;
    case HTTP_BROKEN:
        learn_broken(result, seconds, elapsed_ms, lesson);
        break;
    case HTTP_TOO_LARGE:
        if (refusal) /* an error's text without an end */
            learn_status(result, entry, seconds, lesson);
        else
            error_set(
                &lesson->why, "the profile is larger than limits.profile: %s", result->error->text);
        break;
    case HTTP_NOT_HTTP:
        error_set(&lesson->why,
            "what answers at app.debug does not speak HTTP: is the port right? (%s)",
            result->error->text);
        break;
    case HTTP_BAD_TLS:
        error_set(
            &lesson->why, "no trusted TLS connection to the endpoint: %s", result->error->text);
        break;
    default:
        error_set(&lesson->why, "%s", result->error->text);
    }
}
