#include "agent/notices/notice_queue.h"

#include "agent/notices/notice_file.h"
#include "agent/notices/tally.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *add(struct notice_queue *queue, const char *id, const char *group)
{
    return notice_queue_add(queue,
        &(struct notice_entry){.id = (char *)id, .group = (char *)group, .since_ms = atoi(id)});
}

static void assert_order(const struct notice_queue *queue, const char *ids)
{
    char text[200] = "";
    for (size_t i = 0; i < queue->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", queue->entries[i].id);
    assert_string_equal(text, ids);
}

static void a_group_goes_together_and_is_put_off_together(void **state)
{
    (void)state;
    struct notice_queue queue = {0};
    size_t indices[NOTICE_QUEUE_MAX];
    static const char *const all[][2] = {
        {"1", "a"}, {"2", "b"}, {"3", "a"}, {"4", "c"}, {"5", "a"}, {"3", "a"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_null(add(&queue, all[i][0], all[i][1]));
    assert_order(&queue, "1 2 3 4 5 ");
    assert_int_equal(notice_queue_first(&queue, indices), 3);
    assert_int_equal(indices[2], 4);
    notice_queue_put_off(&queue);
    assert_order(&queue, "2 4 1 3 5 ");
    assert_string_equal(notice_queue_older(&queue, 2), "1");
    assert_null(notice_queue_older(&queue, 1));
    assert_true(notice_queue_remove(&queue, "4"));
    assert_false(notice_queue_remove(&queue, "4"));
    assert_order(&queue, "2 1 3 5 ");
    notice_queue_free(&queue);
    assert_int_equal(queue.count, 0);
}

static void the_oldest_goes_when_there_are_too_many(void **state)
{
    (void)state;
    struct notice_queue queue = {0};
    char id[20];
    for (int i = 0; i < NOTICE_QUEUE_MAX; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_null(add(&queue, id, "a"));
    }
    char *gone = add(&queue, "one more", "b");
    assert_string_equal(gone, "0");
    assert_int_equal(queue.count, NOTICE_QUEUE_MAX);
    free(gone);
    notice_queue_free(&queue);
}

static void a_tally_counts_each_incident_once(void **state)
{
    (void)state;
    struct tally *tally = xcalloc(1, sizeof *tally), *again = xcalloc(1, sizeof *again);
    struct error err;
    assert_int_equal(tally_add(tally, "a", "1", 1000)->times, 1);
    assert_int_equal(tally_add(tally, "a", "1", 1000)->times, 1);
    assert_int_equal(tally_add(tally, "b", "2", 2000)->times, 1);
    assert_int_equal(tally_add(tally, "a", "3", 3000)->times, 2);
    char *text = tally_text(tally);
    assert_int_equal(tally_parse(again, text, strlen(text), &err), 0);
    free(text);
    const struct tally_group *group = tally_add(again, "a", "4", 4000);
    assert_int_equal(group->times, 3);
    assert_int_equal(group->first_ms, 1000);
    for (int i = 0; i < TALLY_MAX; i++) {
        char name[20];
        snprintf(name, sizeof name, "more %d", i);
        tally_add(again, name, "x", 5000);
    }
    assert_int_equal(again->count, TALLY_MAX);
    assert_int_equal(tally_add(again, "a", "5", 6000)->times, 1); /* long ago */
    tally_free(tally);
    tally_free(again);
    assert_int_equal(tally_parse(again, "{\"schema\": 2}", 13, &err), -1);
    assert_int_equal(tally_parse(again, "[", 1, &err), -1);
    free(tally);
    free(again);
}

static void a_file_says_all_that_a_message_needs(void **state)
{
    (void)state;
    static const char text[] =
        "{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-0a1b2c\", \"service\": \"woogles\", "
        "\"kind\": \"spike\", \"fired\": \"2026-11-23T15:04:01.000Z\", \"app\": \"api\", "
        "\"trigger\": {\"name\": \"cpu-high\"}, \"profiles\": []}";
    struct error err;
    struct notice_file file = {.incident = incident_from_text(text, strlen(text), &err),
                           .report = true,
                           .stored = xstrdup("s3://b/x"),
                           .times = 5,
                           .times_since_ms = 1795446000000},
                       again = {0};
    assert_non_null(file.incident);
    char *written = notice_file_text(&file);
    assert_int_equal(notice_file_parse(&again, written, strlen(written), &err), 0);
    assert_string_equal(again.incident->id, file.incident->id);
    assert_true(again.report);
    assert_string_equal(again.stored, "s3://b/x");
    assert_int_equal(again.times, 5);
    assert_int_equal(again.times_since_ms, 1795446000000);
    char *group = notice_group(again.incident);
    assert_string_equal(group, "app api, trigger cpu-high");
    free(group);
    again.incident->analysis.group = xstrdup("0123456789abcdef");
    group = notice_group(again.incident);
    assert_string_equal(group, "group 0123456789abcdef");
    free(group);
    assert_true(notice_wanted(again.incident));
    again.incident->fleet.duplicate = true;
    assert_false(notice_wanted(again.incident));
    again.incident->fleet.duplicate = false;
    free(again.incident->kind);
    again.incident->kind = xstrdup("follow_up");
    assert_false(notice_wanted(again.incident));
    notice_file_free(&again);
    assert_int_equal(notice_file_parse(&again, written, strlen(written) / 2, &err), -1);
    notice_file_free(&again);
    assert_int_equal(notice_file_parse(&again, "{\"schema\": 1, \"incident\": {}}", 29, &err), -1);
    notice_file_free(&again);
    notice_file_free(&file);
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_goes_together_and_is_put_off_together),
        cmocka_unit_test(the_oldest_goes_when_there_are_too_many),
        cmocka_unit_test(a_tally_counts_each_incident_once),
        cmocka_unit_test(a_file_says_all_that_a_message_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
