#include "core/descriptors.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void set_limit(rlim_t limit)
{
    struct rlimit both;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &both), 0);
    both.rlim_cur = limit;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &both), 0);
}

static void limit_is_raised_as_far_as_it_goes(void **state)
{
    (void)state;
    struct rlimit both;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &both), 0);
    set_limit(100);
    descriptors_raise();
    assert_int_equal(descriptors_limit(), both.rlim_max < 8192 ? both.rlim_max : 8192);
    set_limit(both.rlim_max); /* what is more already stays */
    descriptors_raise();
    assert_int_equal(descriptors_limit(), both.rlim_max);
}

static void last_descriptors_are_scarce(void **state)
{
    (void)state;
    static const struct {
        rlim_t limit;
        int newest;
        bool scarce;
    } cases[] = {
        {1024, 767, false}, {1024, 768, true}, {100, 49, false}, {100, 50, true}, {100, -1, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        set_limit(cases[i].limit);
        assert_int_equal(descriptors_are_scarce(cases[i].newest), cases[i].scarce);
    }
}

static void want_of_them_is_told(void **state)
{
    (void)state;
    struct error err;
    set_limit(100);
    assert_false(descriptors_are_out(&err));
    set_limit(0);
    assert_true(descriptors_are_out(&err));
    set_limit(100);
    assert_non_null(strstr(err.text, "all 0 files that stakeout may have open are open: raise"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_is_raised_as_far_as_it_goes),
        cmocka_unit_test(last_descriptors_are_scarce),
        cmocka_unit_test(want_of_them_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
