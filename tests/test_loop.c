/* The loop: timers, descriptors, and what callbacks do to both. */
#include "core/loop.h"

#include "core/clock.h"
#include "core/error.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;

static int set_up(void **state)
{
    (void)state;
    loop = loop_open(NULL);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_close(loop);
    return 0;
}

static bool wait_for(const bool *flag)
{
    return loop_run_until(loop, flag, clock_mono_ms() + 20000);
}

static void set(void *arg)
{
    *(bool *)arg = true;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

/* Runs until everything that is due now has been served. */
static void run_what_is_due(void)
{
    bool due = false;
    struct loop_timer *timer = loop_timer_new(loop, set, &due);
    for (int round = 0; round < 2; round++) {
        due = false;
        loop_timer_set(timer, 0);
        assert_true(wait_for(&due));
    }
    loop_timer_free(timer);
}

static void a_timer_expires_once_and_not_before_its_time(void **state)
{
    (void)state;
    int times = 0;
    struct loop_timer *timer = loop_timer_new(loop, count, &times);
    run_what_is_due(); /* unset at first */
    assert_int_equal(times, 0);
    bool later = false;
    struct loop_timer *end = loop_timer_new(loop, set, &later);
    int64_t at_ms = clock_mono_ms() + 10;
    loop_timer_set(timer, at_ms);
    loop_timer_set(end, at_ms + 5);
    assert_true(wait_for(&later));
    assert_true(clock_mono_ms() >= at_ms + 5);
    run_what_is_due();
    assert_int_equal(times, 1);
    loop_timer_free(timer);
    loop_timer_free(end);
}

static void a_timer_can_be_moved_and_unset(void **state)
{
    (void)state;
    int moved = 0, unset = 0;
    struct loop_timer *first = loop_timer_new(loop, count, &moved);
    struct loop_timer *second = loop_timer_new(loop, count, &unset);
    loop_timer_set(first, 0);
    loop_timer_set(first, INT64_MAX - 1);
    loop_timer_set(second, 0);
    loop_timer_unset(second);
    run_what_is_due();
    assert_int_equal(moved + unset, 0);
    loop_timer_set(first, 0);
    run_what_is_due();
    assert_int_equal(moved, 1);
    loop_timer_free(first);
    loop_timer_free(second);
    loop_timer_free(NULL);
}

struct again {
    struct loop_timer *timer;
    int left;
    bool done;
};

static void set_again(void *arg)
{
    struct again *again = arg;
    again->done = --again->left == 0;
    if (!again->done)
        loop_timer_set(again->timer, 0);
}

static void a_timer_can_set_itself_again(void **state)
{
    (void)state;
    struct again again = {.left = 5};
    again.timer = loop_timer_new(loop, set_again, &again);
    loop_timer_set(again.timer, 0);
    assert_true(wait_for(&again.done));
    loop_timer_free(again.timer);
}

/* Two of a kind, each of which ends the other and itself. */
struct pair {
    struct loop_timer *timers[2];
    struct loop_watch *watches[2];
    int calls;
};

static void free_timers(void *arg)
{
    struct pair *pair = arg;
    pair->calls++;
    for (int i = 0; i < 2; i++)
        loop_timer_free(pair->timers[i]);
}

static void a_timer_that_another_freed_does_not_expire(void **state)
{
    (void)state;
    struct pair pair = {.calls = 0};
    for (int i = 0; i < 2; i++) {
        pair.timers[i] = loop_timer_new(loop, free_timers, &pair);
        loop_timer_set(pair.timers[i], 0);
    }
    run_what_is_due();
    assert_int_equal(pair.calls, 1);
}

/* Pipes of which each has a byte to read. */
static void open_pipes(int pipes[][2], int number)
{
    for (int i = 0; i < number; i++) {
        assert_int_equal(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
    }
}

static void close_pipes(int pipes[][2], int number)
{
    for (int i = 0; i < number; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

static void unwatch_both(void *arg)
{
    struct pair *pair = arg;
    pair->calls++;
    for (int i = 0; i < 2; i++)
        loop_unwatch(pair->watches[i]);
}

static void a_watch_that_another_removed_is_not_called(void **state)
{
    (void)state;
    struct pair pair = {.calls = 0};
    int pipes[2][2];
    open_pipes(pipes, 2);
    for (int i = 0; i < 2; i++)
        pair.watches[i] = loop_watch_readable(loop, pipes[i][0], unwatch_both, &pair);
    run_what_is_due();
    assert_int_equal(pair.calls, 1);
    loop_unwatch(NULL);
    close_pipes(pipes, 2);
}

struct reader {
    int fd, bytes;
    bool done;
};

static void read_byte(void *arg)
{
    struct reader *reader = arg;
    char byte;
    if (read(reader->fd, &byte, 1) == 1)
        reader->bytes++;
    reader->done = true;
}

static void a_watch_is_called_while_there_is_something_to_read(void **state)
{
    (void)state;
    int pipes[1][2];
    open_pipes(pipes, 1);
    struct reader reader = {.fd = pipes[0][0]};
    struct loop_watch *watch = loop_watch_readable(loop, reader.fd, read_byte, &reader);
    assert_true(wait_for(&reader.done));
    run_what_is_due();
    assert_int_equal(reader.bytes, 1);
    reader.done = false;
    assert_int_equal(write(pipes[0][1], "yz", 2), 2);
    while (reader.bytes < 3) {
        reader.done = false;
        assert_true(wait_for(&reader.done));
    }
    loop_unwatch(watch);
    close_pipes(pipes, 1);
}

/* As a server does that is opened again: a new watch on a number that was just closed. */
struct reopened {
    struct loop_watch *watch;
    struct reader reader;
    int pipe[2];
};

static void reopen(void *arg)
{
    struct reopened *reopened = arg;
    loop_unwatch(reopened->watch);
    int old = reopened->pipe[0];
    close(reopened->pipe[0]);
    close(reopened->pipe[1]);
    assert_int_equal(pipe2(reopened->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(reopened->pipe[0], old);
    assert_int_equal(write(reopened->pipe[1], "x", 1), 1);
    reopened->reader.fd = reopened->pipe[0];
    reopened->watch = loop_watch_readable(loop, reopened->reader.fd, read_byte, &reopened->reader);
}

static void a_descriptor_that_is_used_again_has_its_new_watch(void **state)
{
    (void)state;
    struct reopened reopened = {.watch = NULL};
    assert_int_equal(pipe2(reopened.pipe, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(write(reopened.pipe[1], "x", 1), 1);
    reopened.watch = loop_watch_readable(loop, reopened.pipe[0], reopen, &reopened);
    assert_true(wait_for(&reopened.reader.done));
    assert_int_equal(reopened.reader.bytes, 1);
    loop_unwatch(reopened.watch);
    close(reopened.pipe[0]);
    close(reopened.pipe[1]);
}

static void running_until_ends_at_the_flag_or_the_deadline(void **state)
{
    (void)state;
    bool flag = true;
    assert_true(loop_run_until(loop, &flag, 0));
    flag = false;
    assert_false(loop_run_until(loop, &flag, 0));
    int64_t deadline_ms = clock_mono_ms() + 10;
    assert_false(loop_run_until(loop, &flag, deadline_ms));
    assert_true(clock_mono_ms() >= deadline_ms);
    struct loop_timer *timer = loop_timer_new(loop, set, &flag);
    loop_timer_set(timer, clock_mono_ms() + 1);
    assert_true(loop_run_until(loop, &flag, INT64_MAX));
    loop_timer_free(timer);
}

static void a_loop_can_be_stopped_and_run_again(void **state)
{
    (void)state;
    struct loop_timer *timer = loop_timer_new(loop, stop, NULL);
    for (int i = 0; i < 2; i++) {
        loop_timer_set(timer, 0);
        loop_run(loop);
    }
    /* What is left when it closes is its to free. */
    int pipes[1][2];
    open_pipes(pipes, 1);
    loop_watch_readable(loop, pipes[0][0], stop, NULL);
    loop_run(loop);
    close_pipes(pipes, 1);
}

struct request {
    struct loop_transfer transfer; /* first */
    CURLcode result;
    bool done;
};

static void transferred(struct loop_transfer *transfer, CURLcode result)
{
    struct request *request = (struct request *)transfer;
    request->result = result;
    request->done = true;
}

static void a_transfer_ends_outside_of_the_multi_handle(void **state)
{
    (void)state;
    struct request request = {.transfer = {transferred}};
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/"); /* nobody listens there */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &request);
    curl_multi_add_handle(loop_multi(loop), easy);
    assert_false(request.done);
    assert_true(wait_for(&request.done));
    assert_int_equal(request.result, CURLE_COULDNT_CONNECT);
    curl_easy_cleanup(easy);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

struct lingerer {
    struct loop_lingering lingering;
    struct loop_timer *timer;
    bool ends, ended, over; /* ends: it never gets there by itself */
};

static void linger_over(void *arg)
{
    struct lingerer *lingerer = arg;
    lingerer->over = true;
    loop_timer_free(lingerer->timer);
    loop_linger_over(loop, &lingerer->lingering);
}

static void linger_move(void *arg, struct loop *to)
{
    struct lingerer *lingerer = arg;
    assert_ptr_not_equal(to, loop);
    lingerer->timer = loop_timer_new(to, linger_over, lingerer);
    if (!lingerer->ends)
        loop_timer_set(lingerer->timer, 0);
}

static void linger_end(void *arg)
{
    struct lingerer *lingerer = arg;
    lingerer->ended = true;
    loop_timer_free(lingerer->timer);
}

static void what_lingers_is_finished_or_ended(void **state)
{
    (void)state;
    struct lingerer all[] = {{.ends = false}, {.ends = true}, {.ends = false}, {.ends = false}};
    for (size_t i = 0; i < 4; i++) {
        all[i].lingering = (struct loop_lingering){
            .move = linger_move, .end = linger_end, .arg = &all[i]};
        loop_linger(loop, &all[i].lingering);
    }
    loop_linger_over(loop, &all[3].lingering);
    loop_close(loop);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(all[i].ended, all[i].ends);
        assert_int_equal(all[i].over, !all[i].ends);
    }
    assert_false(all[3].ended || all[3].over);
    loop = loop_open(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(what_lingers_is_finished_or_ended),
        WITH_LOOP(a_timer_expires_once_and_not_before_its_time),
        WITH_LOOP(a_timer_can_be_moved_and_unset),
        WITH_LOOP(a_timer_can_set_itself_again),
        WITH_LOOP(a_timer_that_another_freed_does_not_expire),
        WITH_LOOP(a_watch_is_called_while_there_is_something_to_read),
        WITH_LOOP(a_watch_that_another_removed_is_not_called),
        WITH_LOOP(a_descriptor_that_is_used_again_has_its_new_watch),
        WITH_LOOP(running_until_ends_at_the_flag_or_the_deadline),
        WITH_LOOP(a_loop_can_be_stopped_and_run_again),
        WITH_LOOP(a_transfer_ends_outside_of_the_multi_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
