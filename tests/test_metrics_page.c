#include "core/metric_selector.h"
#include "sources/prometheus/metrics_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One selector against one page. */
struct reader {
    struct metric_selector selector;
    struct page_series series;
    struct metrics_page *page;
};

static void read_in_pieces(struct reader *reader, const char *text, const char *page, size_t piece)
{
    assert_int_equal(metric_selector_parse(&reader->selector, text, NULL), 0);
    reader->series.selector = &reader->selector;
    reader->page = calloc(1, sizeof *reader->page);
    metrics_page_begin(reader->page, &reader->series, 1, false);
    size_t size = strlen(page);
    for (size_t at = 0; at < size; at += piece)
        metrics_page_feed(reader->page, page + at, piece < size - at ? piece : size - at);
    metrics_page_end(reader->page);
}

static void end(struct reader *reader)
{
    metric_selector_free(&reader->selector);
    free(reader->page);
}

static void samples_are_selected_and_added_up(void **state)
{
    (void)state;
    static const struct {
        const char *selector, *page;
        size_t matched, named;
        double sum;
    } cases[] = {
        {"a", "a 1\n", 1, 1, 1},
        {"a", "a 1", 1, 1, 1},
        {"a", "a\t 1.5e3\t\r\n", 1, 1, 1500},
        {"a", "  a +2\n", 1, 1, 2},
        {"a", "ab 1\na_b 2\nA 3\n", 0, 0, 0},
        {"a", "a{} 7\n", 1, 1, 7},
        {"a", "a{x=\"1\"} 1\na{x=\"2\"} 2\n", 2, 2, 3},
        {"a{x=\"2\"}", "a{x=\"1\"} 1\na{x=\"2\"} 2\n", 1, 2, 2},
        {"a{x!=\"2\"}", "a{x=\"1\"} 1\na{x=\"2\"} 2\na 4\n", 2, 3, 5},
        {"a{x=\"2\",y=\"3\"}", "a{y=\"3\",z=\"4\",x=\"2\"} 5\na{x=\"2\"} 1\n", 1, 2, 5},
        {"a{x=\"\"}", "a{y=\"1\"} 5\na{x=\"1\"} 1\na{x=\"\"} 2\n", 2, 3, 7},
        {"a{x!=\"\"}", "a{y=\"1\"} 5\na{x=\"1\"} 1\n", 1, 2, 1},
        {"a{x!=\"1\",x!=\"2\"}", "a{x=\"1\"} 1\na{x=\"2\"} 2\na{x=\"3\"} 4\n", 1, 3, 4},
        {"a{x=\"q\\\"\\\\\\n\"}", "a{x=\"q\\\"\\\\\\n\"} 1\n", 1, 1, 1},
        {"a{x=\"qq\"}", "a{x=\"q\"} 1\na{x=\"qqq\"} 2\n", 0, 2, 0},
        {"a", "a { x = \"1\" , } 3 \n", 1, 1, 3},
        {"a", "a{x=\"} 9\"} 3\n", 1, 1, 3},
        {"a", "a 1 1395066363000\n", 1, 1, 1},
        {"a_bucket{le=\"+Inf\"}",
            "a_bucket{le=\"0.5\"} 1 # {trace_id=\"q\"} 0.3 1520879607.789\n"
            "a_bucket{le=\"+Inf\"} 17 # {} 0.67\n# EOF\n",
            1, 2, 17},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece <= strlen(cases[i].page); piece++) {
            struct reader reader;
            read_in_pieces(&reader, cases[i].selector, cases[i].page, piece);
            if (reader.series.matched != cases[i].matched || reader.page->malformed)
                print_error("case %zu, in pieces of %zu\n", i, piece);
            assert_int_equal(reader.series.matched, cases[i].matched);
            assert_int_equal(reader.series.named, cases[i].named);
            assert_true(reader.series.sum == cases[i].sum);
            assert_int_equal(reader.page->malformed, 0);
            end(&reader);
        }
    }
}

