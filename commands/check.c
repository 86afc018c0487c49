#include "agent/capture/probe.h"
#include "agent/control/control.h"
#include "agent/control/server.h"
#include "agent/kinds.h"
#include "agent/sampling/sampler.h"
#include "commands/check_databases.h"
#include "commands/check_fleet.h"
#include "commands/client.h"
#include "commands/command.h"
#include "commands/options.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/series.h"
#include "exporters/notice.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const int64_t source_patience_ms = 12000;   /* Fargate's figures are up to 10 s apart */
static const int64_t exporter_patience_ms = 65000; /* a credential_process has a minute */
static const int64_t identify_within_ms = 30000;
static const int64_t close_ms = 200; /* for a look-up that hangs */
static const char probe_text[] = "stakeout check\n";

struct checks {
    const struct config *config;
    struct loop *loop;
    struct offload *disk, *names;
    bool failed, probed, notify;
};

/* One line a part. */
static void say(void *arg, const char *part, const struct error *err)
{
    struct checks *checks = arg;
    printf("%s: %s\n", part, err ? err->text : "ok");
    fflush(stdout);
    checks->failed = checks->failed || err;
}

static void note_sampled(void *arg)
{
    (void)arg;
}

/* A database that nobody is connected to is no fault. */
static bool may_be_silent(const struct sampler *sampler, size_t source)
{
    return !strcmp(sampler_source_name(sampler, source), "tcp");
}

/* Whether there is nothing more to wait for. */
static bool is_known(const struct sampler *sampler)
{
    for (size_t i = 0; i < sampler_sources(sampler); i++)
        if (!may_be_silent(sampler, i) && !sampler_source_measured(sampler, i) &&
            !sampler_source_error(sampler, i))
            return false;
    return true;
}

static void say_source(struct checks *checks, const struct sampler *sampler, size_t source)
{
    const char *problem = sampler_source_error(sampler, source);
    bool silent = !problem && !sampler_source_measured(sampler, source);
    struct error err;
    if (problem)
        error_set(&err, "%s", problem);
    else if (silent)
        error_set(&err,
            source == 0 ? "no sample came within %lld s; it waits for the first figures of the "
                          "app's container: check again in a while"
                        : "no sample came within %lld s",
            (long long)source_patience_ms / 1000);
    char *part = xasprintf("source %s", sampler_source_name(sampler, source));
    if (silent && may_be_silent(sampler, source))
        printf("%s: ok, but no connection to the database was seen yet\n", part);
    else if (!problem && !silent && *sampler_source_why(sampler, source))
        printf("%s: ok, chosen by auto (%s)\n", part, sampler_source_why(sampler, source));
    else
        say(checks, part, problem || silent ? &err : NULL);
    free(part);
}

/* What each of `metrics` is now; why one is missing, its source has said. */
static void say_own_metrics(const struct config *config, const struct series_set *set)
{
    char text[VALUE_TEXT_SIZE];
    for (size_t i = 0; i < config->series_count; i++) {
        const char *name = config->series[i].name;
        const struct series *series = series_set_find(set, name);
        const struct sample *newest = series ? series_at(series, 0) : NULL;
        if (newest)
            printf("metric %s: ok, %s\n", name, metric_format(series->unit, newest->value, text));
        else
            printf("metric %s: no value\n", name);
    }
}

/* The others are not opened either. */
static void say_unopened(struct checks *checks, const struct error *err)
{
    printf("%s; sources are tried once that is mended\n", err->text);
    fflush(stdout);
    checks->failed = true;
}

/* Two samples at least: a rate needs them. */
static void check_sources(struct checks *checks)
{
    struct series_set series;
    series_set_init(&series, 8);
    struct sampler_setup setup = {.loop = checks->loop,
        .names = checks->names,
        .series = &series,
        .config = checks->config,
        .quiet = true,
        .sampled = note_sampled};
    struct error err = {0};
    struct sampler *sampler = sampler_open(&setup, &err);
    int64_t end_ms = clock_mono_ms() + source_patience_ms;
    bool never = false;
    for (int ticks = 0; sampler && (ticks < 3 || !is_known(sampler)); ticks++) {
        int64_t now_ms = clock_mono_ms();
        if (ticks >= 3 && now_ms >= end_ms)
            break;
        sampler_tick(sampler, now_ms);
        loop_run_until(checks->loop, &never, now_ms + 500);
    }
    if (!sampler) /* its sentence begins with which one */
        say_unopened(checks, &err);
    for (size_t i = 0; sampler && i < sampler_sources(sampler); i++)
        say_source(checks, sampler, i);
    if (sampler)
        say_own_metrics(checks->config, &series);
    sampler_close(sampler);
    series_set_free(&series);
}

