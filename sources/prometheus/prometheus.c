#include "sources/prometheus/prometheus.h"

#include "sources/prometheus/metrics_page.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/http.h"
#include "core/http_remedy.h"
#include "core/metric_selector.h"
#include "core/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DEADLINE_MS = 10000, /* for a page, or the interval if that is longer */
    PAGE_MAX_MIB = 32    /* a larger page is not read to its end */
};

/* A counter, or several added up, at the last reading. */
struct reading {
    bool known;
    double sum;
    size_t matched; /* series that were added up */
    double time_s;  /* on our clock, or the samples' own timestamp */
};

struct own_metric {
    struct series *series;
    struct metric_selector selector;
    char *name, *text; /* of the metric; of the selector, as written */
    int rate;
    struct reading reading;
    bool looked_for;      /* it is missing, and a page was looked through for similar names */
    size_t added_up;      /* series, on the last page that had any */
    bool grows;           /* it is shown as a rate */
    struct error problem; /* "": none */
};

/* One URL, and what is taken from it. */
struct metrics_source_page {
    struct prometheus *source;
    char *url, *public_url, *ca_file;
    char **headers; /* NULL-terminated */
    size_t header_count;
    struct own_metric *metrics;
    struct page_series *series; /* one for each metric */
    size_t count;
    struct metrics_page page;
    struct http_request *request; /* NULL: none is under way */
    int64_t asked_ms;             /* the tick of that request */
    bool begun;                   /* its answer's first bytes have come, at begun_s */
    double begun_s;
    struct error problem; /* of the last answer; "": none */
};

struct prometheus {
    struct source_setup setup;
    struct metrics_source_page *pages;
    size_t count;
};

static bool looks_around(const struct metrics_source_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        if (page->metrics[i].looked_for && !page->metrics[i].problem.text[0])
            return true;
    return false;
}

/* The app has gathered what the page holds by then. */
static void begin(struct metrics_source_page *page)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    page->begun = true;
    page->begun_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    metrics_page_begin(&page->page, page->series, page->count, looks_around(page));
}

static int take_data(void *arg, const void *data, size_t size)
{
    struct metrics_source_page *page = arg;
    if (!page->begun)
        begin(page);
    metrics_page_feed(&page->page, data, size);
    return 0;
}

static int no_answer(
    const struct metrics_source_page *page, const struct http_result *result, struct error *err)
{
    const char *remedy = http_remedy(
        result->outcome, result->error->text, NULL, page->ca_file != NULL);
    return error_set(err, "%s did not answer: %s%s%s", page->public_url, result->error->text,
        *remedy ? "; " : "", remedy);
}

static int check_status(
    const struct metrics_source_page *page, const struct http_result *result, struct error *err)
{
    const char *url = page->public_url;
    if (result->outcome == HTTP_TOO_LARGE)
        return error_set(err,
            "%s is larger than the %d MiB that are read; name a page with fewer series", url,
            PAGE_MAX_MIB);
    if (result->outcome != HTTP_ANSWERED)
        return no_answer(page, result, err);
    if (result->status == 401 || result->status == 403)
        return error_set(err,
            "%s answers %d: give what it wants with headers: {Authorization: ...}", url,
            result->status);
    if (result->status == 404)
        return error_set(
            err, "%s answers 404: there is no such page; its path is often /metrics", url);
    if (result->status >= 300 && result->status <= 399)
        return error_set(err,
            "%s answers %d, which leads elsewhere: name the page itself, with what it wants in "
            "headers",
            url, result->status);
    if (result->status < 200 || result->status > 299)
        return error_set(err, "%s answers %d instead of a metrics page", url, result->status);
    return 0;
}

/* -1 and err when it is no page of metrics at all. */
static int check_page(const struct metrics_source_page *page, struct error *err)
{
    const struct metrics_page *read = &page->page;
    if (read->samples)
        return 0;
    if (read->malformed)
        return error_set(err,
            "%s is no page of Prometheus metrics: its line %llu is no sample; its path is often "
            "/metrics, and where a login answers it wants headers: {Authorization: ...}",
            page->public_url, (unsigned long long)read->malformed_line);
    return error_set(err, "%s is a page without any metrics", page->public_url);
}

static char *malformed_lines(const struct metrics_source_page *page)
{
    unsigned long long count = page->page.malformed, first = page->page.malformed_line;
    if (count == 0)
        return xstrdup("");
    return count == 1
               ? xasprintf(" (its line %llu is malformed)", first)
               : xasprintf(" (%llu lines are malformed, the first is line %llu)", count, first);
}

