#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/store/store.h"
#include "review/store/store_backend.h"
#include "review/store/store_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_IDS = 4000 };

/* A place that tells so many incidents in one answer, and notes what it is asked. */
struct place {
    struct {
        char service[8], id[48];
    } all[MAX_IDS];
    size_t count, page;
    size_t asked, expected,
        whole;        /* listings of ids; those that were expected; those that held all */
    struct buf paths; /* of the listings of ids, with what they begin with */
    char expecting[64][96];
    bool fails;
};

/* Of an incident, one level below the path; "" when it is elsewhere. */
static void name_below(const struct place *place, size_t index, const char *path, char name[32])
{
    const char *id = place->all[index].id;
    name[0] = '\0';
    if (!*path)
        snprintf(name, 32, "service=%s", place->all[index].service);
    else if (!strcmp(path + sizeof "service=" - 1, place->all[index].service))
        snprintf(name, 32, "date=%.4s-%.2s-%.2s", id, id + 4, id + 6);
}

static int names(
    void *self, const struct store_span *span, store_each_name *each, void *arg, struct error *err)
{
    const struct place *place = self;
    char name[32], other[32];
    (void)err;
    for (size_t i = 0; i < place->count; i++) {
        bool first = true;
        name_below(place, i, span->path, name);
        for (size_t k = 0; k < i && first; k++) {
            name_below(place, k, span->path, other);
            first = strcmp(name, other) != 0;
        }
        if (*name && first && !(span->after && strcmp(name, span->after) <= 0) &&
            each(arg, name) != 0)
            return 1;
    }
    return each(arg, "_state") != 0; /* which is neither */
}

static bool is_in(const struct place *place, size_t index, const struct store_span *span)
{
    const char *id = place->all[index].id;
    char path[64];
    snprintf(path, sizeof path, "service=%s/date=%.4s-%.2s-%.2s", place->all[index].service, id,
        id + 4, id + 6);
    return !strcmp(path, span->path) && !strncmp(id, span->begin, strlen(span->begin)) &&
           (!span->after || strcmp(id, span->after) > 0);
}

static void describe(const struct store_span *span, char text[96])
{
    snprintf(text, 96, "%s %s>%s", span->path, span->begin, span->after ? span->after : "");
}

static int holders(void *self, const struct store_span *span, const char *const files[2],
    store_each_holder *each, void *arg, struct error *err)
{
    struct place *place = self;
    char text[96];
    size_t count = 0;
    (void)files;
    describe(span, text);
    buf_printf(&place->paths, "%s\n", text);
    place->asked++;
    for (size_t i = 0; i < 64; i++)
        if (!strcmp(place->expecting[i], text)) {
            place->expected++;
            place->expecting[i][0] = '\0';
        }
    if (place->fails)
        return error_set(err, "the place is out of reach");
    for (size_t i = 0; i < place->count; i++)
        count += is_in(place, i, span);
    if (span->whole && count > place->page)
        return STORE_NOT_WHOLE;
    place->whole++;
    for (size_t i = 0; i < place->count; i++)
        if (is_in(place, i, span) && each(arg, place->all[i].id, false, 7) != 0)
            return 1;
    return 0;
}

static void expect(
    void *self, enum store_question question, const struct store_span *span, size_t max)
{
    struct place *place = self;
    (void)max;
    if (question == STORE_NOTHING)
        memset(place->expecting, 0, sizeof place->expecting);
    for (size_t i = 0; question == STORE_HOLDERS && i < 64; i++)
        if (!place->expecting[i][0]) {
            describe(span, place->expecting[i]);
            return;
        }
}

static const struct store_backend backend = {.names = names, .holders = holders, .expect = expect};

static struct place *place_new(size_t page)
{
    struct place *place = xcalloc(1, sizeof *place);
    place->page = page;
    buf_init(&place->paths, 1 << 20);
    return place;
}

static void place_free(struct place *place)
{
    buf_free(&place->paths);
    free(place);
}

static void put(struct place *place, const char *service, const char *id)
{
    assert_true(place->count < MAX_IDS);
    snprintf(place->all[place->count].service, sizeof place->all[0].service, "%s", service);
    snprintf(place->all[place->count].id, sizeof place->all[0].id, "%s", id);
    place->count++;
}

/* Pseudo-random incidents of three services: some days full, one minute and one second crowded. */
static void put_many(struct place *place, unsigned seed)
{
    for (size_t i = 0; i < 1500; i++) {
        char id[48], service[] = {(char)('a' + i % 3), '\0'};
        seed = seed * 1103515245 + 12345;
        unsigned r = seed >> 8;
        unsigned day = i % 5 == 0 ? 1 + r % 28 : 7, hour = r / 28 % 24;
        unsigned minute = r / 672 % 60, second = r / 40320 % 60;
        if (i % 7 == 0)
            hour = 23, minute = 59;
        if (i % 21 == 0)
            second = 30;
        snprintf(id, sizeof id, "202611%02uT%02u%02u%02uZ-cpu-high-%06x", day, hour, minute, second,
            (unsigned)i);
        put(place, service, id);
    }
}

