#include "agent/self/crashes.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    char state[64];
    struct buf said; /* the log of what was done last */
};

static int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    strcpy(world->state, "/tmp/stakeout-crashes-XXXXXX");
    assert_non_null(mkdtemp(world->state));
    buf_init(&world->said, 1 << 20);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fs_remove(world->state, NULL);
    buf_free(&world->said);
    free(world);
    return 0;
}

/* Opens with standard error read. */
static struct crashes *open_crashes(struct world *world)
{
    char path[96], block[4096];
    snprintf(path, sizeof path, "%s/log", world->state);
    int before = dup(STDERR_FILENO);
    int log = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    dup2(log, STDERR_FILENO);
    struct crashes *crashes = crashes_open(world->state);
    dup2(before, STDERR_FILENO);
    close(before);
    buf_clear(&world->said);
    lseek(log, 0, SEEK_SET);
    for (ssize_t got; (got = read(log, block, sizeof block)) > 0;)
        buf_append(&world->said, block, (size_t)got);
    close(log);
    return crashes;
}

static void write_file(const struct world *world, const char *name, const char *text)
{
    char path[128];
    struct error err;
    snprintf(path, sizeof path, "%s/%s", world->state, name);
    assert_int_equal(fs_write(path, text, strlen(text), &err), 0);
}

static void crash_at(const struct world *world, int second)
{
    char name[64], text[256];
    snprintf(name, sizeof name, "crash-2026-11-23T15:04:%02d.000Z.txt", second);
    snprintf(text, sizeof text,
        "crash 1\nversion 0.1.0\ntime 2026-11-23T15:04:%02d.000Z\nthread disk\nsignal SIGSEGV\n"
        "reason nothing is mapped there\naddress 0x8\n#0 stakeout+0x1b2c3 (build id 5f0c)\n"
        "#1 libc.so.6+0x2 (build id 5f0d)\nend complete\n",
        second);
    write_file(world, name, text);
}

static bool has(const struct world *world, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", world->state, name);
    return fs_exists(path);
}

static size_t lines(const struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->said.size; i++)
        count += world->said.data[i] == '\n';
    return count;
}

static void without_a_crash_nothing_is_said(void **state)
{
    struct world *world = *state;
    write_file(world, "crash-report.txt", "crash 1\n");
    write_file(world, "crash-2026-11-23T15:04:01.000Z-0.txt", "crash 1\n");
    write_file(world, "crash-2026-11-23T15:04:01.000Z-1.txt.old", "crash 1\n");
    struct crashes *crashes = open_crashes(world);
    assert_int_equal(lines(world), 0);
    assert_int_equal(crashes_count(crashes), 0);
    assert_int_equal(crashes_last_ms(crashes), 0);
    json_t *json = crashes_json(crashes);
    assert_null(json_object_get(json, "last"));
    json_decref(json);
    crashes_close(crashes);
}

static void a_crash_is_told_once(void **state)
{
    struct world *world = *state;
    crash_at(world, 1);
    struct crashes *crashes = open_crashes(world);
    assert_int_equal(lines(world), 1);
    assert_non_null(strstr(world->said.data, "level=warn"));
    assert_non_null(strstr(world->said.data,
        "crashed at 2026-11-23T15:04:01.000Z: SIGSEGV, nothing is mapped there, at address 0x8, in "
        "thread disk of stakeout 0.1.0"));
    assert_non_null(strstr(world->said.data, "stakeout+0x1b2c3 < libc.so.6+0x2"));
    assert_non_null(strstr(world->said.data, "/crash-2026-11-23T15:04:01.000Z-1.txt"));
    assert_false(has(world, "crash-2026-11-23T15:04:01.000Z.txt"));
    assert_true(has(world, "crash-2026-11-23T15:04:01.000Z-1.txt"));
    crashes_close(crashes);
    crashes = open_crashes(world);
    assert_int_equal(lines(world), 0);
    assert_int_equal(crashes_count(crashes), 1);
    assert_int_equal(crashes_last_ms(crashes), 1795446241000);
    json_t *json = crashes_json(crashes), *last = json_object_get(json, "last");
    assert_int_equal(json_integer_value(json_object_get(json, "count")), 1);
    assert_string_equal(
        json_string_value(json_object_get(last, "time")), "2026-11-23T15:04:01.000Z");
    assert_int_equal(json_array_size(json_object_get(last, "frames")), 2);
    json_decref(json);
    crashes_close(crashes);
}

static void the_newest_are_kept_and_all_are_counted(void **state)
{
    struct world *world = *state;
    for (int i = 1; i <= 12; i++) {
        crash_at(world, i);
        crashes_close(open_crashes(world));
        assert_int_equal(lines(world), 1);
    }
    crash_at(world, 13);
    crash_at(world, 14);
    struct crashes *crashes = open_crashes(world);
    assert_int_equal(lines(world), 2);
    assert_int_equal(crashes_count(crashes), 14);
    assert_int_equal(crashes_last_ms(crashes), 1795446254000);
    crashes_close(crashes);
    for (int i = 1; i <= 14; i++) {
        char name[64];
        snprintf(name, sizeof name, "crash-2026-11-23T15:04:%02d.000Z-%d.txt", i, i);
        assert_int_equal(has(world, name), i > 9);
    }
}

static void a_report_that_cannot_be_read_is_told_as_well(void **state)
{
    struct world *world = *state;
    write_file(world, "crash-2026-11-23T15:04:01.000Z.txt", "");
    struct crashes *crashes = open_crashes(world);
    assert_int_equal(lines(world), 1);
    assert_non_null(strstr(world->said.data, "cannot be read"));
    assert_int_equal(crashes_count(crashes), 1);
    json_t *json = crashes_json(crashes);
    assert_non_null(json_object_get(json_object_get(json, "last"), "file"));
    json_decref(json);
    crashes_close(crashes);
}

static void a_folder_that_is_not_there_has_none(void **state)
{
    (void)state;
    struct crashes *crashes = crashes_open("/nowhere/at/all");
    assert_int_equal(crashes_count(crashes), 0);
    crashes_close(crashes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_crash_nothing_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_crash_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_are_kept_and_all_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_report_that_cannot_be_read_is_told_as_well, set_up, tear_down),
        cmocka_unit_test(a_folder_that_is_not_there_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
