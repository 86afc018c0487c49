#include "agent/kinds.h"

const struct source_kind *const source_kinds[] = {
    &source_ecs, &source_process, &source_docker, &source_cgroup, NULL};
const struct trigger_kind *const trigger_kinds[] = {&trigger_threshold, &trigger_spike,
    &trigger_forecast, &trigger_counter, &trigger_composite, &trigger_recurs, NULL};
const struct exporter_kind *const exporter_kinds[] = {
    &exporter_directory, &exporter_pyroscope, &exporter_s3, &exporter_webhook, &exporter_sns, NULL};

static const struct kind *const sources[] = {
    &source_ecs.kind, &source_process.kind, &source_docker.kind, &source_cgroup.kind, NULL};
static const struct kind *const triggers[] = {&trigger_threshold.kind, &trigger_spike.kind,
    &trigger_forecast.kind, &trigger_counter.kind, &trigger_composite.kind, &trigger_recurs.kind,
    NULL};
static const struct kind *const exporters[] = {&exporter_directory.kind, &exporter_pyroscope.kind,
    &exporter_s3.kind, &exporter_webhook.kind, &exporter_sns.kind, NULL};
const struct config_kinds config_kinds = {sources, triggers, exporters};
