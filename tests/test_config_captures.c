#include "config/config.h"
#include "core/buf.h"

#include "fake_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct config_needs run_needs = {.exporter = true};

#define HEAD                                                                                       \
    "service: woogles\napp: {debug: 'http://localhost:8001/debug/pprof'}\n"                        \
    "export: {directory: /captures}\n"

#define CPU_BY_PATH                                                                                \
    "f.yaml:4:23: captures.x[0].path: is Go's CPU profile, of which an app takes one at a time: "  \
    "write `profile: cpu` instead, which takes it from app.debug\n"

struct bad {
    const char *text;
    const char *problems;
};

static struct config *parse(const char *text, struct buf *problems)
{
    buf_init(problems, 1 << 16);
    return config_parse(text, strlen(text), "f.yaml", &fake_kinds, &run_needs, problems);
}

static void entries_by_path_and_at_the_end_get_their_names(void **state)
{
    (void)state;
    static const char text[] = HEAD
        "captures:\n"
        "  x: [heap, {profile: heap, at: end}, {path: '/d/fgprof?seconds=7&z=1'},\n"
        "      {path: /je/, at: end}, {path: '/q?a=1&seconds=3', name: q2}, goroutineleak,\n"
        "      {path: /g, optional: true, seconds: 4}, {profile: goroutine, at: end},\n"
        "      {path: '/profile/wall?file=profile'}]\n";
    struct buf problems;
    struct config *config = parse(text, &problems);
    assert_string_equal(problems.data, "");
    buf_free(&problems);
    assert_non_null(config);
    static const struct {
        const char *name, *path;
        int64_t seconds;
        int at;
        bool gc, optional;
    } wanted[] = {
        {"heap", NULL, 0, CAPTURE_AT_START, true, false},
        {"heap-end", NULL, 0, CAPTURE_AT_END, true, false},
        {"fgprof", "/d/fgprof?z=1", 7, CAPTURE_AT_START, false, false},
        {"je", "/je/", 0, CAPTURE_AT_END, false, false},
        {"q2", "/q?a=1", 3, CAPTURE_AT_START, false, false},
        {"goroutineleak", NULL, 0, CAPTURE_AT_START, false, true},
        {"g", "/g", 4, CAPTURE_AT_START, false, true},
        {"goroutine", NULL, 0, CAPTURE_AT_END, false, false},
        {"wall", "/profile/wall?file=profile", 0, CAPTURE_AT_START, false, false},
    };
    const struct capture_set *set = config_capture(config, "x");
    assert_int_equal(set->count, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < set->count; i++) {
        const struct capture_entry *entry = &set->entries[i];
        assert_string_equal(config_entry_name(entry), wanted[i].name);
        assert_string_equal(entry->path ? entry->path : "", wanted[i].path ? wanted[i].path : "");
        assert_int_equal(entry->seconds, wanted[i].seconds);
        assert_int_equal(entry->at, wanted[i].at);
        assert_int_equal(entry->gc, wanted[i].gc);
        assert_int_equal(entry->optional, wanted[i].optional);
    }
    config_free(config, &fake_kinds);
}