/* What can be had in a shorter form is no failure: it is taken so. Neither is what need not be
 * there. */
static void say_profile(void *arg, const struct probe_finding *finding)
{
    struct checks *checks = arg;
    if (finding->common)
        return;
    char *part = probe_describe(finding->app, finding->entry);
    if (finding->verdict == PROBE_SHORTER)
        printf("%s: warning: %s\n", part, finding->why->text);
    else if (finding->verdict == PROBE_LEFT_OUT)
        printf("%s: %s\n", part, finding->why->text);
    else
        say(checks, part, finding->why);
    free(part);
}

static void note_probed(void *arg, const struct probe_summary *summary)
{
    struct checks *checks = arg;
    char *part = xasprintf("app %s", summary->app->name);
    if (summary->problem)
        say(checks, part, summary->problem);
    free(part);
    checks->probed = true;
}

/* Whether a running agent has the recorder on for this app. */
static bool is_recorded(struct checks *checks, const struct app_config *app)
{
    json_t *status = NULL, *recorder;
    struct error err;
    size_t i;
    bool recorded = false;
    if (client_ask(checks->loop, checks->config->state, "GET", "/status", &status, &err) ==
        CLIENT_ANSWERED) {
        json_array_foreach(json_object_get(status, "recorder"), i, recorder)
        {
            const char *name = json_string_value(json_object_get(recorder, "app"));
            const char *state = json_string_value(json_object_get(recorder, "state"));
            recorded = recorded ||
                       (name && state && !strcmp(name, app->name) && !strcmp(state, "recording"));
        }
    }
    json_decref(status);
    return recorded;
}

static void check_profiles(struct checks *checks, const struct app_config *app)
{
    struct probe_setup setup = {.loop = checks->loop,
        .config = checks->config,
        .app = app,
        .recorded = is_recorded(checks, app),
        .found = say_profile,
        .done = note_probed,
        .arg = checks};
    checks->probed = false;
    struct probe *probe = probe_start(&setup);
    loop_run_until(checks->loop, &checks->probed, INT64_MAX);
    probe_stop(probe);
}

static void check_state(struct checks *checks)
{
    const char *state = checks->config->state;
    char *path = xasprintf("%s/probe", state);
    char *socket = control_socket_path(state);
    struct error err;
    int status = fs_make_folders(state, &err);
    if (status == 0)
        status = fs_write(path, probe_text, strlen(probe_text), &err);
    if (status == 0)
        status = server_check_unix(socket, &err);
    char *part = xasprintf("state %s", state);
    say(checks, part, status < 0 ? &err : NULL);
    fs_remove(path, NULL);
    free(part);
    free(socket);
    free(path);
}

/* What exporters are given is no file of `state`, so that a fault of that is not blamed on them. */
static char *probe_file(int *fd)
{
    *fd = memfd_create("probe", MFD_CLOEXEC);
    (void)!write(*fd, probe_text, strlen(probe_text));
    return xasprintf("/proc/self/fd/%d", *fd);
}

struct sending {
    bool done;
    struct send_result result;
};

static void on_sent(void *arg, const struct send_result *result)
{
    struct sending *sending = arg;
    sending->result = *result;
    sending->done = true;
}

/* What --notify has sent. */
static struct incident *test_incident(const struct config *config)
{
    struct incident *incident = incident_new();
    incident->fired_ms = clock_wall_ms();
    incident->id = incident_new_id(incident->fired_ms, "check");
    incident->service = xstrdup(config->service);
    incident->kind = xstrdup("manual");
    incident->trigger.name = xstrdup("check");
    incident->trigger.reason = xstrdup(
        "Nothing has happened: this is a test, sent by `stakeout check --notify`. Incidents of "
        "this service will be told here.");
    return incident;
}

/* A reason that begins with the host, at which the label ends. */
static const char *without_host(const char *reason, const char *label)
{
    const char *host = strrchr(label, ' ');
    size_t length = host ? strlen(++host) : 0;
    bool same = length && !strncmp(reason, host, length) && !strncmp(reason + length, ": ", 2);
    return same ? reason + length + 2 : reason;
}