/* Says so once it is known what else there is: names are compared on the next page. */
static void is_missing(const struct metrics_source_page *page, struct own_metric *metric,
    const struct page_series *found)
{
    struct error *err = &metric->problem;
    bool was_looked_for = metric->looked_for && page->page.look_around;
    metric->looked_for = true;
    if (err->text[0] || (!was_looked_for && !found->named))
        return;
    char *lines = malformed_lines(page);
    const char *name = metric->selector.name;
    if (found->named)
        error_set(err, "%s: %s has none of %s, but %zu of that name, such as %s%s", metric->name,
            page->public_url, metric->text, found->named, name, found->example);
    else if (found->similar[0])
        error_set(err, "%s: %s has no %s; did you mean \"%s\"?%s", metric->name, page->public_url,
            name, found->similar, lines);
    else
        error_set(err, "%s: %s has no %s%s", metric->name, page->public_url, name, lines);
    free(lines);
}

/* Its growth per second since the last reading; NAN when there was none or it has started over:
 * when it fell, or when one of the series that were added up is gone. A series that is new has
 * grown from 0, as counters do. */
static double growth(struct reading *reading, const struct page_series *found, double time_s)
{
    struct reading last = *reading;
    *reading = (struct reading){true, found->sum, found->matched, time_s};
    if (!last.known || found->sum < last.sum || found->matched < last.matched ||
        time_s <= last.time_s)
        return NAN;
    return (found->sum - last.sum) / (time_s - last.time_s);
}

/* Whether a sample was pushed. */
static bool take_metric(struct metrics_source_page *page, struct own_metric *metric,
    const struct page_series *found, bool in_seconds)
{
    double time_s = page->begun_s;
    metric->grows = metric->rate == PROMETHEUS_RATE ||
                    (metric->rate == PROMETHEUS_AUTO && found->counter);
    if (!found->matched) {
        is_missing(page, metric, found);
        /* Of counters that count the same, this one has nothing to count yet: it begins at 0. */
        if (metric->grows && found->named)
            metric->reading = (struct reading){.known = true, .time_s = time_s};
        return false;
    }
    metric->looked_for = false;
    metric->problem.text[0] = '\0';
    metric->added_up = found->matched;
    if (!isfinite(found->sum))
        return false;
    if (found->has_time) {
        time_s = in_seconds ? found->time : found->time / 1000;
        if (metric->reading.known && time_s == metric->reading.time_s)
            return false; /* the same sample as before */
    }
    double rate = growth(&metric->reading, found, time_s);
    uint64_t before = metric->series->pushed;
    series_push(metric->series, page->asked_ms, metric->grows ? rate : found->sum);
    return metric->series->pushed != before;
}

static void answered(void *arg, const struct http_result *result)
{
    struct metrics_source_page *page = arg;
    struct error *err = &page->problem;
    page->request = NULL;
    if (!page->begun)
        begin(page);
    metrics_page_end(&page->page);
    if (check_status(page, result, err) < 0 || check_page(page, err) < 0)
        return;
    err->text[0] = '\0';
    const char *type = http_header(result, "content-type");
    bool in_seconds = type && strstr(type, "openmetrics");
    bool any = false;
    for (size_t i = 0; i < page->count; i++)
        any = take_metric(page, &page->metrics[i], &page->series[i], in_seconds) || any;
    if (any && page->source->setup.sampled)
        page->source->setup.sampled(page->source->setup.arg);
}

static void ask(struct metrics_source_page *page, int64_t now_ms)
{
    int64_t interval_ms = page->source->setup.interval_ms;
    struct http_options options = {.url = page->url,
        .upload_fd = -1,
        .headers = (const char *const *)page->headers,
        .ca_file = page->ca_file,
        .decodes = true,
        .timeout_ms = interval_ms > DEADLINE_MS ? interval_ms : DEADLINE_MS,
        .max_answer_bytes = (uint64_t)PAGE_MAX_MIB << 20,
        .on_data = take_data,
        .done = answered,
        .arg = page};
    page->asked_ms = now_ms;
    page->begun = false;
    page->request = http_start(page->source->setup.loop, &options);
}

static void add_problem(struct buf *list, const struct error *problem)
{
    if (problem->text[0])
        buf_printf(list, "%s%s", list->size ? "; " : "", problem->text);
}

static int sample(void *arg, int64_t now_ms, struct error *err)
{
    struct prometheus *self = arg;
    struct buf problems;
    buf_init(&problems, 64 * 1024);
    for (size_t i = 0; i < self->count; i++) {
        struct metrics_source_page *page = &self->pages[i];
        if (!page->request)
            ask(page, now_ms);
        add_problem(&problems, &page->problem);
        for (size_t j = 0; j < page->count && !page->problem.text[0]; j++)
            add_problem(&problems, &page->metrics[j].problem);
    }
    int status = problems.size ? error_set(err, "%s", problems.data) : 0;
    buf_free(&problems);
    return status;
}

