#include "sources/tcp/sock_table.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct sock_table table;
    sock_table_init(&table);
    assert_null(sock_table_find(&table, 1));
    assert_null(sock_table_add(&table, 0));
    sock_table_forget(&table, 1);
    assert_null(sock_table_find(&table, 1));
    sock_table_free(&table);
}

/* Against a plain array as the model; few cookies, so that slots collide and wrap around. */
static void adding_and_removing_in_any_order_keeps_all_others(void **state)
{
    (void)state;
    enum { COOKIES = 300 };
    bool there[COOKIES] = {false};
    struct sock_table table;
    sock_table_init(&table);
    srand(1);
    for (int round = 0; round < 20000; round++) {
        size_t i = (size_t)rand() % COOKIES;
        struct sock_entry *entry = sock_table_find(&table, i + 1);
        assert_int_equal(entry != NULL, there[i]);
        if (entry) {
            assert_int_equal(entry->received, i);
            sock_table_remove(&table, entry);
        } else {
            sock_table_add(&table, i + 1)->received = i;
        }
        there[i] = !there[i];
    }
    size_t count = 0;
    for (size_t i = 0; i < COOKIES; i++) {
        count += there[i];
        assert_int_equal(sock_table_find(&table, i + 1) != NULL, there[i]);
    }
    assert_int_equal(table.count, count);
    sock_table_free(&table);
}

static void it_is_bounded_and_old_entries_make_room(void **state)
{
    (void)state;
    struct sock_table table;
    sock_table_init(&table);
    for (uint64_t i = 1; i <= SOCK_TABLE_MAX; i++)
        sock_table_add(&table, i << 12)->survey = i % 2 ? 7 : 8;
    assert_null(sock_table_add(&table, 1));
    assert_int_equal(table.count, SOCK_TABLE_MAX);
    sock_table_forget(&table, 8);
    assert_int_equal(table.count, SOCK_TABLE_MAX / 2);
    assert_null(sock_table_find(&table, UINT64_C(1) << 12));
    assert_non_null(sock_table_find(&table, UINT64_C(2) << 12));
    assert_non_null(sock_table_add(&table, 1));
    sock_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(adding_and_removing_in_any_order_keeps_all_others),
        cmocka_unit_test(it_is_bounded_and_old_entries_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