static void malformed_lines_are_counted_and_left_out(void **state)
{
    (void)state;
    static const char *const lines[] = {"<html>", "1a 5", "{\"x\": 1}", "a", "a{", "a{x",
        "a{x=", "a{x=1} 2", "a{x=\"1} 2", "a{x=\"1\" 2", "a{x=\"1\"y=\"2\"} 2", "a{=\"1\"} 2",
        "a{x=\"1\"}", "a {x=\"1\"} two", "a 1 2 3", "a 1 x", "a 0x", "a 1,5", "a 1 NaN",
        "a{x:y=\"1\"} 1", "a 1111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct reader reader;
        char page[200];
        snprintf(page, sizeof page, "# HELP a b\na 1\n%s\na 2\n", lines[i]);
        read_in_pieces(&reader, "a", page, 7);
        bool glanced_at = !strcmp(lines[i], "a"); /* a name alone may be anybody's */
        if (reader.page->malformed == glanced_at)
            print_error("%s\n", lines[i]);
        assert_true(reader.page->malformed == (glanced_at ? 0U : 1U));
        assert_true(reader.page->malformed_line == (glanced_at ? 0U : 3U));
        assert_true(reader.series.sum == 3);
        end(&reader);
    }
}

static void values_that_are_no_numbers_make_the_sum_none(void **state)
{
    (void)state;
    static const char *const pages[] = {"a NaN\n", "a{x=\"1\"} 1\na{x=\"2\"} NaN\n", "a +Inf\n",
        "a -Inf\na{x=\"1\"} +Inf\n", "a nan\na 1\n"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct reader reader;
        read_in_pieces(&reader, "a", pages[i], 100);
        assert_true(isnan(reader.series.sum) || isinf(reader.series.sum));
        assert_true(reader.series.matched > 0);
        assert_int_equal(reader.page->malformed, 0);
        end(&reader);
    }
}

static void the_page_says_what_only_grows(void **state)
{
    (void)state;
    static const struct {
        const char *selector, *page;
        bool counter;
    } cases[] = {
        {"a_total", "# TYPE a_total counter\na_total 1\n", true},
        {"a_total", "# TYPE a counter\na_total 1\n", true},
        {"a_total", "a_total 1\n", false},
        {"a_created", "# TYPE a counter\na_created 1\n", false},
        {"a", "# TYPE a gauge\na 1\n", false},
        {"a", "# TYPE a untyped\na 1\n", false},
        {"a", "# TYPE ab counter\na 1\n", false},
        {"a_sum", "# TYPE a histogram\na_sum 1\n", true},
        {"a_count", "# TYPE a  histogram \na_count 1\n", true},
        {"a_bucket", "# TYPE a histogram\na_bucket{le=\"1\"} 1\n", true},
        {"a_gsum", "# TYPE a gaugehistogram\na_gsum 1\n", false},
        {"a_bucket", "# TYPE a gaugehistogram\na_bucket{le=\"1\"} 1\n", false},
        {"a_sum", "# TYPE a summary\na_sum 1\n", true},
        {"a", "# TYPE a summary\na{quantile=\"0.5\"} 1\n", false},
        {"a_count", "# TYPE a histogram\n# TYPE a_count gauge\na_count 1\n", false},
        {"a_count", "# TYPE a_count gauge\n# TYPE a histogram\na_count 1\n", false},
        {"a", "# TYPE\n# TYPE a\n#\n# TYPE a counter", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reader reader;
        read_in_pieces(&reader, cases[i].selector, cases[i].page, 5);
        if (reader.series.counter != cases[i].counter)
            print_error("case %zu\n", i);
        assert_int_equal(reader.series.counter, cases[i].counter);
        end(&reader);
    }
}

static void the_latest_timestamp_is_kept(void **state)
{
    (void)state;
    struct reader reader;
    read_in_pieces(&reader, "a", "a{x=\"1\"} 1 5000\na{x=\"2\"} 2 7000.5\na{x=\"3\"} 2 6000\n", 9);
    assert_true(reader.series.has_time);
    assert_true(reader.series.time == 7000.5);
    end(&reader);
}

static void an_example_of_other_labels_is_kept_fit_to_print(void **state)
{
    (void)state;
    struct reader reader;
    read_in_pieces(&reader, "a{code=\"500\"}", "a{code=\"\x1b[31m\"} 1\na{code=\"404\"} 1\n", 100);
    assert_int_equal(reader.series.named, 2);
    assert_string_equal(reader.series.example, "{code=\"?[31m\"}");
    end(&reader);
    char page[400];
    snprintf(page, sizeof page, "a{x=\"%0200d\"} 1\n", 0);
    read_in_pieces(&reader, "a{x=\"1\"}", page, 100);
    assert_int_equal(strlen(reader.series.example), METRICS_PAGE_EXAMPLE_SIZE - 1);
    assert_string_equal(reader.series.example + METRICS_PAGE_EXAMPLE_SIZE - 4, "...");
    end(&reader);
}

static void similar_names_are_looked_for_when_asked(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *similar;
    } cases[] = {
        {"go_gorutines", "go_goroutines"},
        {"goroutines", "go_goroutines"},
        {"http_requests_total", "http_requests_totals"},
        {"process_open_fds_now", "process_open_fds"},
        {"memory", ""},
    };
    static const char page[] = "# TYPE x y\ngo_goroutines_of 3\ngo_goroutines 1\n"
                               "http_requests_totals{code=\"1\"} 4\nprocess_open_fds 1\n";
    struct metrics_page *reader = calloc(1, sizeof *reader);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct metric_selector selector;
        assert_int_equal(metric_selector_parse(&selector, cases[i].wanted, NULL), 0);
        struct page_series series = {.selector = &selector};
        metrics_page_begin(reader, &series, 1, true);
        metrics_page_feed(reader, page, strlen(page));
        metrics_page_end(reader);
        if (i == 1) /* the first that holds it; either would do */
            assert_non_null(strstr(series.similar, "go_goroutines"));
        else
            assert_string_equal(series.similar, cases[i].similar);
        metric_selector_free(&selector);
    }
    free(reader);
}

