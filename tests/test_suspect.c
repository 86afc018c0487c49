#include "review/suspect/suspect.h"

#include "evidence_maker.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { STACKS_MAX = 12 };

/* Profiles of one name, and who is found. */
struct suspect_case {
    const char *metric, *profile, *type;
    struct made_stack spike[STACKS_MAX], base[STACKS_MAX]; /* base empty: there is none */
    const char *function;                                  /* NULL: nobody */
    const char *says; /* a part of why, or of why there is none */
};

#define HTTP "net/http.(*conn).serve;net/http.HandlerFunc.ServeHTTP;"
#define REST                                                                                       \
    {HTTP "main.lobby;encoding/json.Marshal", 20},                                                 \
    {                                                                                              \
        "runtime.mcall;runtime.schedule", 10                                                       \
    }

static const struct suspect_case cases[] = {
    {"cpu", "cpu", "cpu",
        {{HTTP "main.round;shop/game.(*Store).Streak;encoding/json.Unmarshal", 600}, REST},
        {{HTTP "main.round;shop/game.(*Store).Streak;encoding/json.Unmarshal", 3},
            {HTTP "main.lobby;encoding/json.Marshal", 90}, {"runtime.mcall;runtime.schedule", 9}},
        "shop/game.(*Store).Streak", "100% of that through encoding/json.Unmarshal"},
    {"cpu", "cpu", "cpu", {{HTTP "main.round;shop/game.Streak;encoding/json.Unmarshal", 600}, REST},
        {{NULL, 0}}, "shop/game.Streak", "no baseline"},
    /* The deepest that still has 80%; what has less is only a part of it. */
    {"cpu", "cpu", "cpu",
        {{"main.a;main.b;main.c;sort.Sort", 85}, {"main.a;main.b;main.d", 5},
            {"main.a;main.e", 10}},
        {{NULL, 0}}, "main.c", "at least 80% of the largest share, that of main.a"},
    {"cpu", "cpu", "cpu",
        {{"main.a;main.b;main.c;sort.Sort", 75}, {"main.a;main.b;main.d", 15},
            {"main.a;main.e", 10}},
        {{NULL, 0}}, "main.b", ""},
    /* Middleware only passes on, whatever it has. */
    {"cpu", "cpu", "cpu",
        {{"main.(*logged).ServeHTTP;" HTTP "main.guard.func1;" HTTP "main.round;main.work", 60},
            {"main.(*logged).ServeHTTP;" HTTP "main.guard.func1;" HTTP "main.lobby", 40}},
        {{NULL, 0}}, "main.work", ""},
    {"cpu", "cpu", "cpu",
        {{"net/http.(*conn).serve;main.(*Server).ServeHTTP;main.round;main.work", 60},
            {"net/http.(*conn).serve;main.(*Server).ServeHTTP;main.lobby", 40}},
        {{NULL, 0}}, "main.work", ""},
    {"cpu", "cpu", "cpu",
        {{"main.loop;main.send;main.pack", 60}, {"main.loop;main.read", 25},
            {"main.loop;main.x", 15}},
        {{NULL, 0}}, "main.pack", ""},
    /* Recursion: the function that is entered. */
    {"cpu", "cpu", "cpu",
        {{"main.main;main.walk;main.walk.func1;main.walk;main.walk.func1;main.walk", 50},
            {"main.main;main.walk;main.walk.func1;main.walk;main.walk.func1", 50}},
        {{NULL, 0}}, "main.walk", ""},
    {"cpu", "cpu", "cpu",
        {{"main.main;main.walk;main.walk;main.walk;main.visit", 90}, {"main.main;main.walk", 10}},
        {{NULL, 0}}, "main.visit", ""},
    {"cpu", "cpu", "cpu", {{"main.main;shop/list.Map[...];main.main.func1;strings.ToLower", 100}},
        {{NULL, 0}}, "main.main.func1", "strings.ToLower"},
    /* Library code is the fault of who calls it too often. */
    {"cpu", "cpu", "cpu",
        {{"main.main;shop/catalog.Find;slug.v2/x.Make@/app/vendor/slug.v2/x/m.go:3", 100}},
        {{NULL, 0}}, "shop/catalog.Find", "100% of that through slug.v2/x.Make"},
    /* The collector works for who allocates, the scheduler for who waits. */
    {"cpu", "cpu", "cpu",
        {{"runtime.gcBgMarkWorker;runtime.gcDrain", 60},
            {"main.main;main.plant;runtime.mallocgc", 20}, {"main.main;main.sum", 20}},
        {{NULL, 0}}, "main.plant", "the garbage collector takes 60.0%"},
    {"cpu", "cpu", "cpu",
        {{"runtime.mcall;runtime.schedule", 60}, {"main.relay;runtime.chansend", 20},
            {"main.main;main.sum", 20}},
        {{NULL, 0}}, "main.relay", "the scheduler takes 60.0%"},
    /* Nobody, rather than a wrong one. */
    {"cpu", "cpu", "cpu", {{"main.a", 50}, {"main.b", 50}}, {{NULL, 0}}, NULL, "are alike"},
    {"cpu", "cpu", "cpu", {{"main.a", 12}}, {{NULL, 0}}, NULL, "only about 12 samples"},
    {"cpu", "cpu", "cpu", {{"0x1000;0x2000", 60}, {"main.a", 40}}, {{NULL, 0}}, NULL,
        "60% of the cpu profile has addresses instead of names"},
    {"cpu", "cpu", "cpu",
        {{"net/http.(*conn).serve;crypto/tls.(*Conn).Handshake;math/big.nat.mul", 80},
            {HTTP "main.lobby", 20}},
        {{NULL, 0}}, NULL,
        "80.0% of the CPU time is in code that the app's own functions do not call, or only pass "
        "requests on to, most of it in big.nat.mul"},
    {"cpu", "cpu", "cpu",
        {{HTTP "main.instrument.func1;lib.org/prom.Handler@/app/vendor/lib.org/prom/h.go:1;"
               "net/http.HandlerFunc.ServeHTTP;lib.org/prom.Text@/app/vendor/lib.org/prom/h.go:2",
             80},
            {HTTP "main.lobby", 20}},
        {{NULL, 0}}, NULL, "most of it in prom.Text"},
    {"cpu", "cpu", "cpu", {{"runtime.mcall;runtime.schedule", 100}}, {{NULL, 0}}, NULL,
        "no function of the app's own is in the cpu profile"},
    {"cpu", "cpu", "cpu", {{"main.a", 60}, {"main.b", 62}}, {{"main.a", 60}, {"main.b", 60}}, NULL,
        "no function of the app's own stands out"},
    {"cpu", "cpu", "cpu", {{"work@app.py:3", 100}}, {{NULL, 0}}, NULL, "app.own_code"},
    {"cpu", "heap", "inuse_space", {{"main.a", 100}}, {{NULL, 0}}, NULL, "there is no cpu profile"},
    {"cpu", "cpu", "cpu", {{"main.a", 0}}, {{NULL, 0}}, NULL, "is empty"},
    /* More of the same: who has nearly all of it. */
    {"cpu", "cpu", "cpu", {{"main.main;main.a", 900}, {"main.main;main.b", 100}},
        {{"main.main;main.a", 90}, {"main.main;main.b", 10}}, "main.a",
        "the mix is that of a calm day, 10.0 times as much"},
    /* Hardly anything ran on the calm day: shares of that say nothing. */
    {"cpu", "cpu", "cpu", {{"main.main;main.a", 350}, {"main.main;main.b", 50}},
        {{"main.main;main.a", 5}, {"main.main;main.b", 1}}, "main.a", ""},
    {"api.memory", "heap", "inuse_space",
        {{"main.main;main.keep;bytes.Repeat", 90 << 20}, {"main.main;main.load", 20 << 20}},
        {{"main.main;main.keep;bytes.Repeat", 20 << 20}, {"main.main;main.load", 20 << 20}},
        "main.keep", "of the heap in use"},
    {"memory", "heap", "inuse_space", {{"main.keep", 1 << 20}}, {{NULL, 0}}, NULL,
        "only about 2 samples, which say little; look at the table of the heap, and at memory "},
    {"memory", "heap", "inuse_space", {{"main.keep", 1 << 19}}, {{NULL, 0}}, NULL,
        "only about one sample, which says little"},
    {"memory", "goroutine", "goroutine", {{"main.leak;runtime.gopark", 9000}, {"main.main", 1}},
        {{"main.leak;runtime.gopark", 5}, {"main.main", 5}}, "main.leak",
        "looked at because there is no heap profile"},
    {"cpu", "goroutine", "goroutine", {{"main.leak;runtime.gopark", 20}, {"main.main", 1}},
        {{"main.leak;runtime.gopark", 10}, {"main.main", 10}}, NULL, "there is no cpu profile"},
    {"goroutines", "goroutine", "goroutine", {{"main.leak;runtime.gopark", 25}, {"main.main", 1}},
        {{"main.leak;runtime.gopark", 5}, {"main.main", 1}}, "main.leak", "of the goroutines are"},
    /* The database's traffic: who asks it, also when others use the CPU. */
    {"db.received", "cpu", "cpu",
        {{"main.main;main.list;database/sql.(*DB).Query", 20}, {"main.main;main.render", 80}},
        {{"main.main;main.list;database/sql.(*DB).Query", 1}, {"main.main;main.render", 99}},
        "main.list", ""},
    {"db.received", "cpu", "cpu",
        {{"main.main;main.list;database/sql.(*DB).Query", 80}, {"main.main;main.hash", 920}},
        {{"main.main;main.list;database/sql.(*DB).Query", 10}, {"main.main;main.hash", 90},
            {"main.main;main.b", 900}},
        "main.list", "looked at because what stands out in the cpu profile does not call"},
};

