/* Reads a Prometheus metrics page as it comes, in memory that does not grow with it, and adds up
 * the samples of the series that are wanted. Both formats: the text format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0 (openmetrics.io). Lines
 * of other series are only glanced at: a page of 5 MB has 60,000 of them. */
#ifndef SOURCES_PROMETHEUS_METRICS_PAGE_H
#define SOURCES_PROMETHEUS_METRICS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metric_selector;

enum {
    METRICS_PAGE_LINE_MAX = 8192, /* a longer line of a wanted series is malformed */
    METRICS_PAGE_EXAMPLE_SIZE = 160
};

/* One series that is wanted, and what the page that was read has of it. */
struct page_series {
    const struct metric_selector *selector; /* the caller's */
    size_t name_length;

    size_t matched; /* samples that the selector takes */
    size_t named;   /* samples of that name */
    double sum;     /* of those that match; NAN or infinite when one of them is */
    bool counter;   /* the page says that it only grows */
    bool exact;     /* the page has said so of this very name, not of a histogram's part */
    bool has_time;  /* the samples carry a timestamp */
    double time;    /* the latest of these: ms in the text format, s in OpenMetrics */
    char example[METRICS_PAGE_EXAMPLE_SIZE]; /* labels of one that is named so and does not match */
    char similar[METRICS_PAGE_EXAMPLE_SIZE]; /* the nearest other name; only with look_around */
};

struct metrics_page {
    struct page_series *series;
    size_t count;
    bool look_around; /* compares every name with those that are wanted: for did-you-mean */

    uint64_t lines, samples; /* samples: lines that look like one */
    uint64_t malformed;      /* lines */
    uint64_t malformed_line; /* number of the first of these */
    size_t carried;          /* bytes of a line whose end has not come yet */
    char carry[METRICS_PAGE_LINE_MAX];
    char last_name[METRICS_PAGE_EXAMPLE_SIZE]; /* that was compared */
};

/* Before each page. series[].selector must be set, and stays. */
void metrics_page_begin(
    struct metrics_page *page, struct page_series *series, size_t count, bool look_around);
void metrics_page_feed(struct metrics_page *page, const char *data, size_t size);
/* The page is over: its last line may have had no end. */
void metrics_page_end(struct metrics_page *page);

#endif