static void long_lines_cost_no_memory_and_no_others(void **state)
{
    (void)state;
    size_t size = 3 * METRICS_PAGE_LINE_MAX;
    char *page = calloc(size + 100, 1);
    static const char *const names[] = {"b", "a"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t piece = 1000; piece < size; piece *= 4) {
            memset(page, 'x', size);
            memcpy(page, names[i], 1);
            memcpy(page + 1, "{x=\"", 4);
            strcpy(page + size, "\"} 1\na 2\n");
            struct reader reader;
            read_in_pieces(&reader, "a", page, piece);
            assert_true(reader.series.sum == 2);
            assert_int_equal(reader.page->malformed, i);
            assert_int_equal(reader.page->lines, 2);
            end(&reader);
        }
    }
    free(page);
}

static void selectors_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t labels; /* SELECTOR_LABELS_MAX + 1: it is refused */
    } cases[] = {
        {"a", 0},
        {"a:b_c9", 0},
        {"a{}", 0},
        {"a{x=\"1\"}", 1},
        {"a { x = \"1\" , y != \"\", }", 2},
        {"", 9},
        {"9a", 9},
        {"a b", 9},
        {"a{", 9},
        {"a{x}", 9},
        {"a{x=}", 9},
        {"a{x=1}", 9},
        {"a{x=\"1}", 9},
        {"a{x=~\"1\"}", 9},
        {"a{x!~\"1\"}", 9},
        {"a{x=\"1\" y=\"2\"}", 9},
        {"a{x=\"1\"}b", 9},
        {"a{=\"1\"}", 9},
        {"{x=\"1\"}", 9},
        {"a{x!\"1\"}", 9},
        {"a{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\"}", 8},
        {"a{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\",i=\"\"}", 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct metric_selector selector;
        int status = metric_selector_parse(&selector, cases[i].text, NULL);
        if (status != (cases[i].labels > SELECTOR_LABELS_MAX ? -1 : 0))
            print_error("%s\n", cases[i].text);
        assert_int_equal(status, cases[i].labels > SELECTOR_LABELS_MAX ? -1 : 0);
        if (status == 0)
            assert_int_equal(selector.label_count, cases[i].labels);
        metric_selector_free(&selector);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_selected_and_added_up),
        cmocka_unit_test(malformed_lines_are_counted_and_left_out),
        cmocka_unit_test(values_that_are_no_numbers_make_the_sum_none),
        cmocka_unit_test(the_page_says_what_only_grows),
        cmocka_unit_test(the_latest_timestamp_is_kept),
        cmocka_unit_test(an_example_of_other_labels_is_kept_fit_to_print),
        cmocka_unit_test(similar_names_are_looked_for_when_asked),
        cmocka_unit_test(long_lines_cost_no_memory_and_no_others),
        cmocka_unit_test(selectors_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
