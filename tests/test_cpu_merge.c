/* A merge on a real folder, and what a kill at each of its steps leaves to the next start. */
#include "agent/capture/cpu_merge.h"

#include "agent/capture/profile_check.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/loop.h"
#include "core/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two whole profiles that differ: a sample_type and a string, in gzip with another header flag. */
static const unsigned char whole[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
    0xe3, 0x62, 0x30, 0x62, 0x00, 0x00, 0x09, 0x6b, 0x89, 0xa3, 0x04, 0x00, 0x00, 0x00};
static const unsigned char merged[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff,
    0xe3, 0x62, 0x30, 0x62, 0x00, 0x00, 0x09, 0x6b, 0x89, 0xa3, 0x04, 0x00, 0x00, 0x00};

struct world {
    char folder[64];
    struct loop *loop;
    struct offload *disk;
    struct incident *incident;
    bool done;
    char why[600];
};

static char *in_folder(const struct world *world, const char *name)
{
    return xasprintf("%s/%s", world->folder, name);
}

static void put(const struct world *world, const char *name, const void *data, size_t size)
{
    char *path = in_folder(world, name);
    assert_int_equal(fs_write(path, data, size, NULL), 0);
    free(path);
}

static bool is_there(const struct world *world, const char *name)
{
    char *path = in_folder(world, name);
    bool there = fs_exists(path);
    free(path);
    return there;
}

static void checksum(const struct world *world, const char *name, char sha256[65])
{
    struct profile_facts facts;
    char *path = in_folder(world, name);
    assert_int_equal(profile_check_file(path, PROFILE_FORM_PPROF, &facts, NULL), 0);
    assert_int_equal(facts.soundness, PROFILE_WHOLE);
    memcpy(sha256, facts.sha256, 65);
    free(path);
}

static void add(struct world *world, const char *name, int64_t from_ms, int64_t to_ms)
{
    struct incident_profile *profile = incident_add_profile(world->incident, name);
    profile->file = profile_file_name(name, PROFILE_FORM_PPROF);
    profile->status = PROFILE_OK;
    profile->requested_ms = from_ms;
    profile->finished_ms = to_ms;
    profile->seconds = (double)(to_ms - from_ms) / 1000;
    put(world, profile->file, whole, sizeof whole);
    checksum(world, profile->file, profile->sha256);
}

static int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    struct error err;
    strcpy(world->folder, "/tmp/stakeout-merge-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    world->incident = incident_new();
    world->incident->id = xstrdup("20261123T150401Z-cpu-high-1a2b3c");
    world->incident->service = xstrdup("woogles");
    world->incident->app = xstrdup("app");
    world->incident->kind = xstrdup("spike");
    world->incident->trigger.name = xstrdup("cpu-high");
    world->incident->fired_ms = 20000;
    world->incident->onset_ms = 13000;
    add(world, "cpu.slice-1", 10000, 15000);
    add(world, "cpu.slice-2", 15010, 20000);
    add(world, "cpu", 20020, 30000);
    add(world, "heap", 20000, 20010);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    offload_close(world->disk);
    loop_close(world->loop);
    incident_free(world->incident);
    fs_remove(world->folder, NULL);
    free(world);
    return 0;
}

/* The command's arguments from -o on, with the folder left out. */
static void command(const struct world *world, char *text, size_t size)
{
    char **argv = cpu_merge_command(world->incident, world->folder, 0);
    size_t used = 0;
    snprintf(text, size, "none");
    for (char **arg = argv ? argv + 4 : NULL; arg && *arg; arg++) {
        const char *slash = strrchr(*arg, '/');
        used += (size_t)snprintf(
            text + used, size - used, "%s%s", used ? " " : "", slash ? slash + 1 : *arg);
    }
    cpu_merge_free_command(argv);
}

static void what_a_merge_may_inflate_is_a_matter_of_memory(void **state)
{
    static const struct {
        int64_t memory_mib;
        const char *limit;
    } cases[] = {
        {0, "16384KiB"}, {1024, "16384KiB"}, {62, "16384KiB"}, {40, "9947KiB"}, {8, "585KiB"}};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char **argv = cpu_merge_command(world->incident, world->folder, cases[i].memory_mib << 20);
        assert_non_null(argv);
        assert_string_equal(argv[3], cases[i].limit);
        cpu_merge_free_command(argv);
    }
}