static struct evidence *evidence_of(const struct suspect_case *test)
{
    static const char file[] = "/src/app/a.go";
    struct evidence *evidence = make_evidence(test->metric);
    char types[80];
    snprintf(types, sizeof types, "%s/%s", test->type,
        strcmp(test->type, "cpu") ? "count" : "nanoseconds");
    add_made(evidence, test->profile, stacks_list(types, file, test->spike),
        test->base[0].stack ? stacks_list(types, file, test->base) : NULL);
    return evidence;
}

static void the_suspect_is_found_or_none_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct evidence *evidence = evidence_of(&cases[i]);
        struct incident_analysis *found = &evidence->incident->analysis;
        suspect_find(evidence, found);
        const char *function = found->suspect.function, *wanted = cases[i].function;
        const char *said = function ? found->suspect.why : found->no_suspect;
        if (!function != !wanted || (wanted && strcmp(function, wanted) != 0))
            fail_msg("case %zu: %s, not %s: %s", i, function ? function : "nobody",
                wanted ? wanted : "nobody", said);
        if (!said || !strstr(said, cases[i].says))
            fail_msg("case %zu does not say \"%s\": %s", i, cases[i].says, said ? said : "nothing");
        assert_true(!function == !!found->no_suspect);
        free_made(evidence);
    }
}

