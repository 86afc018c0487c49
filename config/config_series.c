/* `metrics`: own series, by name. */
#include "config/config_parts.h"
#include "config/fields_text.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/metric_selector.h"

#include <string.h>

enum { SERIES_MAX = 64, NAME_MAX_LENGTH = 64 };

static const char *const rates[] = {"auto", "true", "false", NULL};

const struct field config_series_fields[] = {
    {.key = "prometheus",
        .type = FIELD_URL,
        .offset = offsetof(struct series_config, prometheus),
        .required = 1,
        .help = "URL of a metrics page, such as http://localhost:8001/metrics (text format or "
                "OpenMetrics); fetched once every interval for all metrics that name it"},
    {.key = "series",
        .type = FIELD_STRING,
        .offset = offsetof(struct series_config, series),
        .required = 1,
        .help = "what is taken from it, such as go_goroutines or "
                "'http_requests_total{code=\"500\"}' (= and !=); several that match are added up"},
    {.key = "rate",
        .type = FIELD_CHOICE,
        .offset = offsetof(struct series_config, rate),
        .otherwise = "auto",
        .choices = rates,
        .help = "its growth per second instead of its value; auto: of what the page calls a "
                "counter, and of the _sum, _count and _bucket of histograms and summaries"},
    {.key = "headers",
        .type = FIELD_SECRETS,
        .offset = offsetof(struct series_config, headers),
        .help = "headers of the page's requests, such as Authorization; metrics of the same URL "
                "share them"},
    {.key = "ca_file",
        .type = FIELD_STRING,
        .offset = offsetof(struct series_config, ca_file),
        .help = "PEM file with the authority to trust; else the system's; shared like headers"},
    {.key = NULL},
};

/* A name that could be a built-in metric's would be taken for one. */
static void check_name(const struct config_reader *reader, const struct node *node)
{
    const char *name = node->key;
    const struct config *config = reader->config;
    const struct metric *metric = metric_of_series(name);
    if (!strcmp(name, "time"))
        node_key_problem(reader->problems, node,
            "is the first column of metrics.csv; call it "
            "something else");
    else if (metric)
        node_key_problem(reader->problems, node,
            "is, or ends like, the built-in metric %s; call it something else", metric->name);
    else if (!strncmp(name, "db.", 3) || !strncmp(name, "rds.", 4))
        node_key_problem(reader->problems, node,
            "begins like the database's metrics, %.*s*; call "
            "it something else",
            (int)(strchr(name, '.') + 1 - name), name);
    for (size_t i = 0; !config->single_app && i < config->app_count; i++) {
        size_t length = strlen(config->apps[i].name);
        if (!strncmp(config->apps[i].name, name, length) && name[length] == '.')
            node_key_problem(reader->problems, node,
                "begins like the metrics of the app %s; call it something else",
                config->apps[i].name);
    }
}

static void check_series(
    const struct config_reader *reader, const struct series_config *series, const struct node *node)
{
    struct metric_selector selector;
    struct error err;
    if (!series->series)
        return;
    if (metric_selector_parse(&selector, series->series, &err) < 0)
        node_problem(reader->problems, node_get(node, "series"), "%s", err.text);
    else
        metric_selector_free(&selector);
}

static bool same_map(const struct string_map *a, const struct string_map *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = !strcmp(a->names[i], b->names[i]) && !strcmp(a->values[i], b->values[i]);
    return same;
}

/* A page is fetched once, in one way. */
static void check_shared(
    const struct config_reader *reader, const struct series_config *series, const struct node *node)
{
    const struct config *config = reader->config;
    for (const struct series_config *other = config->series; other < series; other++) {
        if (!series->prometheus || !other->prometheus ||
            strcmp(series->prometheus, other->prometheus) != 0)
            continue;
        if (series->headers.count && other->headers.count &&
            !same_map(&series->headers, &other->headers))
            node_problem(reader->problems, node_get(node, "headers"),
                "are others than those of metrics.%s, which has the same URL: a page is fetched "
                "once for all",
                other->name);
        if (series->ca_file && other->ca_file && strcmp(series->ca_file, other->ca_file) != 0)
            node_problem(reader->problems, node_get(node, "ca_file"),
                "is another than that of metrics.%s, which has the same URL", other->name);
    }
}

static void read_series(const struct config_reader *reader, const struct node *node)
{
    struct config *config = reader->config;
    struct series_config *series = &config->series[config->series_count++];
    *series = (struct series_config){.name = xstrdup(node->key)};
    fields_bind(&(struct binding){config_series_fields, series}, 1, node, reader->problems);
    if (node->type != NODE_MAPPING)
        return;
    check_series(reader, series, node);
    check_shared(reader, series, node);
}

void config_read_series(struct config_reader *reader, const struct node *root)
{
    const struct node *node = node_get(root, "metrics");
    if (!node || node->wrong || !config_is_mapping(reader, node, "a mapping of names to series"))
        return;
    if (node->count > SERIES_MAX) {
        node_problem(
            reader->problems, node, "holds %zu metrics; %d are allowed", node->count, SERIES_MAX);
        return;
    }
    reader->config->series = xcalloc(node->count, sizeof *reader->config->series);
    for (size_t i = 0; i < node->count; i++) {
        const struct node *child = node->children[i];
        if (!fields_is_name(child->key, NAME_MAX_LENGTH))
            node_key_problem(
                reader->problems, child, "a metric's name is letters, digits, . _ - (1 to 64)");
        else
            check_name(reader, child);
        read_series(reader, child);
    }
}
