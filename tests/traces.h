/* Runs the traces of fixtures/traces through a detector, as `replay` does. */
#ifndef TESTS_TRACES_H
#define TESTS_TRACES_H

#include "agent/detection/detector.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/series.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define TRACES_BEGIN_MS INT64_C(1767225600000) /* 2026-01-01: taken from every time */

static inline void trace_play(const char *path, struct series_set *set, struct detector *detector)
{
    struct error err = {""};
    struct csv_row row;
    int status, fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    struct csv_reader *reader = csv_open_fd(fd, path, &err);
    assert_non_null(reader);
    while ((status = csv_next(reader, &row, &err)) == 1) {
        for (size_t i = 0; csv_columns(reader)[i]; i++)
            if (!isnan(row.values[i]))
                series_push(series_set_add(set, csv_columns(reader)[i]),
                    row.time_ms - TRACES_BEGIN_MS, row.values[i]);
        detector_check(detector);
    }
    assert_int_equal(status, 0);
    csv_close(reader);
    close(fd);
}

#endif
