/* What each kind of death leaves in the spool, and what the next start makes of it. */
#include "spool_rig.h"

#include <math.h>

static void a_kill_before_the_first_checkpoint_leaves_nothing(void **state)
{
    struct world *world = *state;
    begin(world);
    restart(world);
    assert_int_equal(count(world), 0);
    assert_false(is_there(world, making, NULL));
}

static void a_checkpoint_that_cannot_be_read_costs_nothing(void **state)
{
    static const char *const texts[] = {"{\"schema\":99}", "{\"sch", " "};
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT); /* that it is left is told as an error */
    begin(world);
    put(world, making, "heap.pb.gz", whole, sizeof whole);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put(world, making, "incident.json", texts[i], strlen(texts[i]));
        restart(world);
        assert_int_equal(count(world), 0);
        assert_true(is_there(world, making, "heap.pb.gz"));
        assert_true(is_there(world, making, "incident.json"));
    }
}

static void a_checkpoint_without_profiles_that_cannot_be_read_stays(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    begin(world);
    put(world, making, "incident.json", "{\"schema\":99}", 13);
    restart(world);
    assert_true(is_there(world, making, "incident.json"));
}

/* What is known then is in the id, the configuration and the profiles. */
static void a_profile_without_a_checkpoint_is_completed(void **state)
{
    struct world *world = *state;
    for (int empty = 0; empty < 2; empty++) {
        begin(world);
        put(world, making, "heap.pb.gz", whole, sizeof whole);
        put(world, making, ".cpu.pb.gz", whole, sizeof whole - 9);
        put(world, making, ".goroutine.pb.gz", "", 0);
        if (empty)
            put(world, making, "incident.json", "", 0);
        restart(world);
        struct incident *incident = read_back(world);
        assert_string_equal(incident->id, id);
        assert_string_equal(incident->service, "woogles");
        assert_string_equal(incident->app, "app");
        assert_string_equal(incident->kind, "spike");
        assert_string_equal(incident->trigger.name, "cpu-high");
        assert_non_null(strstr(incident->trigger.reason, "killed"));
        assert_int_equal(incident->fired_ms, INT64_C(1795446241000));
        assert_true(is_there(world, id, "metrics.csv"));
        assert_int_equal(incident->profile_count, 3);
        assert_int_equal(incident->profiles[0].status, PROFILE_TRUNCATED);
        assert_string_equal(incident->profiles[0].file, "cpu.pb.gz");
        assert_int_equal(incident->profiles[1].status, PROFILE_FAILED);
        assert_int_equal(incident->profiles[2].status, PROFILE_OK);
        assert_string_equal(incident->profiles[2].file, "heap.pb.gz");
        incident_free(incident);
        char *folder = in_spool(world, id, NULL);
        fs_remove(folder, NULL);
        free(folder);
    }
}

static void what_is_no_profile_stays(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    begin(world);
    put(world, making, "notes", "x", 1);
    put(world, making, "heap.pb.gz", "<html>", 6);
    restart(world);
    assert_int_equal(count(world), 0);
    assert_true(is_there(world, making, "notes") && is_there(world, making, "heap.pb.gz"));
}

static void note_down(const struct world *world)
{
    static const char *const files[] = {
        "cpu.slice-11.pb.gz", "cpu.slice-12.pb.gz", "cpu.slice-13.pb.gz"};
    struct incident *incident = new_incident();
    for (size_t i = 0; i < 3; i++) {
        char *name = xasprintf("cpu.slice-%zu", i + 1);
        struct incident_profile *slice = incident_add_profile(incident, name);
        slice->file = xstrdup(files[i]);
        slice->requested_ms = incident->fired_ms - 3000 + (int64_t)i * 1000;
        free(name);
    }
    incident->onset_ms = incident->fired_ms - 2500;
    spool_note(world->spool, incident);
    incident_free(incident);
}

/* An incident takes three slices of the recorder's four; the last is being recorded. The agent is
 * killed after so many steps: the incident is noted, a slice moved, another, the checkpoint. */
