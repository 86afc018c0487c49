#include "agent/control/status_statements.h"

#include "agent/control/prometheus.h"
#include "agent/statements/statements.h"
#include "core/clock.h"
#include "core/json_text.h"

static json_t *time_json(int64_t wall_ms)
{
    char text[RFC3339_SIZE];
    return wall_ms ? json_string(rfc3339_format(wall_ms, text)) : json_null();
}

static json_t *database_json(const struct statements_status *status)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", json_text(status->label), "database",
        json_text(status->database), "since", time_json(status->since_wall_ms), "last",
        time_json(status->looked_wall_ms), "error", json_text(status->problem));
}

json_t *status_statements(const struct statements *statements)
{
    json_t *list = json_array();
    for (size_t i = 0; i < statements_databases(statements); i++) {
        struct statements_status status;
        statements_status(statements, i, &status);
        json_array_append_new(list, database_json(&status));
    }
    return list;
}

void status_statements_metrics(const struct statements *statements, struct buf *out)
{
    static const char name[] = "stakeout_statements_up";
    size_t count = statements_databases(statements);
    if (count)
        prometheus_head(out, name, "gauge",
            "0 while a database does not tell of its statements; nothing before the first look.");
    for (size_t i = 0; i < count; i++) {
        struct statements_status status;
        statements_status(statements, i, &status);
        if (status.since_wall_ms)
            prometheus_labelled(out, name, "database", status.label, status.problem ? 0 : 1);
    }
}
