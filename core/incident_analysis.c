#include "core/alloc.h"
#include "core/incident.h"
#include "core/incident_json.h"
#include "core/json_text.h"

#include <math.h>
#include <stdlib.h>

static void free_function(struct incident_function *function)
{
    free(function->function);
    free(function->file);
    free(function->profile);
    free(function->sample);
    free(function->why);
    for (size_t i = 0; i < function->path_count; i++)
        free(function->path[i]);
    free(function->path);
}

void incident_clear_analysis(struct incident *incident)
{
    struct incident_analysis *analysis = &incident->analysis;
    free(analysis->headline);
    free(analysis->group);
    free_function(&analysis->suspect);
    free(analysis->no_suspect);
    for (size_t i = 0; i < analysis->runner_up_count; i++)
        free_function(&analysis->runners_up[i]);
    free(analysis->runners_up);
    free(analysis->sparkline.metric);
    free(analysis->sparkline.values);
    free(analysis->skipped);
    *analysis = (struct incident_analysis){
        .suspect = {.cum_percent = NAN, .baseline_percent = NAN, .delta_points = NAN},
        .explained = {.profile_cpu_s = NAN, .container_cpu_s = NAN, .percent = NAN},
    };
}

static json_t *function_to_json(const struct incident_function *function)
{
    json_t *json = json_object();
    if (!function->function)
        return json;
    incident_put_text(json, "function", function->function);
    incident_put_text(json, "file", function->file);
    incident_put_positive(json, "line", function->line);
    incident_put_text(json, "profile", function->profile);
    incident_put_text(json, "sample", function->sample);
    incident_put_number(json, "cum_percent", function->cum_percent);
    incident_put_number(json, "baseline_percent", function->baseline_percent);
    incident_put_number(json, "delta_points", function->delta_points);
    if (function->path_count > 0) {
        json_t *path = json_array();
        for (size_t i = 0; i < function->path_count; i++)
            json_array_append_new(path, json_text(function->path[i]));
        json_object_set_new(json, "path", path);
    }
    incident_put_text(json, "why", function->why);
    return json;
}

static json_t *sparkline_to_json(const struct incident_sparkline *sparkline)
{
    json_t *json = json_object();
    if (!sparkline->metric)
        return json;
    incident_put_text(json, "metric", sparkline->metric);
    incident_put_time(json, "from", sparkline->from_ms);
    incident_put_time(json, "to", sparkline->to_ms);
    json_t *values = json_array();
    for (size_t i = 0; i < sparkline->count; i++)
        json_array_append_new(
            values, isfinite(sparkline->values[i]) ? json_real(sparkline->values[i]) : json_null());
    json_object_set_new(json, "values", values);
    return json;
}

void incident_analysis_to_json(const struct incident_analysis *analysis, json_t *incident)
{
    incident_put_text(incident, "headline", analysis->headline);
    incident_put_text(incident, "group", analysis->group);
    incident_put_object(incident, "suspect", function_to_json(&analysis->suspect));
    incident_put_text(incident, "no_suspect", analysis->no_suspect);
    if (analysis->runner_up_count > 0) {
        json_t *runners_up = json_array();
        for (size_t i = 0; i < analysis->runner_up_count; i++)
            json_array_append_new(runners_up, function_to_json(&analysis->runners_up[i]));
        json_object_set_new(incident, "runners_up", runners_up);
    }
    json_t *explained = json_object();
    incident_put_number(explained, "profile_cpu_s", analysis->explained.profile_cpu_s);
    incident_put_number(explained, "container_cpu_s", analysis->explained.container_cpu_s);
    incident_put_number(explained, "percent", analysis->explained.percent);
    incident_put_object(incident, "explained", explained);
    incident_put_object(incident, "sparkline", sparkline_to_json(&analysis->sparkline));
    incident_put_text(incident, "analysis_skipped", analysis->skipped);
}

static void read_path(const json_t *path, struct incident_function *function)
{
    size_t count = json_array_size(path);
    count = count > INCIDENT_PATH_MAX ? INCIDENT_PATH_MAX : count;
    if (!count)
        return;
    function->path = xcalloc(count, sizeof *function->path);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(path, i));
        function->path[function->path_count++] = xstrdup(name ? name : "");
    }
}

static void read_function(const json_t *json, struct incident_function *function)
{
    *function = (struct incident_function){
        .function = incident_get_text(json, "function"),
        .file = incident_get_text(json, "file"),
        .line = incident_get_count(json, "line", INT64_MAX),
        .profile = incident_get_text(json, "profile"),
        .sample = incident_get_text(json, "sample"),
        .cum_percent = incident_get_number(json, "cum_percent"),
        .baseline_percent = incident_get_number(json, "baseline_percent"),
        .delta_points = incident_get_number(json, "delta_points"),
        .why = incident_get_text(json, "why"),
    };
    read_path(json_object_get(json, "path"), function);
}

static void read_runners_up(const json_t *runners_up, struct incident_analysis *analysis)
{
    size_t count = json_array_size(runners_up);
    count = count > INCIDENT_RUNNERS_UP_MAX ? INCIDENT_RUNNERS_UP_MAX : count;
    if (!count)
        return;
    analysis->runners_up = xcalloc(count, sizeof *analysis->runners_up);
    for (size_t i = 0; i < count; i++)
        read_function(json_array_get(runners_up, i), &analysis->runners_up[i]);
    analysis->runner_up_count = count;
}

static void read_sparkline(const json_t *json, struct incident_sparkline *sparkline)
{
    const json_t *values = json_object_get(json, "values");
    size_t count = json_array_size(values);
    count = count > INCIDENT_SPARKLINE_MAX ? INCIDENT_SPARKLINE_MAX : count;
    *sparkline = (struct incident_sparkline){.metric = incident_get_text(json, "metric")};
    if (!sparkline->metric || !count)
        return;
    sparkline->from_ms = incident_get_time(json, "from");
    sparkline->to_ms = incident_get_time(json, "to");
    sparkline->values = xcalloc(count, sizeof *sparkline->values);
    sparkline->count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(values, i);
        sparkline->values[i] = json_is_number(value) ? json_number_value(value) : NAN;
    }
}

void incident_analysis_from_json(const json_t *incident, struct incident_analysis *analysis)
{
    const json_t *explained = json_object_get(incident, "explained");
    *analysis = (struct incident_analysis){
        .headline = incident_get_text(incident, "headline"),
        .group = incident_get_text(incident, "group"),
        .no_suspect = incident_get_text(incident, "no_suspect"),
        .skipped = incident_get_text(incident, "analysis_skipped"),
        .explained = {.profile_cpu_s = incident_get_number(explained, "profile_cpu_s"),
            .container_cpu_s = incident_get_number(explained, "container_cpu_s"),
            .percent = incident_get_number(explained, "percent")},
    };
    read_function(json_object_get(incident, "suspect"), &analysis->suspect);
    read_runners_up(json_object_get(incident, "runners_up"), analysis);
    read_sparkline(json_object_get(incident, "sparkline"), &analysis->sparkline);
}
