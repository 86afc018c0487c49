/* `state` on a disk that fails, from the first byte of a profile to the complete incident. */
#include "failing_disk.h"

#include "agent/capture/capture.h"
#include "agent/capture/profile_settle.h"
#include "agent/storage/reserve.h"
#include "core/clock.h"
#include "profiler_stub.h"
#include "spool_rig.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char spool_of[80];

/* Breaks the disk below the spool only. */
static void break_disk(const struct world *world, int operations, int code)
{
    snprintf(spool_of, sizeof spool_of, "%s/spool", world->state);
    failing_disk_fail(spool_of, operations, code);
}

/* --- a profile --- */

struct profile_case {
    const char *name;
    int operations, code;
    bool memory;         /* there is some in place of the disk */
    bool full;           /* and others have all of it */
    const char *problem; /* NULL: the profile is there */
};

static const struct profile_case profiles[] = {
    {"bytes, memory", FAIL_WRITE, EIO, .memory = true},
    {"sync, memory", FAIL_SYNC, EIO, .memory = true},
    {"name, memory", FAIL_RENAME, EIO, .memory = true},
    {"file, memory", FAIL_OPEN, EIO, .memory = true},
    {"all, memory", ~0, EIO, .memory = true},
    {"read-only, memory", FAIL_OPEN | FAIL_RENAME | FAIL_MAKE, EROFS, .memory = true},
    {"bytes", FAIL_WRITE, EIO,
        .problem = "it could not be written to the spool (Input/output error): the disk below "
                   "`state` fails; the kernel's log says how"},
    {"sync", FAIL_SYNC, EIO, .problem = "to the spool (Input/output error): the disk below"},
    {"name", FAIL_RENAME, EIO, .problem = "to the spool (Input/output error): the disk below"},
    {"file", FAIL_OPEN, EIO, .problem = ".heap.pb.gz: Input/output error"},
    {"no room", FAIL_WRITE, ENOSPC,
        .problem = "to the spool (No space left on device): is there space below `state`?"},
    {"quota", FAIL_WRITE, EDQUOT, .problem = "(Disk quota exceeded): is there space below"},
    {"read-only", FAIL_RENAME, EROFS,
        .problem = "(Read-only file system): `state` is mounted read-only, as after errors of its "
                   "disk"},
    {"no memory left", FAIL_WRITE, EIO, .memory = true, .full = true,
        .problem = "it could not be written to the spool and does not fit in memory ("},
    /* What is not of the disk is nothing that memory mends. */
    {"rights", FAIL_OPEN, EACCES, .memory = true, .problem = ".heap.pb.gz: Permission denied"},
};

static void set_done(void *arg)
{
    *(bool *)arg = true;
}

static void no_progress(void *arg)
{
    (void)arg;
}

static void expect_profile(const struct world *world, const struct profile_case *given,
    const struct incident *incident, const char *folder)
{
    const struct incident_profile *profile = incident_find_profile(incident, "heap");
    const char *path = reserve_path(spool_reserve(world->spool), folder, "heap.pb.gz");
    const char *error = profile->error ? profile->error : "";
    if (given->problem ? profile->status != PROFILE_FAILED || !strstr(error, given->problem)
                       : profile->status != PROFILE_OK || !path)
        fail_msg("%s: status %d, %s in memory, \"%s\"", given->name, (int)profile->status,
            path ? "is" : "is not", error);
    if (given->problem)
        return;
    struct buf content;
    assert_int_equal(fs_read(path, 1000, &content, NULL), 0);
    assert_int_equal(content.size, sizeof stub_profile);
    assert_memory_equal(content.data, stub_profile, content.size);
    buf_free(&content);
}