static void every_kill_leaves_an_incident_its_slices(void **state)
{
    static const char recorder[] = ".recorder-app";
    enum { BEGUN, NOTED, FIRST_MOVED, SECOND_MOVED, STEPS };
    for (int step = BEGUN; step < STEPS; step++) {
        if (step > BEGUN) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        struct error err;
        char *folder = spool_recorder_folder(world->spool, "app");
        assert_int_equal(spool_make_recorder(folder, &err), 0);
        begin(world);
        if (step >= NOTED)
            note_down(world);
        put(world, step >= FIRST_MOVED ? making : recorder,
            step >= FIRST_MOVED ? "cpu.slice-1.pb.gz" : "cpu.slice-11.pb.gz", whole, sizeof whole);
        put(world, step >= SECOND_MOVED ? making : recorder,
            step >= SECOND_MOVED ? "cpu.slice-2.pb.gz" : "cpu.slice-12.pb.gz", whole, sizeof whole);
        put(world, recorder, ".cpu.slice-13.pb.gz", whole, sizeof whole - 9);
        restart(world);
        assert_false(fs_exists(folder));
        free(folder);
        assert_int_equal(count(world), 1);
        struct incident *incident = read_back(world);
        size_t first = step >= NOTED ? 2 : 0;
        assert_int_equal(incident->profile_count, first + 3);
        for (size_t i = 0; i < 3; i++) {
            const struct incident_profile *slice = &incident->profiles[first + i];
            assert_true(slice_is_profile(slice->name));
            assert_int_equal(slice->status, i < 2 ? PROFILE_OK : PROFILE_TRUNCATED);
            assert_true(is_there(world, id, slice->file));
            assert_true(slice->finished_ms && (slice->requested_ms || step == BEGUN));
        }
        assert_int_equal(incident->profiles[first].onset_covered, step >= NOTED);
        incident_free(incident);
    }
}

static void slices_of_another_app_are_not_taken(void **state)
{
    struct world *world = *state;
    struct error err;
    char *folder = spool_recorder_folder(world->spool, "other");
    assert_int_equal(spool_make_recorder(folder, &err), 0);
    begin(world);
    put(world, ".recorder-other", "cpu.slice-11.pb.gz", whole, sizeof whole);
    restart(world);
    assert_false(fs_exists(folder));
    assert_int_equal(count(world), 0);
    assert_false(is_there(world, making, NULL));
    free(folder);
}

static void nothing_but_beginnings_is_removed(void **state)
{
    struct world *world = *state;
    begin(world);
    put(world, making, ".cpu.pb.gz", "", 0);
    put(world, making, ".incident.json.1-0.tmp", "{", 1);
    put(world, making, "metrics.csv", "time\n", 5);
    restart(world);
    assert_false(is_there(world, making, NULL));
}

static void a_cut_trace_is_not_taken_for_a_whole_one(void **state)
{
    static const char trace[] = "go 1.22 trace\0\0\0 and some events";
    struct world *world = *state;
    struct incident *incident = new_incident();
    incident_add_profile(incident, "trace");
    begin(world);
    checkpoint(world, incident);
    incident_free(incident);
    close_world(world);
    put(world, making, ".trace.trace", trace, sizeof trace);
    put(world, making, ".heap.pb.gz", whole, sizeof whole); /* says itself that it is whole */
    open_world(world);
    incident = read_back(world);
    assert_int_equal(incident->profiles[1].status, PROFILE_OK);
    assert_int_equal(incident->profiles[2].status, PROFILE_TRUNCATED);
    assert_string_equal(incident->profiles[2].file, "trace.trace");
    incident_free(incident);
}

