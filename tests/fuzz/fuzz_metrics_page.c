/* A selector in the first line, a metrics page in the rest: whatever pieces it comes in, the same
 * is read. */
#include "core/metric_selector.h"
#include "sources/prometheus/metrics_page.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_page(struct metrics_page *page, struct page_series series[2], const char *text,
    size_t size, size_t piece, bool look_around)
{
    metrics_page_begin(page, series, 2, look_around);
    for (size_t at = 0; at < size; at += piece)
        metrics_page_feed(page, text + at, piece < size - at ? piece : size - at);
    metrics_page_end(page);
}

static void compare(const struct page_series *a, const struct page_series *b)
{
    if (a->matched != b->matched || a->named != b->named || a->counter != b->counter ||
        a->matched > a->named || strcmp(a->example, b->example) != 0 ||
        (a->sum != b->sum && !(isnan(a->sum) && isnan(b->sum))))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct metrics_page whole, pieces;
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    if (!end)
        return 0;
    size_t length = (size_t)(end - data);
    char *text = calloc(length + 1, 1);
    struct metric_selector own, fixed;
    memcpy(text, data, length);
    if (metric_selector_parse(&own, text, NULL) < 0) {
        free(text);
        return 0;
    }
    if (metric_selector_parse(&fixed, "a_total{code=\"500\",path!=\"/\"}", NULL) < 0)
        abort();
    struct page_series one[2] = {{.selector = &own}, {.selector = &fixed}},
                       other[2] = {{.selector = &own}, {.selector = &fixed}};
    const char *page = (const char *)end + 1;
    read_page(&whole, one, page, size - length - 1, size, false);
    read_page(&pieces, other, page, size - length - 1, 1 + size % 13, true);
    compare(&one[0], &other[0]);
    compare(&one[1], &other[1]);
    if (whole.malformed != pieces.malformed || whole.samples != pieces.samples ||
        whole.lines != pieces.lines)
        abort();
    metric_selector_free(&own);
    metric_selector_free(&fixed);
    free(text);
    return 0;
}