/* The ids in the order they are told; stops after `most`. */
static size_t walk_all(
    struct place *place, const struct store_filter *filter, size_t most, char *last)
{
    struct error err = {""};
    struct store_place found;
    size_t count = 0;
    int status = 1;
    struct store_walk *walk = store_walk_open(&backend, place, "here", filter, &err);
    assert_non_null(walk);
    strcpy(last, "~");
    while (count < most && (status = store_walk_next(walk, &found, &err)) > 0) {
        if (strcmp(found.id, last) >= 0)
            fail_msg("%s comes after %s", found.id, last);
        assert_int_equal(found.stamp, 7);
        snprintf(last, 48, "%s", found.id);
        free(found.id);
        count++;
    }
    assert_true(status >= 0);
    store_walk_close(walk);
    return count;
}

static void the_newest_comes_first_whatever_a_page_holds(void **state)
{
    (void)state;
    static const size_t pages[] = {1, 10, 100, 1000, MAX_IDS};
    const struct store_filter all = {.since_ms = INT64_MIN};
    char last[48];
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct place *place = place_new(pages[i]);
        put_many(place, (unsigned)i);
        assert_int_equal(walk_all(place, &all, SIZE_MAX, last), 1500);
        place_free(place);
    }
}

static void the_first_costs_the_newest_partition_only(void **state)
{
    (void)state;
    const struct store_filter all = {.since_ms = INT64_MIN};
    struct place *place = place_new(100);
    char last[48];
    for (unsigned i = 0; i < 3000; i++) {
        char id[48];
        snprintf(id, sizeof id, "202611%02uT%02u%02u00Z-cpu-%06x", 1 + i / 150, i % 150 / 7,
            i % 7 * 8, i);
        put(place, "a", id);
    }
    assert_int_equal(walk_all(place, &all, 5, last), 5);
    assert_string_equal(place->paths.data, "service=a/date=2026-11-20 20261120>\n"
                                           "service=a/date=2026-11-20 20261120T2>\n");
    place_free(place);
}

static void what_is_before_since_is_not_listed(void **state)
{
    (void)state;
    const struct store_filter filter = {
        .since_ms = INT64_C(1795391999) * 1000}; /* 22nd, 23:59:59 */
    struct place *place = place_new(1);
    char last[48];
    put(place, "a", "20261121T120000Z-cpu-000001");
    put(place, "a", "20261122T120000Z-cpu-000002");
    put(place, "a", "20261122T235958Z-cpu-000003");
    put(place, "a", "20261122T235959Z-cpu-000004");
    put(place, "a", "20261123T110000Z-cpu-000005");
    put(place, "a", "20261123T230000Z-cpu-000006");
    assert_int_equal(walk_all(place, &filter, SIZE_MAX, last), 3);
    assert_string_equal(last, "20261122T235959Z-cpu-000004");
    assert_string_equal(place->paths.data, "service=a/date=2026-11-23 20261123>\n"
                                           "service=a/date=2026-11-23 20261123T2>\n"
                                           "service=a/date=2026-11-23 20261123T1>\n"
                                           "service=a/date=2026-11-23 20261123T0>\n"
                                           "service=a/date=2026-11-22 20261122>20261122T235959\n");
    place_free(place);
}

static void a_service_with_nothing_new_is_not_listed_early(void **state)
{
    (void)state;
    const struct store_filter all = {.since_ms = INT64_MIN};
    struct place *place = place_new(100);
    char last[48];
    put(place, "a", "20261101T120000Z-cpu-000001");
    put(place, "b", "20261122T120000Z-cpu-000002");
    put(place, "b", "20261122T130000Z-cpu-000003");
    assert_int_equal(walk_all(place, &all, 2, last), 2);
    assert_string_equal(place->paths.data, "service=b/date=2026-11-22 20261122>\n");
    place_free(place);
}

/* What is listed next is under way before: all but the first of many days with little in them. */
static void sparse_dates_and_many_services_are_expected(void **state)
{
    (void)state;
    const struct store_filter all = {.since_ms = INT64_MIN};
    struct place *place = place_new(100);
    char last[48];
    for (unsigned i = 0; i < 28 * 3; i++) {
        char id[48], service[] = {(char)('a' + i % 3), '\0'};
        snprintf(id, sizeof id, "202611%02uT120000Z-cpu-%06x", 1 + i / 3, i);
        put(place, service, id);
    }
    assert_int_equal(walk_all(place, &all, SIZE_MAX, last), 84);
    assert_int_equal(place->asked, 84);
    assert_true(place->expected >= 82);
    place_free(place);
}

static void a_place_that_fails_says_why(void **state)
{
    (void)state;
    const struct store_filter all = {.since_ms = INT64_MIN};
    struct place *place = place_new(100);
    struct store_place found;
    struct error err = {""};
    put(place, "a", "20261101T120000Z-cpu-000001");
    place->fails = true;
    struct store_walk *walk = store_walk_open(&backend, place, "here", &all, &err);
    assert_non_null(walk);
    assert_int_equal(store_walk_next(walk, &found, &err), -1);
    assert_string_equal(err.text, "the place is out of reach");
    store_walk_close(walk);
    place_free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_comes_first_whatever_a_page_holds),
        cmocka_unit_test(the_first_costs_the_newest_partition_only),
        cmocka_unit_test(what_is_before_since_is_not_listed),
        cmocka_unit_test(a_service_with_nothing_new_is_not_listed_early),
        cmocka_unit_test(sparse_dates_and_many_services_are_expected),
        cmocka_unit_test(a_place_that_fails_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
