/* Children of this program crash in every way, and what they leave is read. */
#include "core/crash.h"

#include "crash_ways.h"

#include "agent/self/crash_report.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/crash_modules.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child left. */
struct remains {
    int ended; /* as waitpid tells it */
    char *folder;
    char *path; /* of the report; NULL: there is none */
    struct buf text, said;
    struct crash_report report;
};

static int find_report(void *arg, const char *name)
{
    struct remains *remains = arg;
    if (name[0] == '.')
        return 0;
    assert_null(remains->path); /* there is one at most */
    remains->path = xasprintf("%s/%s", remains->folder, name);
    return 0;
}

static void read_all(int fd, struct buf *out)
{
    char block[4096];
    buf_init(out, 1 << 20);
    for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;)
        buf_append(out, block, (size_t)got);
}

/* Has a child crash. format -1: there is no log. */
static struct remains *crash_by(void (*how)(void), int format, bool keep)
{
    struct remains *remains = xcalloc(1, sizeof *remains);
    int ends[2];
    struct error err;
    char folder[] = "/tmp/stakeout-crash-XXXXXX";
    assert_non_null(mkdtemp(folder));
    remains->folder = xstrdup(folder);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        if (format >= 0)
            log_setup(LOG_INFO, (enum log_format)format);
        crash_install();
        if (keep)
            crash_keep_in(folder);
        how();
        _exit(98);
    }
    close(ends[1]);
    read_all(ends[0], &remains->said);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &remains->ended, 0), pid);
    assert_int_equal(fs_each(folder, find_report, remains, &err), 0);
    if (remains->path) {
        assert_int_equal(fs_read(remains->path, CRASH_REPORT_BYTES, &remains->text, &err), 0);
        if (crash_report_parse(remains->text.data, remains->text.size, &remains->report, &err) < 0)
            fail_msg("%s: %s", err.text, remains->text.data);
    }
    return remains;
}

static void bury(struct remains *remains)
{
    fs_remove(remains->folder, NULL);
    if (remains->path)
        buf_free(&remains->text);
    buf_free(&remains->said);
    free(remains->path);
    free(remains->folder);
    free(remains);
}

/* Whether one of the frames is in a function of this program (the child's addresses are the
 * parent's). */
static bool is_in(const struct remains *remains, void (*function)(void))
{
    struct crash_place place;
    crash_modules_note();
    assert_true(crash_modules_find((uintptr_t)function, &place));
    const char *at = remains->text.data;
    while ((at = strstr(at, " test_crash+")) != NULL) {
        unsigned long long offset = strtoull(at + strlen(" test_crash+"), NULL, 16);
        if (offset >= place.offset && offset < place.offset + 256)
            return true;
        at++;
    }
    return false;
}

static void ends_as_ever(const struct remains *remains, int number)
{
    if (!WIFSIGNALED(remains->ended) || WTERMSIG(remains->ended) != number)
        fail_msg("it ended with %x, not by signal %d:\n%s", (unsigned)remains->ended, number,
            remains->said.data);
}

static void every_way_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crash_ways / sizeof *crash_ways; i++) {
        const struct crash_way *way = &crash_ways[i];
        struct remains *remains = crash_by(way->how, LOG_LOGFMT, true);
        const struct crash_report *report = &remains->report;
        ends_as_ever(remains, way->number);
        if (!remains->path || !report->complete || strcmp(report->signal, way->signal) != 0 ||
            !strstr(report->reason, way->reason) || strcmp(report->thread, way->thread) != 0 ||
            strncmp(report->address, way->address, strlen(way->address)) != 0 ||
            (way->function && !is_in(remains, way->function)))
            fail_msg("way %zu is not reported right:\n%s", i, remains->said.data);
        assert_string_equal(report->version, STAKEOUT_VERSION);
        assert_true(report->time_ms > 0);
        bury(remains);
    }
}

/* A lock that is never given back: what is known without it is written, and the end comes. */
static void check_timeout(void (*how)(void))
{
    struct remains *remains = crash_by(how, LOG_LOGFMT, true);
    ends_as_ever(remains, SIGSEGV);
    assert_non_null(remains->path);
    assert_false(remains->report.complete);
    assert_true(remains->report.frame_count > 0);
    assert_true(is_in(remains, write_to_null));
    assert_non_null(strstr(remains->text.data, "end timeout\n"));
    bury(remains);
}

