#include "core/csv.h"

#include "core/buf.h"
#include "core/csv_number.h"
#include "core/error.h"
#include "core/series.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Reads all of a trace into text: "cpu memory|1000 5 -|2000 6 7", times in ms, "-" for gaps. */
static void transcribe(struct csv_reader *reader, struct buf *out, struct error *err)
{
    const char *const *names = csv_columns(reader);
    size_t count = 0;
    for (; names[count]; count++)
        assert_int_equal(buf_printf(out, "%s%s", count ? " " : "", names[count]), 0);
    struct csv_row row;
    int status;
    while ((status = csv_next(reader, &row, err)) == 1) {
        buf_printf(out, "|%lld", (long long)row.time_ms);
        for (size_t i = 0; i < count; i++)
            if (isnan(row.values[i]))
                buf_puts(out, " -");
            else
                buf_printf(out, " %.17g", row.values[i]);
    }
    if (status < 0)
        buf_puts(out, "|error");
}

static void assert_bytes_read(const void *data, size_t size, const char *rows, const char *message)
{
    struct error err = {""};
    struct buf out;
    buf_init(&out, 65536);
    struct csv_reader *reader = csv_open_bytes(data, size, "t.csv", &err);
    if (reader)
        transcribe(reader, &out, &err);
    else
        buf_puts(&out, "error");
    csv_close(reader);
    if (strcmp(out.data, rows) != 0 || strcmp(err.text, message) != 0)
        fail_msg("of \"%.60s\" it made \"%s\" and \"%s\"", (const char *)data, out.data, err.text);
    buf_free(&out);
}

static void assert_read(const char *text, const char *rows, const char *message)
{
    assert_bytes_read(text, strlen(text), rows, message);
}

static void every_form_of_a_trace_is_read(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"time,cpu,memory\n1,5,6\n2,7,8\n", "cpu memory|1000 5 6|2000 7 8"},
        {"time,cpu\n", "cpu"},
        {"time", ""},
        {"time\n1\n2\n", "|1000|2000"},
        {"time,cpu,memory\n1,,6\n2,,\n3,7,\n", "cpu memory|1000 - 6|2000 - -|3000 7 -"},
        {"time,cpu\r\n1,5\r\n2,6\r\n", "cpu|1000 5|2000 6"},
        {"\xef\xbb\xbftime,cpu\n1,5\n", "cpu|1000 5"},
        {"time,cpu\n1,5", "cpu|1000 5"},
        {"time,cpu\n1,5\r", "cpu|1000 5"},
        {"time,cpu\n1,5\n\n\r\n  \n", "cpu|1000 5"},
        {"time, cpu ,\tmemory\n 1 , 5,\t\n", "cpu memory|1000 5 -"},
        {"\"time\",\"cpu\"\n\"1\",\"5\"\n2,\"\"\n", "cpu|1000 5|2000 -"},
        {"time,\"a, b\",c\n1, \"5\" ,6\n", "a, b c|1000 5 6"},
        {"time,\xc3\xbc\n1,5\n", "\xc3\xbc|1000 5"},
        {"time,cpu\n0,5\n0.001,6\n", "cpu|0 5|1 6"},
        {"time,cpu\n1767225600.25,-1.5e3\n1767225600.2999999,+.5\n2e9,1.\n",
            "cpu|1767225600250 -1500|1767225600300 0.5|2000000000000 1"},
        {"time,cpu\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00.5+01:00,2\n1767225601,3\n",
            "cpu|1767225600000 1|1767225600500 2|1767225601000 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_read(cases[i].text, cases[i].rows, "");
}