struct identifying {
    bool done;
    char *who; /* NULL: nobody */
};

static void on_identified(void *arg, const char *who)
{
    struct identifying *identifying = arg;
    identifying->done = true;
    identifying->who = who ? xstrdup(who) : NULL;
}

/* Says who the exporter is to its store, once something was sent: where that took so long that
 * credentials may hang, they are not waited for again. An answer may come later still, until the
 * exporter is closed. */
static void identify(struct checks *checks, const struct exporter_kind *kind, void *exporter,
    struct identifying *identifying, int64_t sent_ms)
{
    if (!kind->identify || clock_mono_ms() - sent_ms > identify_within_ms)
        return;
    kind->identify(exporter, on_identified, identifying);
    loop_run_until(checks->loop, &identifying->done, clock_mono_ms() + exporter_patience_ms);
    if (identifying->who)
        printf("credentials of %s: %s\n", kind->label(exporter), identifying->who);
}

/* NULL and err, as struct exporter_kind's open. */
static void open_exporter(const struct checks *checks, const struct exporter_config *configured,
    void **exporter, struct error *err)
{
    const struct exporter_setup setup = {.loop = checks->loop,
        .disk = checks->disk,
        .options = configured->options,
        .service = checks->config->service,
        .quiet = true};
    *exporter = exporter_kinds[configured->kind]->open(&setup, err);
}

/* As the log and `status` call it: by its identity where another one has its label, as two webhooks
 * of a host. Valid as long as the exporter. */
static const char *name_of(
    const struct checks *checks, const struct exporter_config *configured, void *exporter)
{
    const struct exporter_kind *kind = exporter_kinds[configured->kind];
    const char *label = kind->label(exporter), *identity = kind->identity(exporter);
    bool shared = false;
    for (size_t i = 0; i < checks->config->exporter_count && strcmp(label, identity) != 0; i++) {
        const struct exporter_config *other = &checks->config->exporters[i];
        struct error err;
        void *opened = NULL;
        if (other != configured && other->kind == configured->kind)
            open_exporter(checks, other, &opened, &err);
        shared = shared || (opened && !strcmp(label, kind->label(opened)));
        if (opened)
            kind->close(opened);
    }
    return shared ? identity : label;
}

/* A channel is not to be bothered with each check. */
static void check_notifier(
    struct checks *checks, const struct exporter_config *configured, void *exporter)
{
    const struct exporter_kind *kind = exporter_kinds[configured->kind];
    const char *name = name_of(checks, configured, exporter);
    struct sending sending = {0};
    struct error err;
    struct incident *incident = test_incident(checks->config);
    const struct notice notice = {.incident = incident, .test = true};
    if (checks->notify)
        kind->tell(exporter, &notice, on_sent, &sending);
    else
        kind->reach(exporter, on_sent, &sending);
    int64_t sent_ms = clock_mono_ms();
    struct identifying identifying = {.done = false};
    bool answered = loop_run_until(checks->loop, &sending.done, sent_ms + exporter_patience_ms);
    identify(checks, kind, exporter, &identifying, sent_ms);
    error_set(&err, "%s",
        answered ? without_host(sending.result.reason, kind->label(exporter))
                 : "it does not answer");
    if (!answered || sending.result.outcome != SEND_STORED)
        say(checks, name, &err);
    else
        printf("%s: ok, %s\n", name,
            checks->notify ? "a test message was sent"
                           : "it can be reached (--notify sends a test message)");
    kind->close(exporter); /* before the incident that it may be telling of */
    free(identifying.who);
    incident_free(incident);
}

static void try_fleet(
    struct checks *checks, const struct exporter_config *configured, void *exporter)
{
    const struct config *config = checks->config;
    const struct exporter_kind *kind = exporter_kinds[configured->kind];
    if (!config->fleet.incidents ||
        configured != &config->exporters[config_fleet_exporter(config, &config_kinds)])
        return;
    struct error err;
    char note[CHECK_FLEET_NOTE];
    char *part = xasprintf("fleet in %s", kind->label(exporter));
    int status = check_fleet(checks->loop, kind, exporter, config->service, note, &err);
    if (status == 0 && *note)
        printf("%s: ok, but %s\n", part, note);
    else
        say(checks, part, status < 0 ? &err : NULL);
    free(part);
}