static struct metrics_source_page *page_of(struct prometheus *self, const char *url)
{
    for (size_t i = 0; i < self->count; i++)
        if (!strcmp(self->pages[i].url, url))
            return &self->pages[i];
    struct metrics_source_page *page = &self->pages[self->count++];
    page->source = self;
    page->url = xstrdup(url);
    page->public_url = http_public_url(url);
    return page;
}

static void add_header(struct metrics_source_page *page, char *line)
{
    page->headers = xrealloc(page->headers, page->header_count + 2, sizeof *page->headers);
    page->headers[page->header_count++] = line;
    page->headers[page->header_count] = NULL;
}

/* The text format is the cheaper one to make. */
static void share(struct metrics_source_page *page, const struct prometheus_metric *metric)
{
    if (!page->header_count)
        add_header(page, xstrdup("Accept: text/plain;version=0.0.4, "
                                 "application/openmetrics-text;version=1.0.0;q=0.8, */*;q=0.1"));
    bool has_own = page->header_count > 1;
    for (size_t i = 0; !has_own && i < metric->headers.count; i++)
        add_header(page, xasprintf("%s: %s", metric->headers.names[i], metric->headers.values[i]));
    if (!page->ca_file)
        page->ca_file = xstrdup_or_null(metric->ca_file);
}

static void take_on(
    struct prometheus *self, const struct prometheus_metric *metric, struct series_set *set)
{
    struct metrics_source_page *page = page_of(self, metric->url);
    share(page, metric);
    page->metrics = xrealloc(page->metrics, page->count + 1, sizeof *page->metrics);
    struct own_metric *own = &page->metrics[page->count++];
    *own = (struct own_metric){.series = series_set_add(set, metric->name),
        .name = xstrdup(metric->name),
        .text = xstrdup(metric->series),
        .rate = metric->rate};
    metric_selector_parse(&own->selector, metric->series, &own->problem);
}

static void close_source(void *arg)
{
    struct prometheus *self = arg;
    for (size_t i = 0; i < self->count; i++) {
        struct metrics_source_page *page = &self->pages[i];
        http_cancel(page->request);
        for (size_t j = 0; j < page->count; j++) {
            metric_selector_free(&page->metrics[j].selector);
            free(page->metrics[j].name);
            free(page->metrics[j].text);
        }
        for (size_t j = 0; j < page->header_count; j++)
            free(page->headers[j]);
        free(page->headers);
        free(page->metrics);
        free(page->series);
        free(page->ca_file);
        free(page->public_url);
        free(page->url);
    }
    free(self->pages);
    free(self);
}

static void *open_source(const struct source_setup *setup, struct error *err)
{
    const struct prometheus_options *options = setup->options;
    struct prometheus *self = xcalloc(1, sizeof *self);
    struct metric_selector selector;
    self->setup = *setup;
    self->pages = xcalloc(options->count, sizeof *self->pages);
    for (size_t i = 0; i < options->count; i++) {
        if (metric_selector_parse(&selector, options->metrics[i].series, err) < 0) {
            close_source(self);
            return NULL;
        }
        metric_selector_free(&selector);
        take_on(self, &options->metrics[i], setup->series);
    }
    for (size_t i = 0; i < self->count; i++) {
        struct metrics_source_page *page = &self->pages[i];
        page->series = xcalloc(page->count, sizeof *page->series);
        for (size_t j = 0; j < page->count; j++)
            page->series[j].selector = &page->metrics[j].selector;
    }
    return self;
}

static void describe_page(const struct metrics_source_page *page,
    void (*say)(void *arg, const char *sentence), void *say_arg)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct own_metric *metric = &page->metrics[i];
        if (!metric->added_up)
            continue;
        char *sum = metric->added_up == 1 ? xstrdup("")
                                          : xasprintf(", %zu series added up", metric->added_up);
        char *sentence = xasprintf("%s is %s of %s%s%s", metric->name, metric->text,
            page->public_url, metric->grows ? ", its growth per second" : "", sum);
        say(say_arg, sentence);
        free(sentence);
        free(sum);
    }
    if (!page->page.malformed)
        return;
    char *lines = malformed_lines(page);
    char *sentence = xasprintf("%s is read but for its malformed lines%s", page->public_url, lines);
    say(say_arg, sentence);
    free(sentence);
    free(lines);
}

static void describe(void *arg, void (*say)(void *arg, const char *sentence), void *say_arg)
{
    const struct prometheus *self = arg;
    for (size_t i = 0; i < self->count; i++)
        describe_page(&self->pages[i], say, say_arg);
}

const struct source_kind source_prometheus = {
    .kind = {.name = "prometheus", .help = "series of Prometheus metrics pages"},
    .open = open_source,
    .sample = sample,
    .describe = describe,
    .close = close_source,
};
