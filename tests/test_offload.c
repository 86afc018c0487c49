/* Work on another thread: its order, where its results arrive, and how it ends. */
#include "core/offload.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct loop *loop;
static struct offload *offload;

static int set_up(void **state)
{
    (void)state;
    loop = loop_open(NULL);
    offload = offload_open(loop, "test", NULL);
    return loop && offload ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    offload_close(offload);
    loop_close(loop);
    return 0;
}

/* What a chain of jobs saw. Only one of `work` and `done` runs at any time. */
struct record {
    pthread_t worker, deliverer;
    int worked, delivered;
    int order[8];
    int again; /* jobs that `done` submits yet */
    bool all;
};

struct numbered {
    struct record *record;
    int number;
};

static void work(void *arg)
{
    struct numbered *job = arg;
    job->record->worker = pthread_self();
    job->record->order[job->record->worked++] = job->number;
}

static void submit(struct record *record, int number);

static void done(void *arg)
{
    struct numbered *job = arg;
    struct record *record = job->record;
    record->deliverer = pthread_self();
    record->delivered++;
    record->all = record->again == 0;
    if (record->again) {
        record->again--;
        submit(record, job->number + 1);
    }
    free(job);
}

static void submit(struct record *record, int number)
{
    struct numbered *job = xcalloc(1, sizeof *job);
    *job = (struct numbered){record, number};
    offload_submit(offload, work, done, job);
}

static void jobs_run_in_order_on_their_own_thread(void **state)
{
    (void)state;
    struct record record = {0};
    for (int i = 0; i < 5; i++)
        submit(&record, i);
    offload_close(offload);
    offload = NULL;
    assert_int_equal(record.worked, 5);
    assert_int_equal(record.delivered, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(record.order[i], i);
    assert_false(pthread_equal(record.worker, pthread_self()));
    assert_true(pthread_equal(record.deliverer, pthread_self()));
}

static void results_come_through_the_loop(void **state)
{
    (void)state;
    struct record record = {.again = 3};
    submit(&record, 0);
    assert_int_equal(record.delivered, 0);
    assert_true(loop_run_until(loop, &record.all, clock_mono_ms() + 20000));
    assert_int_equal(record.delivered, 4);
    assert_true(pthread_equal(record.deliverer, pthread_self()));
}

static void what_results_submit_is_done_before_it_closes(void **state)
{
    (void)state;
    struct record record = {.again = 4};
    submit(&record, 0);
    offload_close(offload);
    offload = NULL;
    assert_int_equal(record.delivered, 5);
    assert_int_equal(record.order[4], 4);
}

static void no_result_is_fine(void **state)
{
    (void)state;
    struct record record = {0};
    struct numbered job = {&record, 7};
    offload_submit(offload, work, NULL, &job);
    assert_true(offload_close_by(offload, clock_mono_ms() + 20000));
    offload = NULL;
    assert_int_equal(record.order[0], 7);
}

static void nothing_to_close_is_fine(void **state)
{
    (void)state;
    offload_close(NULL);
    assert_true(offload_close_by(NULL, 0));
    assert_true(offload_close_by(offload, 0)); /* idle: no time is needed */
    offload = NULL;
}

/* A job that hangs until it is released, like one on a dead mount. */
struct hanging {
    sem_t started, release, ended, disposed;
    int worked, delivered;
};

static void hang(void *arg)
{
    struct hanging *job = arg;
    sem_post(&job->started);
    while (sem_wait(&job->release) < 0)
        continue;
    job->worked++;
    sem_post(&job->ended);
}

static void hung(void *arg)
{
    struct hanging *job = arg;
    job->delivered++;
}

/* Returns when it hangs. */
static void start_hanging(struct hanging *job)
{
    *job = (struct hanging){0};
    sem_init(&job->started, 0, 0);
    sem_init(&job->release, 0, 0);
    sem_init(&job->ended, 0, 0);
    sem_init(&job->disposed, 0, 0);
    offload_submit(offload, hang, hung, job);
    while (sem_wait(&job->started) < 0)
        continue;
}

/* Lets the job end; returns when it has. */
static void end_hanging(struct hanging *job)
{
    sem_post(&job->release);
    while (sem_wait(&job->ended) < 0)
        continue;
}

static void a_hanging_job_is_left_to_its_thread(void **state)
{
    (void)state;
    struct record record = {0};
    struct numbered behind = {&record, 1};
    struct hanging job;
    start_hanging(&job);
    offload_submit(offload, work, done, &behind);
    assert_false(offload_close_by(offload, clock_mono_ms() + 20));
    offload = NULL;
    end_hanging(&job);
    assert_int_equal(job.worked, 1);
    assert_int_equal(job.delivered, 0);
    assert_int_equal(record.worked, 0);
    assert_int_equal(record.delivered, 0);
}

static void results_before_a_hanging_job_are_delivered(void **state)
{
    (void)state;
    struct record record = {0};
    struct hanging job;
    submit(&record, 1);
    start_hanging(&job);
    assert_false(offload_close_by(offload, 0));
    offload = NULL;
    end_hanging(&job);
    assert_int_equal(record.delivered, 1);
    assert_int_equal(job.delivered, 0);
}

static void dispose(void *arg)
{
    struct hanging *job = arg;
    sem_post(&job->disposed);
}

static void nothing_is_lost_of_what_is_left(void **state)
{
    (void)state;
    struct hanging job, behind = {0};
    int disposed = -1;
    sem_init(&behind.disposed, 0, 0);
    start_hanging(&job);
    offload_submit(offload, hang, hung, &behind);
    assert_false(offload_leave(offload, clock_mono_ms() + 20, dispose));
    offload = NULL;
    sem_getvalue(&job.disposed, &disposed);
    assert_int_equal(disposed, 0); /* it hangs still */
    end_hanging(&job);
    while (sem_wait(&job.disposed) < 0 || sem_wait(&behind.disposed) < 0)
        continue;
    assert_int_equal(job.delivered + behind.delivered + behind.worked, 0);
}

static void what_is_done_is_not_disposed_of(void **state)
{
    (void)state;
    struct hanging job;
    int disposed = -1;
    start_hanging(&job);
    end_hanging(&job);
    assert_true(offload_leave(offload, clock_mono_ms() + 20000, dispose));
    offload = NULL;
    sem_getvalue(&job.disposed, &disposed);
    assert_int_equal(disposed, 0);
    assert_int_equal(job.delivered, 1);
}

static void *end_soon(void *arg)
{
    end_hanging(arg);
    return NULL;
}

static void a_slow_job_has_until_the_deadline(void **state)
{
    (void)state;
    struct hanging job;
    start_hanging(&job);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, end_soon, &job), 0);
    assert_true(offload_close_by(offload, clock_mono_ms() + 20000));
    offload = NULL;
    pthread_join(thread, NULL);
    assert_int_equal(job.delivered, 1);
}

#define WITH_THREAD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_THREAD(jobs_run_in_order_on_their_own_thread),
        WITH_THREAD(results_come_through_the_loop),
        WITH_THREAD(what_results_submit_is_done_before_it_closes),
        WITH_THREAD(no_result_is_fine),
        WITH_THREAD(nothing_to_close_is_fine),
        WITH_THREAD(a_hanging_job_is_left_to_its_thread),
        WITH_THREAD(results_before_a_hanging_job_are_delivered),
        WITH_THREAD(nothing_is_lost_of_what_is_left),
        WITH_THREAD(what_is_done_is_not_disposed_of),
        WITH_THREAD(a_slow_job_has_until_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