static void capture_heap(const struct world *world, const struct profile_case *given)
{
    static char much[RESERVE_BYTES];
    bool done = false;
    struct profiler_stub stub = {.daemon = NULL};
    profiler_stub_start(&stub);
    struct reserve *reserve = spool_reserve(world->spool);
    struct app_config app = {.debug = stub.url};
    struct capture_entry entry = {.profile = (char[]){"heap"}};
    struct capture_set set = {.entries = &entry, .count = 1};
    struct incident *incident = incident_new();
    char *folder = spool_begin(world->spool, id, NULL);
    assert_non_null(folder);
    if (given->full)
        assert_int_equal(reserve_put_bytes(reserve, "/of/another", "x", much, sizeof much), 0);
    break_disk(world, given->operations, given->code);
    const struct capture_setup setup = {.loop = world->loop,
        .disk = world->disk,
        .app = &app,
        .set = &set,
        .folder = folder,
        .reserve = given->memory ? reserve : NULL,
        .incident = incident,
        .max_profile_bytes = 1 << 20,
        .progress = no_progress,
        .done = set_done,
        .arg = &done};
    struct capture *capture = capture_start(&setup);
    assert_true(loop_run_until(world->loop, &done, clock_mono_ms() + 60000));
    failing_disk_mend();
    expect_profile(world, given, incident, folder);
    capture_free(capture);
    profiler_stub_stop(&stub);
    reserve_remove(reserve, "/of/another");
    reserve_remove(reserve, folder);
    fs_remove(folder, NULL);
    incident_free(incident);
    free(folder);
}

static void a_profile_goes_to_memory_or_says_what_failed(void **state)
{
    const struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    for (size_t i = 0; i < COUNT(profiles); i++)
        capture_heap(world, &profiles[i]);
}

/* A sample type and the empty string. */
static const unsigned char plain[] = {0x0a, 0x00, 0x32, 0x00};

static void a_plain_profile_stays_plain_where_gzip_finds_no_room(void **state)
{
    const struct world *world = *state;
    static const int operations[] = {FAIL_OPEN, FAIL_WRITE, FAIL_SYNC, FAIL_RENAME};
    for (size_t i = 0; i < COUNT(operations); i++) {
        struct profile_facts facts;
        struct buf content;
        struct error err;
        char *path = in_spool(world, "heap.pb.gz", NULL), *packed = xasprintf("%s-packed", path);
        put(world, "heap.pb.gz", NULL, plain, sizeof plain);
        break_disk(world, operations[i], ENOSPC);
        assert_int_equal(profile_settle_file(path, PROFILE_FORM_PPROF, &facts, &err), 0);
        failing_disk_mend();
        assert_true(facts.soundness == PROFILE_WHOLE && facts.plain);
        assert_int_equal(fs_read(path, 1000, &content, NULL), 0);
        assert_int_equal(content.size, sizeof plain);
        assert_memory_equal(content.data, plain, sizeof plain);
        assert_false(fs_exists(packed));
        buf_free(&content);
        fs_remove(path, NULL);
        free(packed);
        free(path);
    }
}

/* --- an incident --- */

static void note_completion(void *arg, const char *incident, bool ok)
{
    (void)incident;
    *(int *)arg = ok;
}

static int complete(const struct world *world)
{
    int ok = -1;
    struct buf csv;
    struct incident *incident = new_incident();
    buf_init(&csv, 1000);
    buf_puts(&csv, "time,cpu\n");
    spool_complete(world->spool, incident, &csv, note_completion, &ok);
    finish_jobs(world);
    incident_free(incident);
    return ok;
}

static void an_incident_is_kept_in_memory_until_the_disk_is_well(void **state)
{
    static const struct {
        int operations, code;
        const char *trouble;
    } cases[] = {
        {FAIL_MAKE, EIO, "cannot make "},
        {FAIL_OPEN, EIO, "cannot write "},
        {FAIL_WRITE, EIO, "cannot write "},
        {FAIL_SYNC, EIO, "cannot write "},
        {FAIL_RENAME, EIO, "cannot write "},
        {~0, EROFS, "Read-only file system"},
    };
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    for (size_t i = 0; i < COUNT(cases); i++) {
        break_disk(world, cases[i].operations, cases[i].code);
        begin(world);
        assert_int_equal(complete(world), true);
        assert_true(spool_in_memory(world->spool, id));
        const char *trouble = spool_trouble(world->spool);
        if (!trouble || !strstr(trouble, cases[i].trouble) ||
            !strstr(trouble, strerror(cases[i].code)))
            fail_msg("case %zu: %s", i, trouble ? trouble : "no trouble");
        failing_disk_mend();
        spool_refresh(world->spool);
        finish_jobs(world);
        assert_null(spool_trouble(world->spool));
        restart(world); /* what was in memory only is gone then */
        fs_remove(spool_of, NULL);
        restart(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_profile_goes_to_memory_or_says_what_failed),
        SPOOL_TEST(a_plain_profile_stays_plain_where_gzip_finds_no_room),
        SPOOL_TEST(an_incident_is_kept_in_memory_until_the_disk_is_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