static void every_error_names_its_line_and_column(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *rows, *message;
    } cases[] = {
        {"", "error", "t.csv:1:1: the trace is empty: it needs a header"},
        {"\n", "error",
            "t.csv:1:1: the first line must be the header \"time,<metric>,...\", and this begins "
            "with \"\""},
        {"1,5\n2,6\n", "error",
            "t.csv:1:1: the first line must be the header \"time,<metric>,...\", and this begins "
            "with \"1\""},
        {"cpu,time\n", "error",
            "t.csv:1:1: the first line must be the header \"time,<metric>,...\", and this begins "
            "with \"cpu\""},
        {"time,cpu,memory,cpu\n", "error", "t.csv:1:17: there is a column \"cpu\" already"},
        {"time,cpu,time\n", "error", "t.csv:1:10: there is a column \"time\" already"},
        {"time,cpu,\n", "error", "t.csv:1:10: the column has no name"},
        {"time,,cpu\n", "error", "t.csv:1:6: the column has no name"},
        {"time,\"cpu\n", "error", "t.csv:1:6: the quote is not closed on its line"},
        {"time,\"cpu\"x\n", "error",
            "t.csv:1:11: there must be a comma or the line's end after a quote"},
        {"time,c\x01u\n", "error",
            "t.csv:1:6: the column's name holds a byte that no name has: is this a CSV file?"},
        {"time,cpu\n1,5\n2,abc\n", "cpu|1000 5|error",
            "t.csv:3:3: \"abc\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu,memory\n1,5,nan\n", "cpu memory|error",
            "t.csv:2:5: \"nan\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu\n1,-inf\n", "cpu|error",
            "t.csv:2:3: \"-inf\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu\n1,1e999\n", "cpu|error",
            "t.csv:2:3: \"1e999\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu\n1,0x10\n", "cpu|error",
            "t.csv:2:3: \"0x10\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu\n1,5 6\n", "cpu|error",
            "t.csv:2:3: \"5 6\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu\n1,80%\n", "cpu|error",
            "t.csv:2:3: \"80%\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu\n1,\x80\xff\n", "cpu|error",
            "t.csv:2:3: \"??\" is not a finite number (a gap is an empty cell)"},
        {"time,cpu\n1,5\n1,6\n", "cpu|1000 5|error",
            "t.csv:3:1: the time 1 does not rise: it must be at least 1 ms after the row before"},
        {"time,cpu\n2,5\n1.5,6\n", "cpu|2000 5|error",
            "t.csv:3:1: the time 1.5 does not rise: it must be at least 1 ms after the row before"},
        {"time,cpu\n1.0001,5\n1.0002,6\n", "cpu|1000 5|error",
            "t.csv:3:1: the time 1.0002 does not rise: it must be at least 1 ms after the row "
            "before"},
        {"time,cpu\n-1,5\n", "cpu|error",
            "t.csv:2:1: \"-1\" is not a time: give Unix seconds or RFC 3339, from 1970 to 9999"},
        {"time,cpu\n1e15,5\n", "cpu|error",
            "t.csv:2:1: \"1e15\" is not a time: give Unix seconds or RFC 3339, from 1970 to 9999"},
        {"time,cpu\n,5\n", "cpu|error",
            "t.csv:2:1: \"\" is not a time: give Unix seconds or RFC 3339, from 1970 to 9999"},
        {"time,cpu\n2026-02-30T00:00:00Z,5\n", "cpu|error",
            "t.csv:2:1: \"2026-02-30T00:00:00Z\" is not a time: give Unix seconds or RFC 3339, "
            "from "
            "1970 to 9999"},
        {"time,cpu,memory\n1,5\n", "cpu memory|error",
            "t.csv:2:4: the row ends after 2 of the header's 3 columns"},
        {"time,cpu\n1\n", "cpu|error", "t.csv:2:2: the row ends after 1 of the header's 2 columns"},
        {"time,cpu\n1,5,6\n", "cpu|error", "t.csv:2:5: the row has more cells than the header's 2"},
        {"time,cpu\n1,5,\n", "cpu|error", "t.csv:2:5: the row has more cells than the header's 2"},
        {"time,cpu\n1,\"5\n2,6\"\n", "cpu|error", "t.csv:2:3: the quote is not closed on its line"},
        {"time,cpu\n1,5\n\n2,6\n", "cpu|1000 5|error",
            "t.csv:3:1: the line is empty, and rows follow"},
        {"\xef\xbb\xbftime,cpu,cpu\n", "error", "t.csv:1:10: there is a column \"cpu\" already"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_read(cases[i].text, cases[i].rows, cases[i].message);
    static const char binary[] = "time,cpu\n1,5\0\n";
    assert_bytes_read(binary, sizeof binary - 1, "cpu|error",
        "t.csv:2:3: \"5?\" is not a finite number (a gap is an empty cell)");
}

/* `before`, then `count` times `unit`, then `after`. */
static void assert_long(const char *before, const char *unit, size_t count, const char *after,
    const char *rows, const char *message)
{
    struct buf text;
    buf_init(&text, 8 << 20);
    buf_puts(&text, before);
    for (size_t i = 0; i < count; i++)
        buf_puts(&text, unit);
    buf_puts(&text, after);
    assert_read(text.data, rows, message);
    buf_free(&text);
}

static void what_is_too_long_is_refused(void **unused)
{
    (void)unused;
    assert_long("time,cpu\n1,", "0", 254, "5\n", "cpu|1000 5", "");
    assert_long("time,cpu\n1,", "0", 255, "5\n", "cpu|error",
        "t.csv:2:3: the field is longer than the 255 bytes allowed");
    assert_long("time,cpu\n1,", "9", 1 << 20, "\n", "cpu|error",
        "t.csv:2:3: the field is longer than the 255 bytes allowed");
    assert_long("time,cpu\n1,5", ",", 1 << 20, "", "cpu|error",
        "t.csv:2:5: the row has more cells than the header's 2");
    assert_long("time,cpu\n1,5\n", "\n", 1 << 20, "2,6", "cpu|1000 5|error",
        "t.csv:3:1: the line is empty, and rows follow");
    assert_long(
        "", "x", 1 << 20, "", "error", "t.csv:1:1: the field is longer than the 255 bytes allowed");
    assert_long("time,", "x", 81, "", "error",
        "t.csv:1:6: the column's name is longer than the 80 bytes allowed");
}

static void as_many_columns_as_allowed(void **unused)
{
    (void)unused;
    for (int columns = CSV_MAX_COLUMNS; columns <= CSV_MAX_COLUMNS + 1; columns++) {
        struct buf text;
        struct error err = {""};
        buf_init(&text, 65536);
        buf_puts(&text, "time");
        for (int i = 1; i < columns; i++)
            buf_printf(&text, ",m%03d", i);
        struct csv_reader *reader = csv_open_bytes(text.data, text.size, "t.csv", &err);
        if (columns == CSV_MAX_COLUMNS)
            assert_non_null(reader);
        else
            assert_string_equal(
                err.text, "t.csv:1:1281: there are more than the 256 columns allowed");
        csv_close(reader);
        buf_free(&text);
    }
}

static void a_file_is_read_block_by_block(void **unused)
{
    (void)unused;
    enum { ROWS = 100000 }; /* several times the reader's block */
    FILE *file = tmpfile();
    fputs("time,cpu,memory\n", file);
    for (int i = 1; i <= ROWS; i++)
        fprintf(file, "%d.5,%d.25,%s\n", i, i % 100, i % 2 ? "7" : "");
    fflush(file);
    assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
    struct error err = {""};
    struct csv_reader *reader = csv_open_fd(fileno(file), "t.csv", &err);
    assert_non_null(reader);
    struct csv_row row;
    for (int i = 1; i <= ROWS; i++) {
        assert_int_equal(csv_next(reader, &row, &err), 1);
        assert_int_equal(row.time_ms, i * 1000LL + 500);
        assert_true(row.values[0] == i % 100 + 0.25);
        assert_true(i % 2 ? row.values[1] == 7 : isnan(row.values[1]));
    }
    assert_int_equal(csv_next(reader, &row, &err), 0);
    csv_close(reader);
    fclose(file);
}

static void a_pipe_is_read_as_it_fills(void **unused)
{
    (void)unused;
    int ends[2];
    struct error err = {""};
    struct csv_row row;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "time,cpu\n1,5\n2,", 15), 15);
    struct csv_reader *reader = csv_open_fd(ends[0], "<stdin>", &err);
    assert_non_null(reader);
    assert_int_equal(csv_next(reader, &row, &err), 1);
    assert_int_equal(write(ends[1], "6", 1), 1);
    close(ends[1]);
    assert_int_equal(csv_next(reader, &row, &err), 1);
    assert_true(row.values[0] == 6);
    assert_int_equal(csv_next(reader, &row, &err), 0);
    csv_close(reader);
    close(ends[0]);
}