static void a_held_loader_lock_does_not_hang_it(void **state)
{
    (void)state;
    check_timeout(crash_while_another_holds_the_loader);
}

static void a_library_that_was_loaded_since_is_known(void **state)
{
    (void)state;
    struct remains *remains = crash_by(crash_in_library, LOG_LOGFMT, true);
    ends_as_ever(remains, SIGSEGV);
    assert_true(remains->report.complete);
    assert_ptr_equal(
        strstr(remains->report.frames[0], "libcrashing.so+0x"), remains->report.frames[0]);
    assert_non_null(strstr(remains->text.data, "(build id "));
    bury(remains);
}

static void without_a_folder_it_is_in_the_log_only(void **state)
{
    (void)state;
    struct remains *remains = crash_by(write_to_null, LOG_LOGFMT, false);
    ends_as_ever(remains, SIGSEGV);
    assert_null(remains->path);
    assert_non_null(strstr(remains->said.data, "#0 test_crash+0x"));
    assert_null(strstr(remains->said.data, "this is also in"));
    bury(remains);
}

static void check_lines(int format, const char *start, const char *end)
{
    struct remains *remains = crash_by(write_to_null, format, true);
    size_t lines = 0;
    char *rest = remains->said.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line; lines++) {
        assert_int_equal(strncmp(line, start, strlen(start)), 0);
        assert_true(strlen(line) > strlen(end));
        assert_string_equal(line + strlen(line) - strlen(end), end);
        json_t *json = format == LOG_JSON ? json_loads(line, 0, NULL) : NULL;
        assert_int_equal(json != NULL, format == LOG_JSON);
        json_decref(json);
    }
    assert_true(lines >= 4);
    bury(remains);
}

static void the_log_has_its_format(void **state)
{
    (void)state;
    check_lines(LOG_LOGFMT, "time=", "\"");
    check_lines(LOG_JSON, "{\"time\":\"", "\"}");
    check_lines(-1, crash_prefix, "");
}

/* Process 1 of a container, to which the kernel sends no signal by default. */
static void as_process_1(void (*how)(void))
{
    if (unshare(CLONE_NEWPID) < 0)
        _exit(77);
    pid_t pid = fork();
    if (pid == 0) {
        how();
        _exit(97);
    }
    int ended;
    waitpid(pid, &ended, 0);
    _exit(WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended));
}

static void raise_segv_as_process_1(void)
{
    as_process_1(raise_segv);
}

static void write_to_null_as_process_1(void)
{
    as_process_1(write_to_null);
}

static void abort_as_process_1(void)
{
    as_process_1(call_abort);
}

static void process_1_ends_as_well(void **state)
{
    (void)state;
    const struct {
        void (*how)(void);
        int number;
    } ways[] = {{raise_segv_as_process_1, SIGSEGV}, {write_to_null_as_process_1, SIGSEGV},
        {abort_as_process_1, SIGABRT}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct remains *remains = crash_by(ways[i].how, LOG_LOGFMT, true);
        assert_true(WIFEXITED(remains->ended));
        int status = WEXITSTATUS(remains->ended);
        if (status != 77) {
            assert_int_equal(status, 128 + ways[i].number);
            assert_true(remains->report.complete);
        }
        bury(remains);
        if (status == 77)
            skip(); /* not root */
    }
}

static bool is_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_is_reported),
        cmocka_unit_test(a_held_loader_lock_does_not_hang_it),
        cmocka_unit_test(a_library_that_was_loaded_since_is_known),
        cmocka_unit_test(without_a_folder_it_is_in_the_log_only),
        cmocka_unit_test(the_log_has_its_format),
        cmocka_unit_test(process_1_ends_as_well),
    };
#ifdef STAKEOUT_SANITIZED
    return 77; /* the sanitizers report crashes themselves */
#endif
    if (is_under_valgrind())
        return 77; /* which takes the signals itself, and follows into the children */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