static void the_suspect_comes_with_figures_and_its_path(void **state)
{
    (void)state;
    static const struct suspect_case test = {"cpu", "cpu", "cpu",
        {{"main.main@/src/app/main.go:9;main.work@/src/app/work.go:30;fmt.Sprint", 300},
            {"main.main@/src/app/main.go:9;main.work@/src/app/work.go:31;fmt.Sprint", 400},
            {"main.other;main.slow", 200}, {"main.quick", 100}},
        {{"main.main@/src/app/main.go:9;main.work@/src/app/work.go:31", 10}, {"main.quick", 990}},
        NULL, NULL};
    struct evidence *evidence = evidence_of(&test);
    struct incident_analysis *found = &evidence->incident->analysis;
    suspect_find(evidence, found);
    const struct incident_function *suspect = &found->suspect;
    assert_string_equal(suspect->function, "main.work");
    assert_string_equal(suspect->file, "/src/app/work.go");
    assert_int_equal(suspect->line, 31);
    assert_string_equal(suspect->profile, "cpu");
    assert_string_equal(suspect->sample, "cpu");
    assert_true(suspect->cum_percent == 70 && suspect->baseline_percent == 1 &&
                suspect->delta_points == 69);
    assert_int_equal(suspect->path_count, 2);
    assert_string_equal(suspect->path[0], "main.main");
    assert_string_equal(suspect->path[1], "main.work");
    assert_int_equal(found->runner_up_count, 1);
    assert_string_equal(found->runners_up[0].function, "main.slow");
    assert_true(found->runners_up[0].delta_points == 20);
    free_made(evidence);
}