static void what_cannot_be_read_is_an_error(void **unused)
{
    (void)unused;
    struct error err = {""};
    int fd = open("fixtures", O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_null(csv_open_fd(fd, "fixtures", &err));
    assert_string_equal(err.text, "fixtures cannot be read: Is a directory");
    close(fd);
}

static void numbers_are_rounded_like_strtod(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"0", "-0", "93.1", "0.1", "123456789.123456789",
        "9007199254740993", "900719925474099.3", "0.000000000000000001", "1234567890123456789012",
        "1.7976931348623157e308", "4.9e-324", "1e-400", "3.1e8", "+7", ".5", "5.",
        "0.3000000000000000444089209850062616169452667236328125"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = NAN;
        assert_int_equal(csv_number(texts[i], strlen(texts[i]), &value), 0);
        assert_true(value == strtod(texts[i], NULL));
    }
    static const char *const junk[] = {"", "-", ".", "+.", "e5", "1e", "1e+", "1e5x", "1.2.3",
        "--1", "1,5", "0x1p3", "infinity", "1_000", "1 "};
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        double value;
        assert_int_equal(csv_number(junk[i], strlen(junk[i]), &value), -1);
    }
}

static void assert_written(const struct series_set *set, int64_t from_ms, int64_t to_ms,
    int64_t offset_ms, const char *expected)
{
    struct buf out;
    buf_init(&out, 65536);
    assert_int_equal(csv_write_series(&out, set, from_ms, to_ms, offset_ms), 0);
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void series_are_merged_into_rows(void **unused)
{
    (void)unused;
    struct series_set set;
    series_set_init(&set, 4);
    assert_written(&set, 0, 9000, 0, "time\n");
    struct series *cpu = series_set_add(&set, "cpu");
    struct series *memory = series_set_add(&set, "memory");
    series_set_add(&set, "silent");
    struct series *late = series_set_add(&set, "db.received");
    for (int i = 1; i <= 5; i++) /* the ring has forgotten the first */
        series_push(cpu, i * 1000, 90 + i / 10.0);
    series_push(memory, 2000, 61);
    series_push(memory, 2500, 1.0 / 3);
    series_push(memory, 5000, 0.1 + 0.2);
    series_push(late, 6000, 3.1e8);

    assert_written(&set, 0, 5999, 1767225600000,
        "time,cpu,memory\n"
        "1767225602.000,90.2,61\n"
        "1767225602.500,,0.333333333333\n"
        "1767225603.000,90.3,\n"
        "1767225604.000,90.4,\n"
        "1767225605.000,90.5,0.3\n");
    assert_written(&set, 2500, 3000, 7, "time,cpu,memory\n2.507,,0.333333333333\n3.007,90.3,\n");
    assert_written(&set, 5001, 6000, 0, "time,db.received\n6.000,310000000\n");
    assert_written(&set, 7000, 9000, 0, "time\n");

    struct buf small;
    buf_init(&small, 40);
    assert_int_equal(csv_write_series(&small, &set, 0, 9000, 0), -1);
    buf_free(&small);
    series_set_free(&set);
}

static void what_is_written_can_be_read(void **unused)
{
    (void)unused;
    struct series_set set;
    struct buf out;
    series_set_init(&set, 100);
    for (int i = 0; i < 100; i++) {
        series_push(series_set_add(&set, "cpu"), 1000 + i * 1003, 100.0 / (i + 1));
        if (i % 3)
            series_push(series_set_add(&set, "db.received"), 1000 + i * 1003, 1e9 * i);
    }
    buf_init(&out, 65536);
    assert_int_equal(csv_write_series(&out, &set, 0, INT64_MAX, 1767225600123), 0);
    struct error err = {""};
    struct csv_reader *reader = csv_open_bytes(out.data, out.size, "metrics.csv", &err);
    assert_non_null(reader);
    struct csv_row row;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(csv_next(reader, &row, &err), 1);
        assert_int_equal(row.time_ms, 1767225600123 + 1000 + i * 1003);
        assert_true(fabs(row.values[0] - 100.0 / (i + 1)) < 1e-9);
        assert_true(i % 3 ? row.values[1] == 1e9 * i : isnan(row.values[1]));
    }
    assert_int_equal(csv_next(reader, &row, &err), 0);
    csv_close(reader);
    buf_free(&out);
    series_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_trace_is_read),
        cmocka_unit_test(every_error_names_its_line_and_column),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(as_many_columns_as_allowed),
        cmocka_unit_test(a_file_is_read_block_by_block),
        cmocka_unit_test(a_pipe_is_read_as_it_fills),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
        cmocka_unit_test(numbers_are_rounded_like_strtod),
        cmocka_unit_test(series_are_merged_into_rows),
        cmocka_unit_test(what_is_written_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
