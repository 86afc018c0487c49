/* Who asks one exporter stands in line. */
#include "agent/storage/inquiry.h"

#include "exporters/exporter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* An exporter that answers when it is told to. */
struct answering {
    char asked[200]; /* keys, each with a blank behind it */
    bool busy;
    void (*done)(void *arg, const struct recall_result *result);
    void *arg;
};

static void recall(void *self, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg)
{
    struct answering *answering = self;
    assert_false(answering->busy);
    assert_int_equal(max_bytes, 10);
    answering->busy = true;
    answering->done = done;
    answering->arg = arg;
    strcat(strcat(answering->asked, key), " ");
}

static void answer(struct answering *answering)
{
    struct recall_result result = {.outcome = RECALL_NONE};
    assert_true(answering->busy);
    answering->busy = false;
    answering->done(answering->arg, &result);
}

static const struct exporter_kind able = {.recall = recall}, unable = {.recall = NULL};

static void note(void *arg, const struct recall_result *result)
{
    assert_int_equal(result->outcome, RECALL_NONE);
    ++*(int *)arg;
}

static void one_after_the_other(void **state)
{
    (void)state;
    struct answering answering = {.busy = false};
    struct inquiry *inquiry = inquiry_open(&able, &answering);
    int first = 0, second = 0, third = 0;
    assert_true(inquiry_ask(inquiry, "a", 10, note, &first));
    assert_true(inquiry_ask(inquiry, "b", 10, note, &second));
    assert_string_equal(answering.asked, "a ");
    answer(&answering);
    assert_int_equal(first, 1);
    assert_string_equal(answering.asked, "a b ");
    assert_true(inquiry_ask(inquiry, "c", 10, note, &third));
    answer(&answering);
    assert_int_equal(second, 1);
    answer(&answering);
    assert_int_equal(third, 1);
    assert_false(answering.busy);
    assert_true(inquiry_ask(inquiry, "d", 10, note, &first));
    assert_string_equal(answering.asked, "a b c d ");
    inquiry_close(inquiry); /* nobody is told */
    assert_int_equal(first, 1);
}

static void who_is_gone_is_told_nothing(void **state)
{
    (void)state;
    struct answering answering = {.busy = false};
    struct inquiry *inquiry = inquiry_open(&able, &answering);
    int first = 0, second = 0;
    assert_true(inquiry_ask(inquiry, "a", 10, note, &first));
    assert_true(inquiry_ask(inquiry, "b", 10, note, &second));
    assert_true(inquiry_ask(inquiry, "c", 10, note, &first));
    inquiry_forget(inquiry, &first);
    answer(&answering);
    answer(&answering);
    assert_string_equal(answering.asked, "a b ");
    assert_false(answering.busy);
    assert_int_equal(first, 0);
    assert_int_equal(second, 1);
    inquiry_close(inquiry);
}

static void some_cannot_be_asked(void **state)
{
    (void)state;
    struct inquiry *inquiry = inquiry_open(&unable, NULL);
    assert_false(inquiry_ask(inquiry, "a", 10, note, NULL));
    inquiry_close(inquiry);
    inquiry_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(who_is_gone_is_told_nothing),
        cmocka_unit_test(some_cannot_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