static void try_sending(struct checks *checks, const struct exporter_config *configured,
    void *exporter, const char *path)
{
    const struct exporter_kind *kind = exporter_kinds[configured->kind];
    struct artifact artifact = {path, "_stakeout/probe", "text/plain; charset=utf-8", true, NULL};
    struct sending sending = {0};
    struct error err;
    kind->send(exporter, &artifact, on_sent, &sending);
    int64_t sent_ms = clock_mono_ms();
    struct identifying identifying = {.done = false};
    bool answered = loop_run_until(checks->loop, &sending.done, sent_ms + exporter_patience_ms);
    identify(checks, kind, exporter, &identifying, sent_ms);
    error_set(&err, "%s",
        answered ? sending.result.reason : "it does not answer: is what it stores to reachable?");
    bool stored = answered && sending.result.outcome == SEND_STORED;
    say(checks, kind->label(exporter), stored ? NULL : &err);
    if (stored)
        try_fleet(checks, configured, exporter);
    kind->close(exporter); /* before what it may be answering */
    free(identifying.who);
}

static void check_exporter(
    struct checks *checks, const struct exporter_config *configured, const char *path)
{
    const struct exporter_kind *kind = exporter_kinds[configured->kind];
    struct error err = {0};
    void *exporter;
    open_exporter(checks, configured, &exporter, &err);
    if (!exporter) {
        say(checks, kind->kind.name, &err);
        return;
    }
    if (kind->tell)
        check_notifier(checks, configured, exporter);
    else
        try_sending(checks, configured, exporter, path);
}

static int check_parts(struct checks *checks)
{
    struct error err;
    checks->loop = loop_open(&err);
    if (checks->loop) {
        checks->disk = offload_open(checks->loop, "disk", &err);
        checks->names = offload_open(checks->loop, "names", &err);
    }
    if (!checks->disk || !checks->names)
        return command_failed(&command_check, "%s", err.text);
    check_sources(checks);
    for (size_t i = 0; i < checks->config->app_count; i++)
        check_profiles(checks, &checks->config->apps[i]);
    check_databases(checks->loop, checks->config, say, checks);
    check_state(checks);
    int fd;
    char *path = probe_file(&fd);
    for (size_t i = 0; i < checks->config->exporter_count; i++)
        check_exporter(checks, &checks->config->exporters[i], path);
    free(path);
    close(fd);
    int64_t now_ms = clock_mono_ms();
    offload_close_by(checks->disk, now_ms + close_ms);
    offload_close_by(checks->names, now_ms + close_ms);
    loop_close(checks->loop);
    return checks->failed ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    const char *file = NULL;
    bool offline = false, notify = false;
    const struct command_option options[] = {{.name = "config", .letter = 'c', .text = &file},
        {.name = "offline", .flag = &offline}, {.name = "notify", .flag = &notify}, {.name = NULL}};
    if (options_read(&command_check, argc, argv, options, NULL) != EXIT_DONE)
        return EXIT_USAGE;
    if (offline && notify)
        return command_misused(
            &command_check, "--offline tries nothing and --notify sends a message: leave one out");
    struct config_needs needs = {.exporter = true};
    struct config *config = command_load_config(file, &needs);
    if (!config)
        return EXIT_USAGE;
    struct checks checks = {.config = config, .notify = notify};
    say(&checks, "configuration", NULL);
    int status = offline ? EXIT_DONE : check_parts(&checks);
    config_free(config, &config_kinds);
    return status;
}

const struct command command_check = {
    .name = "check",
    .usage = "[-c FILE] [--offline | --notify]",
    .summary = "Validates the configuration, then tries each part of it for real",
    .help =
        "  -c FILE    the configuration; else the text in $STAKEOUT_CONFIG, else\n"
        "             /etc/stakeout/stakeout.yaml\n"
        "  --offline  only validates\n"
        "  --notify   sends a test message through webhooks and SNS; else it is only looked\n"
        "             whether they can be reached\n\n"
        "Tried are the sources with every page of `metrics`, every profile of the capture sets\n"
        "that stand in the file or are used (with a request that is dropped before it costs\n"
        "the app anything), every database with its statements and what CloudWatch has of\n"
        "it, writing to `state`, and every exporter (one\n"
        "small object, PREFIX/_stakeout/probe; with fleet one more). A line each: ok, or the\n"
        "reason; for a bucket also who the credentials are and where they come from.\n",
    .run = run,
};