/* Of a path it is not known before what it answers. */
static void what_a_path_has_answered_is_found_by_its_form(void **state)
{
    static const struct {
        const char *name, *file, *content;
        size_t size;
        enum profile_status status;
        const char *found;
    } cases[] = {
        {"done", "done.txt", "heap_v2/524288\n", 15, PROFILE_OK, "done.txt"},
        {"text", ".text.part", "heap_v2/52", 10, PROFILE_TRUNCATED, "text.txt"},
        {"wall", ".wall.part", (const char *)whole, sizeof whole, PROFILE_OK, "wall.pb.gz"},
        {"half", ".half.part", (const char *)whole, sizeof whole - 9, PROFILE_TRUNCATED,
            "half.pb.gz"},
        {"page", ".page.part", "<html>", 6, PROFILE_FAILED, NULL},
        {"never", NULL, NULL, 0, PROFILE_FAILED, NULL},
        {"heap-end", "heap-end.pb.gz", (const char *)whole, sizeof whole, PROFILE_OK,
            "heap-end.pb.gz"},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct world *world = *state;
    for (int checkpointed = 1; checkpointed >= 0; checkpointed--) {
        struct incident *incident = new_incident();
        begin(world);
        for (size_t i = 0; i < CASES; i++)
            incident_add_profile(incident, cases[i].name);
        if (checkpointed)
            checkpoint(world, incident);
        incident_free(incident);
        close_world(world);
        for (size_t i = 0; i < CASES; i++)
            if (cases[i].file)
                put(world, making, cases[i].file, cases[i].content, cases[i].size);
        open_world(world);
        incident = read_back(world);
        for (size_t i = 0; i < CASES; i++) {
            const struct incident_profile *profile = incident_find_profile(incident, cases[i].name);
            assert_true(profile || !cases[i].file || cases[i].status == PROFILE_FAILED);
            if (!profile)
                continue;
            assert_int_equal(profile->status, cases[i].status);
            assert_string_equal(
                profile->file ? profile->file : "none", cases[i].found ? cases[i].found : "none");
        }
        assert_false(is_there(world, making, ".page.part"));
        incident_free(incident);
        spool_remove(world->spool, id);
        finish_jobs(world);
    }
}

static void a_kill_while_capturing_keeps_what_is_whole_and_marks_the_rest(void **state)
{
    struct world *world = *state;
    struct incident *incident = new_incident();
    begin(world);
    checkpoint(world, incident);
    incident_free(incident);
    close_world(world);
    put(world, making, "heap.pb.gz", whole, sizeof whole);
    open_world(world);
    assert_int_equal(count(world), 1);
    incident = read_back(world);
    assert_int_equal(incident->profiles[0].status, PROFILE_FAILED);
    assert_non_null(strstr(incident->profiles[0].error, "killed"));
    assert_int_equal(incident->profiles[1].status, PROFILE_OK);
    assert_int_equal(incident->profiles[1].bytes, sizeof whole);
    assert_int_equal(strlen(incident->profiles[1].sha256), 64);
    assert_true(incident->finished_ms > 0);
    incident_free(incident);
}

/* The time until the next start is none of the spike. */
static void only_of_a_known_spike_it_says_how_much_a_profile_covers(void **state)
{
    struct world *world = *state;
    for (int known = 0; known < 2; known++) {
        struct incident *incident = new_incident();
        struct incident_profile *cpu = &incident->profiles[0];
        begin(world);
        cpu->status = PROFILE_OK;
        cpu->seconds = 10;
        cpu->requested_ms = incident->fired_ms;
        cpu->finished_ms = incident->fired_ms + 10000;
        incident->onset_ms = incident->fired_ms - 10000;
        incident->ended_ms = known ? incident->fired_ms + 10000 : 0;
        checkpoint(world, incident);
        incident_free(incident);
        restart(world);
        incident = read_back(world);
        double percent = incident->profiles[0].covered_percent;
        assert_true(known ? percent == 50 : isnan(percent));
        incident_free(incident);
        char *folder = xasprintf("%s/spool/%s", world->state, id);
        fs_remove(folder, NULL);
        free(folder);
        restart(world);
    }
}

static void a_profile_that_is_partly_there_is_kept_as_truncated(void **state)
{
    struct world *world = *state;
    struct incident *incident = new_incident();
    begin(world);
    checkpoint(world, incident);
    incident_free(incident);
    close_world(world);
    put(world, making, ".cpu.pb.gz", whole, sizeof whole - 9);
    put(world, making, ".heap.pb.gz", "<html>", 6);
    open_world(world);
    incident = read_back(world);
    assert_int_equal(incident->profiles[0].status, PROFILE_TRUNCATED);
    assert_string_equal(incident->profiles[0].file, "cpu.pb.gz");
    assert_true(is_there(world, id, "cpu.pb.gz"));
    assert_int_equal(incident->profiles[1].status, PROFILE_FAILED);
    assert_null(incident->profiles[1].file);
    assert_false(is_there(world, id, ".heap.pb.gz"));
    incident_free(incident);
}

static void a_kill_while_removing_is_finished_at_the_next_start(void **state)
{
    struct world *world = *state;
    char *gone = in_spool(world, ".gone-20261123T150401Z-cpu-high-1a2b3c", NULL);
    assert_int_equal(mkdir(gone, 0755), 0);
    put(world, ".gone-20261123T150401Z-cpu-high-1a2b3c", "cpu.pb.gz", whole, sizeof whole);
    restart(world);
    assert_false(fs_exists(gone));
    free(gone);
}

static void foreign_names_are_left_alone(void **state)
{
    struct world *world = *state;
    char *folder = in_spool(world, "lost+found", NULL);
    assert_int_equal(mkdir(folder, 0755), 0);
    restart(world);
    assert_true(fs_exists(folder));
    assert_int_equal(count(world), 0);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_kill_before_the_first_checkpoint_leaves_nothing),
        SPOOL_TEST(a_kill_while_capturing_keeps_what_is_whole_and_marks_the_rest),
        SPOOL_TEST(only_of_a_known_spike_it_says_how_much_a_profile_covers),
        SPOOL_TEST(a_profile_that_is_partly_there_is_kept_as_truncated),
        SPOOL_TEST(a_kill_while_removing_is_finished_at_the_next_start),
        SPOOL_TEST(foreign_names_are_left_alone),
        SPOOL_TEST(a_checkpoint_that_cannot_be_read_costs_nothing),
        SPOOL_TEST(a_checkpoint_without_profiles_that_cannot_be_read_stays),
        SPOOL_TEST(a_profile_without_a_checkpoint_is_completed),
        SPOOL_TEST(what_is_no_profile_stays),
        SPOOL_TEST(every_kill_leaves_an_incident_its_slices),
        SPOOL_TEST(slices_of_another_app_are_not_taken),
        SPOOL_TEST(nothing_but_beginnings_is_removed),
        SPOOL_TEST(a_cut_trace_is_not_taken_for_a_whole_one),
        SPOOL_TEST(what_a_path_has_answered_is_found_by_its_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
