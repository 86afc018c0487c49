#include "review/suspect/goroutines.h"
#include "review/suspect/owners.h"

#include "evidence_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct evidence *with_profiles(const struct made_stack *spike, const struct made_stack *base)
{
    struct evidence *evidence = make_evidence("goroutines");
    add_made(evidence, "goroutine", stacks_list("goroutine/count", "/a.go", spike),
        base ? stacks_list("goroutine/count", "/a.go", base) : NULL);
    return evidence;
}

static void group(const struct evidence *evidence, struct goroutines *out)
{
    struct owners *owners = owners_learn(evidence);
    goroutines_of(evidence->profiles[0].profile, evidence->profiles[0].base, owners, out);
    owners_free(owners);
}

static const struct made_stack spike[] = {
    {"runtime.main;main.main;net/http.Serve;internal/poll.(*FD).Accept;"
     "internal/poll.runtime_pollWait;runtime.netpollblock;runtime.gopark",
        1},
    {"main.(*Hub).Watch.func1;runtime.chanrecv2;runtime.chanrecv;runtime.gopark", 400},
    {"main.work;main.(*Tracker).Touch;sync.(*Mutex).Lock;sync.(*Mutex).lockSlow;"
     "sync.runtime_SemacquireMutex;runtime.semacquire1;runtime.goparkunlock;runtime.gopark",
        30},
    {"main.work", 5}, {NULL, 0}};

static const struct made_stack base[] = {
    {"runtime.main;main.main;net/http.Serve;internal/poll.(*FD).Accept;"
     "internal/poll.runtime_pollWait;runtime.netpollblock;runtime.gopark",
        1},
    {"main.(*Hub).Watch.func1;runtime.chanrecv2;runtime.chanrecv;runtime.gopark", 390},
    {"main.gone;time.Sleep;runtime.gopark", 3}, {"main.work", 5}, {NULL, 0}};

static void groups_come_by_growth(void **state)
{
    (void)state;
    struct evidence *evidence = with_profiles(spike, base);
    struct goroutines out;
    group(evidence, &out);
    static const struct {
        const char *own, *state;
        int64_t count, base_count;
    } wanted[] = {
        {"main.(*Tracker).Touch", "waiting for a lock", 30, 0},
        {"main.(*Hub).Watch.func1", "receiving from a channel", 400, 390},
        {"main.work", "running or ready to run", 5, 5},
        {"main.main", "waiting for input or output", 1, 1},
        {"main.gone", "sleeping", 0, 3},
    };
    assert_int_equal(out.count, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < out.count; i++) {
        assert_string_equal(out.groups[i].own, wanted[i].own);
        assert_string_equal(out.groups[i].state, wanted[i].state);
        assert_int_equal(out.groups[i].count, wanted[i].count);
        assert_int_equal(out.groups[i].base_count, wanted[i].base_count);
    }
    assert_string_equal(out.groups[0].frames[0], "main.work");
    assert_int_equal(out.groups[0].frame_count, 8);
    assert_int_equal(out.total, 436);
    assert_int_equal(out.base_total, 399);
    goroutines_free(&out);
    free_made(evidence);
}

static void without_a_baseline_they_come_by_count(void **state)
{
    (void)state;
    struct evidence *evidence = with_profiles(spike, NULL);
    struct goroutines out;
    group(evidence, &out);
    assert_int_equal(out.count, 4);
    assert_string_equal(out.groups[0].own, "main.(*Hub).Watch.func1");
    assert_int_equal(out.groups[0].base_count, -1);
    assert_int_equal(out.base_total, -1);
    goroutines_free(&out);
    free_made(evidence);
}

static void states_are_told_from_where_they_wait(void **state)
{
    (void)state;
    static const struct {
        const char *stack, *state;
    } cases[] = {
        {"main.f;runtime.chansend1;runtime.chansend;runtime.gopark", "sending to a channel"},
        {"main.f;runtime.selectgo;runtime.gopark", "waiting in a select"},
        {"main.f;sync.(*WaitGroup).Wait;sync.runtime_Semacquire;runtime.gopark",
            "waiting for a group of goroutines"},
        {"main.f;sync.(*RWMutex).RLock;sync.runtime_SemacquireRWMutexR;runtime.gopark",
            "waiting for a lock"},
        {"main.f;os.(*File).Read;syscall.Read;syscall.Syscall", "in a system call"},
        {"main.f;main._Cfunc_wait;runtime.cgocall", "in C code"},
        {"main.f;runtime.gopark", "waiting"},
        {"main.f;sync.(*Mutex).Lock;main.g;runtime.gopark", "waiting"},
        {"runtime.bgsweep;runtime.gopark", "of the garbage collector"},
        {"0x1234", "running or ready to run"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct made_stack stacks[] = {{cases[i].stack, 1}, {NULL, 0}};
        struct evidence *evidence = with_profiles(stacks, NULL);
        struct goroutines out;
        group(evidence, &out);
        assert_int_equal(out.count, 1);
        assert_string_equal(out.groups[0].state, cases[i].state);
        goroutines_free(&out);
        free_made(evidence);
    }
}

static void there_are_limits(void **state)
{
    (void)state;
    struct goroutines out;
    goroutines_of(NULL, NULL, NULL, &out);
    assert_int_equal(out.count, 0);
    goroutines_free(&out);
    char deep[4000] = "main.f";
    for (int i = 0; i < 300; i++)
        strcat(deep, i % 2 ? ";main.f" : ";main.g");
    const struct made_stack stacks[] = {
        {deep, INT64_MAX}, {"main.f", INT64_MAX}, {"main.f", 5}, {"main.g", INT64_MIN}, {NULL, 0}};
    struct evidence *evidence = with_profiles(stacks, NULL);
    group(evidence, &out);
    assert_int_equal(out.count, 3);
    assert_int_equal(
        out.groups[0].frame_count + out.groups[1].frame_count, GOROUTINES_FRAMES_MAX + 1);
    goroutines_free(&out);
    free_made(evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_come_by_growth),
        cmocka_unit_test(without_a_baseline_they_come_by_count),
        cmocka_unit_test(states_are_told_from_where_they_wait),
        cmocka_unit_test(there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