/* An app that idled: the baseline was looked at, and has none of it. */
static void an_empty_baseline_is_a_share_of_nothing(void **state)
{
    (void)state;
    static const struct suspect_case test = {"cpu", "cpu", "cpu",
        {{"main.main;main.work", 900}, {"main.main;main.rest", 100}}, {{"main.main", 0}}, NULL,
        NULL};
    struct evidence *evidence = evidence_of(&test);
    struct incident_analysis *found = &evidence->incident->analysis;
    suspect_find(evidence, found);
    assert_string_equal(found->suspect.function, "main.work");
    assert_true(found->suspect.baseline_percent == 0 && found->suspect.delta_points == 90);
    assert_non_null(strstr(found->suspect.why, ", 0.0% on a calm day"));
    assert_non_null(strstr(found->suspect.why, "the baseline's profile is empty"));
    free_made(evidence);
}

/* A long way is cut in its middle, and recursion on it is told once. */
static void the_path_has_a_limit(void **state)
{
    (void)state;
    char stack[8000] = "main.main";
    for (int i = 0; i < 260; i++)
        snprintf(stack + strlen(stack), 24, ";fmt.f%d;fmt.f%d", i, i);
    strcat(stack, ";main.work");
    struct suspect_case test = {"cpu", "cpu", "cpu", {{stack, 100}}, {{NULL, 0}}, NULL, NULL};
    struct evidence *evidence = evidence_of(&test);
    struct incident_analysis *found = &evidence->incident->analysis;
    suspect_find(evidence, found);
    assert_string_equal(found->suspect.function, "main.work");
    assert_int_equal(found->suspect.path_count, INCIDENT_PATH_MAX);
    assert_string_equal(found->suspect.path[1], "fmt.f0");
    assert_string_equal(found->suspect.path[2], "fmt.f1");
    assert_string_equal(found->suspect.path[INCIDENT_PATH_MAX - 2], "fmt.f259");
    free_made(evidence);
}

static void own_code_of_another_language_is_told_by_the_user(void **state)
{
    (void)state;
    static const struct suspect_case test = {"cpu", "cpu", "cpu",
        {{"shop.app@app.py:1;shop.total@cart.py:7;loads@json.py:3", 100}}, {{NULL, 0}}, NULL, NULL};
    struct evidence *evidence = evidence_of(&test);
    incident_add_own_code(evidence->incident, "shop.");
    suspect_find(evidence, &evidence->incident->analysis);
    assert_string_equal(evidence->incident->analysis.suspect.function, "shop.total");
    free_made(evidence);
}

/* The profile has half a second of five. */
static void what_the_profile_does_not_explain_has_no_suspect(void **state)
{
    (void)state;
    static const struct suspect_case test = {
        "cpu", "cpu", "cpu", {{"main.main;main.work", 500000000}}, {{NULL, 0}}, NULL, NULL};
    struct evidence *evidence = evidence_of(&test);
    struct incident_profile *cpu = &evidence->incident->profiles[0];
    cpu->requested_ms = 1000000;
    cpu->finished_ms = 1005000;
    struct series *cores = series_set_add(&evidence->metrics, "cpu.cores");
    for (int64_t at = 998000; at <= 1008000; at += 500)
        series_push(cores, at, 1);
    struct incident_analysis *found = &evidence->incident->analysis;
    suspect_find(evidence, found);
    assert_null(found->suspect.function);
    assert_non_null(strstr(found->no_suspect, "only 10% of the CPU time"));
    assert_true(fabs(found->explained.percent - 10) < 1e-6);
    free_made(evidence);
}

static void a_small_heap_is_not_where_the_memory_is(void **state)
{
    (void)state;
    static const struct suspect_case test = {"memory", "heap", "inuse_space",
        {{"main.main;main.keep", 90 << 20}}, {{NULL, 0}}, NULL, NULL};
    struct evidence *evidence = evidence_of(&test);
    series_push(series_set_add(&evidence->metrics, "memory.bytes"), 1000, 4e9);
    struct incident_analysis *found = &evidence->incident->analysis;
    suspect_find(evidence, found);
    assert_null(found->suspect.function);
    assert_non_null(strstr(found->no_suspect, "the heap has 90 MiB in use while"));
    free_made(evidence);
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    struct evidence *evidence = make_evidence("cpu");
    struct incident_analysis *found = &evidence->incident->analysis;
    add_made(evidence, "cpu", NULL, NULL);
    error_set(&evidence->profiles[0].problem, "it is text");
    suspect_find(evidence, found);
    assert_non_null(strstr(found->no_suspect, "the cpu profile cannot be analysed: it is text"));
    free_made(evidence);
}

