#include "agent/late/late_files.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "sources/cloudwatch/cloudwatch_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t start_ms = 1795446240000; /* 15:04:00 */

struct world {
    char *folder, *spooled, *late;
};

static void put(const struct world *world, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", world->spooled, name);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(path);
}

static int set_up(void **state)
{
    char pattern[] = "/tmp/stakeout-late-XXXXXX";
    struct world *world = xcalloc(1, sizeof *world);
    world->folder = xstrdup(mkdtemp(pattern));
    world->spooled = xasprintf("%s/spool/x", world->folder);
    world->late = xasprintf("%s/late/x", world->folder);
    fs_make_folders(world->spooled, NULL);
    struct incident *incident = incident_new();
    incident->id = xstrdup("20261123T150425Z-cpu-high-1a2b3c");
    incident->service = xstrdup("s");
    incident->kind = xstrdup("spike");
    incident->fired_ms = start_ms + 25000;
    incident->onset_ms = start_ms + 20000;
    incident_add_peak(incident, "cpu", 91);
    incident_add_peak(incident, "rds.CPUUtilization", 1);
    char *text = incident_to_text(incident);
    put(world, "incident.json", text);
    free(text);
    incident_free(incident);
    put(world, "cpu.pb.gz", "profile");
    put(world, ".sent-0", "");
    put(world, "metrics.csv",
        "time,cpu,rds.CPUUtilization,rds.ReadIOPS\n"
        "1795446250.123,12.5,,\n"
        "1795446300.000,,7,8\n"
        "1795446310.123,91,,\n");
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fs_remove(world->folder, NULL);
    free(world->folder);
    free(world->spooled);
    free(world->late);
    free(world);
    return 0;
}

static char *text_of(const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);
    struct buf text;
    int status = fs_read(path, 1 << 20, &text, NULL);
    char *copy = status == 0 ? xstrdup(text.data) : NULL;
    buf_free(&text);
    free(path);
    return copy;
}

static void keep(const struct world *world, struct late_window *window)
{
    struct error err = {""};
    assert_int_equal(late_files_keep(world->spooled, world->late, &err), 0);
    assert_int_equal(late_files_window(world->late, window, &err), 0);
}

static void files_are_kept_when_the_spool_lets_go(void **state)
{
    struct world *world = *state;
    struct late_window window;
    keep(world, &window);
    assert_int_equal(window.from_ms, start_ms - 280000); /* 5 minutes before the onset */
    assert_int_equal(window.to_ms, start_ms + 70123);
    assert_false(window.added);
    fs_remove(world->spooled, NULL);
    char *profile = text_of(world->late, "cpu.pb.gz"), *mark = text_of(world->late, ".sent-0");
    assert_string_equal(profile, "profile");
    assert_null(mark);
    free(profile);
    /* Once more changes nothing, and what there is not cannot be kept. */
    assert_int_equal(late_files_keep(world->spooled, world->late, NULL), 0);
    fs_remove(world->late, NULL);
    assert_int_equal(late_files_keep(world->spooled, world->late, NULL), -1);
    assert_false(fs_exists(world->late));
}

/* Minutes that end at 14:59:00 (before the window), 15:00, 15:05, 15:06 and 15:07 (which began
 * after it). */
static void minutes_of_the_window_are_added(void **state)
{
    struct world *world = *state;
    struct late_window window;
    struct error err = {""};
    struct cloudwatch_point points[] = {{start_ms - 300000, 1}, {start_ms - 240000, 2},
        {start_ms + 60000, 30.25}, {start_ms + 120000, 80}, {start_ms + 180000, 99}};
    struct cloudwatch_line all[] = {{points, 5}, {NULL, 0}};
    char cpu[] = "rds.CPUUtilization", reads[] = "rds.ReadIOPS";
    char *series[] = {cpu, reads};
    const struct cloudwatch_lines lines = {.all = all, .count = 2};
    const struct late_lines late = {series, &lines};
    keep(world, &window);
    assert_int_equal(late_files_add(world->late, &late, 1, &window, start_ms + 600000, &err), 0);
    char *csv = text_of(world->late, "metrics.csv"),
         *before = text_of(world->spooled, "metrics.csv");
    assert_string_equal(csv, "time,cpu,rds.ReadIOPS,rds.CPUUtilization\n"
                             "1795446000.000,,,2\n"
                             "1795446250.123,12.5,,\n"
                             "1795446300.000,,8,30.25\n"
                             "1795446310.123,91,,\n"
                             "1795446360.000,,,80\n");
    assert_non_null(strstr(before, ",7,8\n")); /* the spool's own is as it was */
    char *json = text_of(world->late, "incident.json");
    struct incident *incident = incident_from_text(json, strlen(json), &err);
    assert_non_null(incident);
    assert_int_equal(incident->late_added_ms, start_ms + 600000);
    assert_float_equal(incident_peak_of(incident, "rds.CPUUtilization"), 80, 0);
    assert_float_equal(incident_peak_of(incident, "cpu"), 91, 0);
    incident_free(incident);
    assert_int_equal(late_files_window(world->late, &window, &err), 0);
    assert_true(window.added);
    free(csv);
    free(before);
    free(json);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    struct world *world = *state;
    struct late_window window = {start_ms, start_ms, false};
    struct error err = {""};
    assert_int_equal(late_files_add("/nowhere/x", NULL, 0, &window, 1, &err), -1);
    put(world, "metrics.csv", "time,cpu\njunk\n");
    assert_int_equal(late_files_keep(world->spooled, world->late, &err), 0);
    assert_int_equal(late_files_window(world->late, &window, &err), -1);
    assert_non_null(strstr(err.text, "metrics.csv:2:1"));
    assert_int_equal(late_files_add(world->late, NULL, 0, &window, 1, &err), -1);
}

static void count_mark(void *arg, const char *exporter)
{
    assert_string_equal(exporter, "0123456789abcdef");
    ++*(int *)arg;
}

static void marks_last(void **state)
{
    struct world *world = *state;
    struct late_window window;
    int count = 0;
    keep(world, &window);
    late_files_marks(world->late, count_mark, &count);
    assert_int_equal(count, 0);
    late_files_mark(world->late, "0123456789abcdef");
    late_files_marks(world->late, count_mark, &count);
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_kept_when_the_spool_lets_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(minutes_of_the_window_are_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(marks_last, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