static void what_is_whole_is_merged(void **state)
{
    static const struct {
        enum profile_status first, second, own;
        const char *command;
    } cases[] = {
        {PROFILE_OK, PROFILE_OK, PROFILE_OK,
            "-o .cpu.merged cpu.slice-1.pb.gz cpu.slice-2.pb.gz cpu.pb.gz"},
        {PROFILE_OK, PROFILE_TRUNCATED, PROFILE_OK, "-o .cpu.merged cpu.slice-1.pb.gz cpu.pb.gz"},
        {PROFILE_FAILED, PROFILE_OK, PROFILE_FAILED, "-o .cpu.merged cpu.slice-2.pb.gz"},
        {PROFILE_OK, PROFILE_OK, PROFILE_TRUNCATED, "none"},
        {PROFILE_FAILED, PROFILE_FAILED, PROFILE_OK, "none"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        world->incident->profiles[0].status = cases[i].first;
        world->incident->profiles[1].status = cases[i].second;
        world->incident->profiles[2].status = cases[i].own;
        command(world, text, sizeof text);
        assert_string_equal(text, cases[i].command);
    }
}

static void runs_of_the_app_are_never_mixed(void **state)
{
    static const struct {
        unsigned first, second, own;
        enum profile_status status; /* of the own one */
        bool leaves;
        const char *command;
    } cases[] = {
        {1, 1, 1, PROFILE_OK, false,
            "-o .cpu.merged cpu.slice-1.pb.gz cpu.slice-2.pb.gz cpu.pb.gz"},
        {0, 1, 1, PROFILE_OK, true, "-o .cpu.merged cpu.slice-2.pb.gz cpu.pb.gz"},
        {0, 0, 1, PROFILE_OK, true, "none"},
        {0, 1, 2, PROFILE_OK, true, "none"},
        {0, 0, 1, PROFILE_FAILED, false, "-o .cpu.merged cpu.slice-1.pb.gz cpu.slice-2.pb.gz"},
        {0, 1, 1, PROFILE_FAILED, true, "-o .cpu.merged cpu.slice-2.pb.gz"},
        {0, 1, 2, PROFILE_FAILED, true, "-o .cpu.merged cpu.slice-2.pb.gz"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        world->incident->profiles[0].run = cases[i].first;
        world->incident->profiles[1].run = cases[i].second;
        world->incident->profiles[2].run = cases[i].own;
        world->incident->profiles[2].status = cases[i].status;
        command(world, text, sizeof text);
        assert_string_equal(text, cases[i].command);
        assert_int_equal(cpu_merge_leaves_slices(world->incident), cases[i].leaves);
    }
}

static void on_done(void *arg, const char *why)
{
    struct world *world = arg;
    world->done = true;
    snprintf(world->why, sizeof world->why, "%s", why ? why : "");
}

static void commit(struct world *world)
{
    world->done = false;
    cpu_merge_commit(world->disk, world->incident, world->folder, on_done, world);
    assert_true(loop_run_until(world->loop, &world->done, clock_mono_ms() + 60000));
}

static void a_slice_of_before_a_restart_stays(void **state)
{
    struct world *world = *state;
    world->incident->profiles[1].run = world->incident->profiles[2].run = 1;
    put(world, ".cpu.merged", merged, sizeof merged);
    commit(world);
    assert_string_equal(world->why, "");
    assert_int_equal(world->incident->profile_count, 3);
    assert_string_equal(world->incident->profiles[0].name, "cpu.slice-1");
    const struct incident_profile *cpu = incident_find_profile(world->incident, "cpu");
    assert_int_equal(cpu->requested_ms, 15010);
    assert_false(cpu->onset_covered);
    assert_true(is_there(world, "cpu.slice-1.pb.gz"));
    assert_false(is_there(world, "cpu.slice-2.pb.gz"));
}

static void the_merged_one_takes_the_place_of_all(void **state)
{
    struct world *world = *state;
    put(world, ".cpu.merged", merged, sizeof merged);
    char sha256[65], now[65];
    checksum(world, ".cpu.merged", sha256);
    commit(world);
    assert_string_equal(world->why, "");
    assert_int_equal(world->incident->profile_count, 2);
    const struct incident_profile *cpu = incident_find_profile(world->incident, "cpu");
    assert_int_equal(cpu->status, PROFILE_OK);
    assert_int_equal(cpu->requested_ms, 10000);
    assert_int_equal(cpu->finished_ms, 30000);
    assert_int_equal((int)(cpu->seconds * 1000 + 0.5), 5000 + 4990 + 9980);
    assert_int_equal(cpu->bytes, sizeof merged);
    assert_string_equal(cpu->sha256, sha256);
    assert_true(cpu->onset_covered);
    checksum(world, "cpu.pb.gz", now);
    assert_string_equal(now, sha256);
    assert_false(is_there(world, "cpu.slice-1.pb.gz") || is_there(world, "cpu.slice-2.pb.gz") ||
                 is_there(world, ".cpu.merged"));
    assert_true(is_there(world, "heap.pb.gz"));
    /* What is written down says the same. */
    struct buf text;
    char *path = in_folder(world, "incident.json"), *expected = incident_to_text(world->incident);
    assert_int_equal(fs_read(path, 1 << 20, &text, NULL), 0);
    assert_string_equal(text.data, expected);
    buf_free(&text);
    free(path);
    free(expected);
}

static void the_onset_is_covered_only_by_what_is_in_it(void **state)
{
    static const struct {
        int64_t onset_ms;
        bool first, covered;
    } cases[] = {
        {13000, true, true},
        {15005, true, true},   /* between two */
        {13000, false, false}, /* the slice that was running then is not in it */
        {15005, false, false},
        {20010, true, true},
        {9999, true, false},
        {0, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        world->incident->onset_ms = cases[i].onset_ms;
        if (!cases[i].first)
            world->incident->profiles[0].status = PROFILE_TRUNCATED;
        put(world, ".cpu.merged", merged, sizeof merged);
        commit(world);
        const struct incident_profile *cpu = incident_find_profile(world->incident, "cpu");
        assert_int_equal(cpu->onset_covered, cases[i].covered);
    }
}

static void a_capture_that_failed_is_said(void **state)
{
    struct world *world = *state;
    struct incident_profile *own = &world->incident->profiles[2];
    own->status = PROFILE_FAILED;
    free(own->file);
    own->file = NULL;
    own->error = xstrdup("nobody is there");
    put(world, ".cpu.merged", merged, sizeof merged);
    commit(world);
    const struct incident_profile *cpu = incident_find_profile(world->incident, "cpu");
    assert_int_equal(cpu->status, PROFILE_TRUNCATED);
    assert_string_equal(cpu->error,
        "it has only what the recorder had around the fire; after that: nobody is there");
    assert_string_equal(cpu->file, "cpu.pb.gz");
    assert_int_equal(cpu->finished_ms, 20000);
}

static void what_is_no_profile_changes_nothing(void **state)
{
    static const char *const contents[] = {"", "nonsense", "\x1f\x8b\x08"};
    struct world *world = *state;
    for (size_t i = 0; i <= sizeof contents / sizeof *contents; i++) {
        if (i < sizeof contents / sizeof *contents)
            put(world, ".cpu.merged", contents[i], strlen(contents[i]));
        commit(world);
        assert_string_not_equal(world->why, "");
        assert_int_equal(world->incident->profile_count, 4);
        assert_false(is_there(world, "incident.json"));
        assert_true(is_there(world, "cpu.slice-1.pb.gz"));
    }
}

static void what_cannot_be_written_down_changes_nothing(void **state)
{
    struct world *world = *state;
    char *blocker = in_folder(world, "incident.json/x");
    assert_int_equal(fs_make_folders(blocker, NULL), 0);
    put(world, ".cpu.merged", merged, sizeof merged);
    commit(world);
    assert_non_null(strstr(world->why, "incident.json"));
    assert_int_equal(world->incident->profile_count, 4);
    assert_true(is_there(world, "cpu.slice-2.pb.gz"));
    free(blocker);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void set_done(void *arg)
{
    ((struct world *)arg)->done = true;
}

static void what_cannot_take_its_place_is_not_written_down(void **state)
{
    struct world *world = *state;
    char *cpu = in_folder(world, "cpu.pb.gz"), *blocker = in_folder(world, "cpu.pb.gz/x");
    char *json = in_folder(world, "incident.json");
    char *expected = incident_to_text(world->incident);
    assert_int_equal(fs_remove(cpu, NULL), 0);
    assert_int_equal(fs_make_folders(blocker, NULL), 0);
    put(world, ".cpu.merged", merged, sizeof merged);
    commit(world);
    assert_non_null(strstr(world->why, "cannot rename"));
    assert_int_equal(world->incident->profile_count, 4);
    assert_true(is_there(world, "cpu.slice-1.pb.gz") && is_there(world, "cpu.slice-2.pb.gz"));
    struct buf text;
    assert_int_equal(fs_read(json, 1 << 20, &text, NULL), 0);
    assert_string_equal(text.data, expected);
    buf_free(&text);
    offload_submit(world->disk, nothing, set_done, world);
    world->done = false;
    assert_true(loop_run_until(world->loop, &world->done, clock_mono_ms() + 60000));
    assert_false(is_there(world, ".cpu.merged"));
    free(expected);
    free(json);
    free(cpu);
    free(blocker);
}

/* Kills, from the first step to the last. */
static void every_kill_leaves_what_incident_json_says(void **state)
{
    static const struct {
        bool merged_there, written_down, renamed;
        bool slices_after, merged_after; /* the slices are there; cpu.pb.gz is the merged one */
    } cases[] = {
        {false, false, false, true, false}, /* nothing had begun */
        {true, false, false, true, false},  /* the child was done */
        {true, true, false, false, true},   /* it was written down */
        {false, true, true, false, true},   /* it had taken its place */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        char sha256[65], now[65];
        put(world, "x", merged, sizeof merged);
        checksum(world, "x", sha256);
        if (cases[i].merged_there)
            put(world, ".cpu.merged", merged, sizeof merged);
        if (cases[i].renamed)
            put(world, "cpu.pb.gz", merged, sizeof merged);
        if (cases[i].written_down) {
            incident_remove_profile(world->incident, 0);
            incident_remove_profile(world->incident, 0);
            memcpy(world->incident->profiles[0].sha256, sha256, sizeof sha256);
        }
        cpu_merge_recover(world->incident, world->folder);
        assert_int_equal(is_there(world, "cpu.slice-1.pb.gz"), cases[i].slices_after);
        assert_int_equal(is_there(world, "cpu.slice-2.pb.gz"), cases[i].slices_after);
        assert_false(is_there(world, ".cpu.merged"));
        checksum(world, "cpu.pb.gz", now);
        assert_int_equal(!strcmp(now, sha256), cases[i].merged_after);
        assert_true(is_there(world, "heap.pb.gz"));
    }
}

static void what_a_child_left_is_removed(void **state)
{
    struct world *world = *state;
    put(world, ".cpu.merged", "x", 1);
    cpu_merge_discard(world->disk, world->folder);
    cpu_merge_discard(world->disk, world->folder); /* none there is fine */
    commit(world);
    assert_false(is_there(world, ".cpu.merged"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_merge_may_inflate_is_a_matter_of_memory),
        TEST(what_is_whole_is_merged),
        TEST(runs_of_the_app_are_never_mixed),
        TEST(a_slice_of_before_a_restart_stays),
        TEST(the_merged_one_takes_the_place_of_all),
        TEST(the_onset_is_covered_only_by_what_is_in_it),
        TEST(a_capture_that_failed_is_said),
        TEST(what_is_no_profile_changes_nothing),
        TEST(what_cannot_be_written_down_changes_nothing),
        TEST(what_cannot_take_its_place_is_not_written_down),
        TEST(every_kill_leaves_what_incident_json_says),
        TEST(what_a_child_left_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
