/* What a database did, as a part of incident.json; and the ports that are our own. */
#include "core/incident_statements.h"
#include "core/own_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read and written again: the same, or `written`. */
static const struct {
    const char *read, *written;
} cases[] = {
    {"[]", NULL},
    {"[{\"name\":\"games\",\"database\":\"g\",\"from\":\"2026-11-23T15:04:01.000Z\","
     "\"to\":\"2026-11-23T15:05:01.000Z\",\"calls\":12,\"time_ms\":50.5,\"top\":[{\"query_id\":"
     "\"-9223372036854775808\",\"text\":\"SELECT $1\",\"calls\":10,\"rows\":150000,\"time_ms\":"
     "40.25,\"percent\":80,\"blocks_read\":1,\"blocks_hit\":2}],\"others\":3,\"started_over\":4,"
     "\"gone\":5}]",
        NULL},
    {"[{\"calls\":0,\"time_ms\":0,\"top\":[],\"running\":[{\"query_id\":\"7\",\"text\":\"SELECT "
     "?\","
     "\"state\":\"active\",\"waits_for\":\"Lock: tuple\",\"time_ms\":1234},{\"state\":\"active\","
     "\"time_ms\":0}],\"running_others\":2}]",
        NULL},
    {"[{\"to\":\"2026-11-23T15:05:01.000Z\",\"problem\":\"p\",\"running\":[{\"time_ms\":1}]}]",
        NULL},
    {"[{\"problem\":\"p\",\"running\":[{\"time_ms\":-1,\"text\":7},3],\"running_others\":-1}]",
        "[{\"problem\":\"p\",\"running\":[{\"time_ms\":0},{\"time_ms\":0}]}]"},
    {"[{\"database\":\"g\",\"problem\":\"no extension\"},{\"name\":\"b\",\"problem\":\"no\"}]",
        NULL},
    {"[{\"problem\":\"p\",\"top\":[{\"text\":\"x\"}],\"calls\":1}]", "[{\"problem\":\"p\"}]"},
    {"[{\"calls\":-1,\"time_ms\":\"x\",\"top\":[{\"percent\":1e9,\"text\":7},3],\"others\":-4}]",
        "[{\"calls\":0,\"time_ms\":0,\"top\":[{\"calls\":0,\"rows\":0,\"time_ms\":0,\"percent\":"
        "100,"
        "\"blocks_read\":0,\"blocks_hit\":0},{\"calls\":0,\"rows\":0,\"time_ms\":0,\"percent\":0,"
        "\"blocks_read\":0,\"blocks_hit\":0}]}]"},
    {"{\"a\":1}", "[]"},
    {"[1]", "[{\"calls\":0,\"time_ms\":0,\"top\":[]}]"},
};

static void it_is_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incident_statements statements;
        json_t *json = json_loads(cases[i].read, 0, NULL);
        assert_non_null(json);
        incident_statements_from_json(json, &statements);
        json_decref(json);
        json = incident_statements_to_json(&statements);
        char *text = json_dumps(json, JSON_COMPACT);
        assert_string_equal(text, cases[i].written ? cases[i].written : cases[i].read);
        free(text);
        json_decref(json);
        incident_statements_free(&statements);
    }
}

static void too_many_are_left_out(void **state)
{
    (void)state;
    json_t *json = json_array(), *top = json_array();
    for (int i = 0; i < 100; i++)
        json_array_append_new(top, json_object());
    for (int i = 0; i < 100; i++)
        json_array_append_new(json, json_pack("{s:O, s:O}", "top", top, "running", top));
    struct incident_statements statements;
    incident_statements_from_json(json, &statements);
    assert_int_equal(statements.count, STATEMENTS_DATABASES_MAX);
    assert_int_equal(statements.databases[0].count, STATEMENTS_MAX);
    assert_int_equal(statements.databases[0].ongoing_count, STATEMENTS_ONGOING_MAX);
    incident_statements_free(&statements);
    json_decref(top);
    json_decref(json);
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char text[2 * STATEMENT_TEXT_MAX + 1];
    for (size_t offset = 0; offset < 3; offset++) {
        memset(text, 'a', offset);
        for (size_t i = offset; i + 2 < sizeof text; i += 2)
            memcpy(text + i, "\xc3\xa4", 3);
        char *cut = incident_statement_text(text);
        size_t length = strlen(cut);
        assert_true(length <= STATEMENT_TEXT_MAX && length > STATEMENT_TEXT_MAX - 3);
        assert_string_equal(cut + length - 3, "\xe2\x80\xa6");
        assert_int_equal((length - 3 - offset) % 2, 0);
        free(cut);
    }
    memset(text, 'x', STATEMENT_TEXT_MAX);
    text[STATEMENT_TEXT_MAX] = '\0';
    char *whole = incident_statement_text(text);
    assert_string_equal(whole, text);
    free(whole);
}

static void ports_of_our_own_are_known(void **state)
{
    (void)state;
    struct own_ports *ports = own_ports_new();
    assert_false(own_ports_has(ports, 0));
    own_ports_add(ports, 5000);
    own_ports_add(ports, 5001);
    assert_true(own_ports_has(ports, 5000));
    own_ports_closed(ports, 5000);
    assert_true(own_ports_has(ports, 5000)); /* its end is told of later */
    for (uint16_t port = 6000; port < 6100; port++)
        own_ports_add(ports, port);
    assert_true(own_ports_has(ports, 6099));
    assert_false(own_ports_has(ports, 5000));
    assert_false(own_ports_has(NULL, 5001));
    own_ports_free(ports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_and_written),
        cmocka_unit_test(too_many_are_left_out),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(ports_of_our_own_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