/* Goroutines do not stand in for CPU time that nobody looked at. */
static void what_is_too_large_is_left_to_the_reader(void **state)
{
    (void)state;
    static const struct {
        const char *metric, *too_large; /* NULL: nothing is */
        bool is_named;
    } rows[] = {{"cpu", "cpu", false}, {"memory.bytes", "heap", false},
        {"db.received", "cpu", false}, {"goroutines", "cpu", true}, {"goroutines", NULL, true}};
    static const struct made_stack stacks[] = {{"main.main;main.wait", 5000}, {NULL, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct evidence *evidence = make_evidence(rows[i].metric);
        struct incident_analysis *found = &evidence->incident->analysis;
        add_made(evidence, "goroutine", stacks_list("goroutine/count", "/a.go", stacks), NULL);
        if (rows[i].too_large) {
            add_made(evidence, rows[i].too_large, NULL, NULL);
            evidence->profiles[1].too_large = true;
        }
        suspect_find(evidence, found);
        assert_int_equal(found->suspect.function != NULL, rows[i].is_named);
        assert_int_equal(found->no_suspect && strstr(found->no_suspect, "is left to a reader"),
            !rows[i].is_named);
        free_made(evidence);
    }
}

static void only_what_is_there_is_to_be_looked_at(void **state)
{
    static const struct {
        struct suspect_case of;
        bool metrics;
        const char *end;
    } ends[] = {
        {{"cpu", "heap", "inuse_space", {{"main.a", 100}}}, false, "there is no cpu profile"},
        {{"cpu", "heap", "inuse_space", {{"main.a", 100}}}, true, "profile; look at the metrics"},
        {{"cpu", "cpu", "cpu", {{"fmt.a", 1000}}}, true,
            "; look at the metrics, and at the table of functions"},
        {{"cpu", "cpu", "cpu", {{"fmt.a", 1000}}, {{"fmt.b", 1000}}}, false,
            "; look at the table of what grew"},
        {{"memory", "cpu", "cpu", {{"main.a", 100}}}, true,
            "there is no heap profile; look at memory that Go does not manage (cgo, mmap)"},
        {{"db.rtt", "heap", "inuse_space", {{"main.a", 100}}}, true,
            "there is no cpu profile; look at the database's own statistics"},
        {{"goroutines", "heap", "inuse_space", {{"main.a", 100}}}, false,
            "there is no goroutine profile"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct evidence *evidence = evidence_of(&ends[i].of);
        struct incident_analysis *found = &evidence->incident->analysis;
        if (ends[i].metrics)
            series_push(series_set_add(&evidence->metrics, "cpu"), 1000, 5);
        suspect_find(evidence, found);
        const char *said = found->no_suspect ? found->no_suspect : "somebody";
        size_t length = strlen(said), end = strlen(ends[i].end);
        if (length < end || strcmp(said + length - end, ends[i].end) != 0)
            fail_msg("case %zu does not end with \"%s\": %s", i, ends[i].end, said);
        free_made(evidence);
    }
}

static void a_baseline_has_no_suspect(void **state)
{
    (void)state;
    struct evidence *evidence = evidence_of(&cases[1]);
    free(evidence->incident->kind);
    evidence->incident->kind = xstrdup("baseline");
    suspect_find(evidence, &evidence->incident->analysis);
    assert_null(evidence->incident->analysis.suspect.function);
    assert_non_null(strstr(evidence->incident->analysis.no_suspect, "calm time"));
    free_made(evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suspect_is_found_or_none_is),
        cmocka_unit_test(the_suspect_comes_with_figures_and_its_path),
        cmocka_unit_test(the_path_has_a_limit),
        cmocka_unit_test(own_code_of_another_language_is_told_by_the_user),
        cmocka_unit_test(what_the_profile_does_not_explain_has_no_suspect),
        cmocka_unit_test(a_small_heap_is_not_where_the_memory_is),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(what_is_too_large_is_left_to_the_reader),
        cmocka_unit_test(only_what_is_there_is_to_be_looked_at),
        cmocka_unit_test(an_empty_baseline_is_a_share_of_nothing),
        cmocka_unit_test(a_baseline_has_no_suspect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