static void captures_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {HEAD "captures: [heap]\n",
            "f.yaml:4:11: captures: must be a mapping of names to lists, not a list\n"},
        {HEAD "captures:\n", "f.yaml:4:1: captures: is empty; give it a mapping of names to lists "
                             "or leave the key out\n"},
        {HEAD "captures: {x: heap}\n", "f.yaml:4:15: captures.x: must be a list of 1 to 32 "
                                       "profiles, such as [cpu, heap, goroutine]\n"},
        {HEAD "captures: {x: []}\n", "f.yaml:4:15: captures.x: must be a list of 1 to 32 profiles, "
                                     "such as [cpu, heap, goroutine]\n"},
        {HEAD "captures: {x y: [heap]}\n", "f.yaml:4:12: captures.x...: a set's name is letters, "
                                           "digits, . _ - (1 to 64), no dot first\n"},
        {HEAD "captures: {x: [heap, {profile: heap}]}\n",
            "f.yaml:4:22: captures.x[1]: heap is in this set twice\n"},
        {HEAD "captures: {x: [../heap]}\n",
            "f.yaml:4:16: captures.x[0]: \"../heap\" is not a name: letters, digits, . _ - (1 to "
            "64), no dot first\n"},
        {HEAD "captures: {x: ['a/b']}\n", "f.yaml:4:16: captures.x[0]: \"a/b\" is not a name: "
                                          "letters, digits, . _ - (1 to 64), no dot first\n"},
        {HEAD "captures: {x: ['']}\n", "f.yaml:4:16: captures.x[0]: \"\" is not a name: letters, "
                                       "digits, . _ - (1 to 64), no dot first\n"},
        {HEAD "captures: {x: [{seconds: 5}]}\n",
            "f.yaml:4:16: captures.x[0].profile: is missing (a Go profile's name: cpu, heap, "
            "goroutine, allocs, mutex, block, trace, ...; or path: /debug/fgprof, of any other)\n"},
        {HEAD "captures: {x: [{profile: cpu, seconds: 0}]}\n",
            "f.yaml:4:40: captures.x[0].seconds: 0 is out of range; it may be 1 to 3600\n"},
        {HEAD "captures: {x: [{profile: cpu, seconds: 3601}]}\n",
            "f.yaml:4:40: captures.x[0].seconds: 3601 is out of range; it may be 1 to 3600\n"},
        {HEAD "captures: {x: [{profile: cpu, seconds: 5s}]}\n",
            "f.yaml:4:40: captures.x[0].seconds: \"5s\" is not a whole number\n"},
        {HEAD "captures: {x: [{profile: cpu, gc: true}]}\n",
            "f.yaml:4:31: captures.x[0].gc: is only for the profile heap\n"},
        {HEAD "captures: {x: [profile]}\n",
            "f.yaml:4:16: captures.x[0]: the CPU profile is called cpu here\n"},
        {HEAD "captures: {x: [{pth: /debug/fgprof}]}\n",
            "f.yaml:4:16: captures.x[0].profile: is missing (a Go profile's name: cpu, heap, "
            "goroutine, allocs, mutex, block, trace, ...; or path: /debug/fgprof, of any other)\n"
            "f.yaml:4:17: captures.x[0].pth: is not known; did you mean \"path\"?\n"},
        {HEAD "captures: {x: [{path: debug/fgprof}]}\n",
            "f.yaml:4:23: captures.x[0].path: must begin with one slash and have only printable "
            "characters but # \\ \" < > (1 to 1024), such as /debug/fgprof?seconds=10; did you "
            "mean \"/debug/fgprof\"?\n"},
        {HEAD "captures: {x: [{path: ''}]}\n",
            "f.yaml:4:23: captures.x[0].path: must not be empty\n"},
        {HEAD "captures: {x: [{path: //other/x}]}\n",
            "f.yaml:4:23: captures.x[0].path: must begin with one slash and have only printable "
            "characters but # \\ \" < > (1 to 1024), such as /debug/fgprof?seconds=10\n"},
        {HEAD "captures: {x: [{path: '/a b'}]}\n",
            "f.yaml:4:23: captures.x[0].path: must begin with one slash and have only printable "
            "characters but # \\ \" < > (1 to 1024), such as /debug/fgprof?seconds=10\n"},
        {HEAD "captures: {x: [{path: '/a#b'}]}\n",
            "f.yaml:4:23: captures.x[0].path: must begin with one slash and have only printable "
            "characters but # \\ \" < > (1 to 1024), such as /debug/fgprof?seconds=10\n"},
        {HEAD "captures: {x: [{path: 'http://h/x'}]}\n",
            "f.yaml:4:23: captures.x[0].path: is a path on the host of app.debug, such as "
            "/debug/fgprof, not a URL\n"},
        {HEAD "captures: {x: [{path: /}]}\n",
            "f.yaml:4:23: captures.x[0].path: its last part is no file's name (letters, digits, . "
            "_ -): give the entry a `name`\n"},
        {HEAD "captures: {x: [{path: /a%20b}]}\n",
            "f.yaml:4:23: captures.x[0].path: its last part is no file's name (letters, digits, . "
            "_ -): give the entry a `name`\n"},
        {HEAD "captures: {x: [{path: /debug/pprof/profile}]}\n", CPU_BY_PATH},
        {HEAD "captures: {x: [{path: '/debug/pprof/profile?seconds=10', name: x}]}\n", CPU_BY_PATH},
        {HEAD "captures: {x: [{path: /p/profile/, name: x}]}\n", CPU_BY_PATH},
        {HEAD "captures: {x: [{profile: heap, path: /x}]}\n",
            "f.yaml:4:32: captures.x[0].path: an entry has a profile or a path, not both\n"},
        {HEAD "captures: {x: [{path: '/x?seconds=5', seconds: 6}]}\n",
            "f.yaml:4:48: captures.x[0].seconds: the path says seconds=5\n"},
        {HEAD "captures: {x: [{path: '/x?seconds=5s', seconds: 6}]}\n",
            "f.yaml:4:23: captures.x[0].path: has seconds in its query already\n"},
        {HEAD "captures: {x: [{path: '/x?seconds=0'}]}\n",
            "f.yaml:4:23: captures.x[0].path: its seconds may be 1 to 3600\n"},
        {HEAD "captures: {x: [{path: /cpu}]}\n", "f.yaml:4:16: captures.x[0]: \"cpu\" is what the "
                                                 "CPU profile and its parts are called\n"},
        {HEAD "captures: {x: [{profile: heap, name: cpu.slice-1}]}\n",
            "f.yaml:4:16: captures.x[0]: \"cpu.slice-1\" is what the CPU profile and its parts are "
            "called\n"},
        {HEAD "captures: {x: [{profile: cpu, name: x}]}\n",
            "f.yaml:4:16: captures.x[0]: the CPU profile is always called cpu\n"},
        {HEAD "captures: {x: [{profile: cpu, at: end}]}\n",
            "f.yaml:4:35: captures.x[0].at: a CPU profile at a spike's end would show the calm "
            "after it: it is taken at the start\n"},
        {HEAD "captures: {x: [{profile: heap, at: ende}]}\n",
            "f.yaml:4:36: captures.x[0].at: \"ende\" is none of start, end; did you mean "
            "\"end\"?\n"},
        {HEAD "captures: {x: [heap, {path: /debug/pprof/heap}]}\n",
            "f.yaml:4:22: captures.x[1]: heap is in this set twice; give one of them a `name`\n"},
        {HEAD "captures: {x: [{profile: heap, at: end}, {profile: heap, at: end}]}\n",
            "f.yaml:4:42: captures.x[1]: heap is in this set twice\n"},
        {HEAD "captures: {x: [{path: /heap, gc: true}]}\n",
            "f.yaml:4:30: captures.x[0].gc: is only for the profile heap\n"},
        {HEAD "captures: {x: [[heap]]}\n",
            "f.yaml:4:16: captures.x[0]: must be a mapping; keys it takes: profile, path, name, "
            "seconds, at, gc, optional\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf problems;
        assert_null(parse(cases[i].text, &problems));
        assert_string_equal(problems.data, cases[i].problems);
        buf_free(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_by_path_and_at_the_end_get_their_names),
        cmocka_unit_test(captures_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
