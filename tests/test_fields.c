#include "config/document.h"
#include "config/fields.h"
#include "config/fields_text.h"
#include "config/reference.h"
#include "config/suggestion.h"
#include "core/buf.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct inner {
    char *text;
    int64_t number;
};

struct everything {
    char *string, *secret, *url, *name;
    bool flag;
    int64_t integer, duration_ms, bytes;
    struct level level;
    int choice;
    struct inner inner;
    struct string_map secrets;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct field inner_fields[] = {
    {.key = "text", .type = FIELD_STRING, .offset = offsetof(struct inner, text), .otherwise = "t"},
    {.key = "number", .type = FIELD_INTEGER, .offset = offsetof(struct inner, number)},
    {.key = NULL},
};

#define AT(member) offsetof(struct everything, member)
static const struct field fields[] = {
    {.key = "string", .type = FIELD_STRING, .offset = AT(string), .required = 1, .help = "a text"},
    {.key = "secret", .type = FIELD_SECRET, .offset = AT(secret)},
    {.key = "url", .type = FIELD_URL, .offset = AT(url), .otherwise = "http://u:p@h/x"},
    {.key = "name", .type = FIELD_NAME, .offset = AT(name)},
    {.key = "flag", .type = FIELD_BOOL, .offset = AT(flag), .otherwise = "true"},
    {.key = "integer",
        .type = FIELD_INTEGER,
        .offset = AT(integer),
        .otherwise = "3",
        .min = -5,
        .max = 5},
    {.key = "duration",
        .type = FIELD_DURATION,
        .offset = AT(duration_ms),
        .otherwise = "10s",
        .min = 100,
        .max = 60000},
    {.key = "bytes", .type = FIELD_BYTES, .offset = AT(bytes), .otherwise = "1MiB", .max = 1 << 30},
    {.key = "level", .type = FIELD_LEVEL, .offset = AT(level)},
    {.key = "choice",
        .type = FIELD_CHOICE,
        .offset = AT(choice),
        .otherwise = "green",
        .choices = colours},
    {.key = "inner", .type = FIELD_STRUCT, .offset = AT(inner), .fields = inner_fields},
    {.key = "secrets", .type = FIELD_SECRETS, .offset = AT(secrets)},
    {.key = "elsewhere", .type = FIELD_OTHER},
    {.key = NULL},
};
#undef AT

/* What fields_bind says of the text; the result stays in `target`. */
static void bind(const char *text, struct everything *target, struct buf *problems)
{
    struct problems found = {0};
    struct node *root = document_parse(text, strlen(text), &found);
    struct binding binding = {fields, target};
    buf_init(problems, 1 << 16);
    *target = (struct everything){0};
    if (root)
        fields_bind(&binding, 1, root, &found);
    problems_write(&found, "f", problems);
    problems_free(&found);
    document_free(root);
}

static void what_is_not_given_gets_its_default(void **state)
{
    (void)state;
    struct everything target;
    struct buf problems;
    bind("string: x\nlevel: '${T_NONE:-}'\nname: ${T_NONE:-}\nduration: ${T_NONE:-}\n"
         "secrets: {A: \"${T_NONE:-}\"}\nelsewhere: {a: b}\n",
        &target, &problems);
    assert_string_equal(problems.data, "");
    assert_string_equal(target.string, "x");
    assert_null(target.secret);
    assert_null(target.name);
    assert_string_equal(target.url, "http://u:p@h/x");
    assert_true(target.flag);
    assert_int_equal(target.integer, 3);
    assert_int_equal(target.duration_ms, 10000);
    assert_int_equal(target.bytes, 1 << 20);
    assert_null(target.level.text);
    assert_int_equal(target.choice, 1);
    assert_string_equal(target.inner.text, "t");
    assert_int_equal(target.secrets.count, 0);
    fields_free(fields, &target);
    assert_null(target.string);
    buf_free(&problems);
}

static void what_is_given_is_read_as_its_type(void **state)
{
    (void)state;
    struct everything target;
    struct buf problems;
    bind("string: 12\nsecret: s\nurl: https://[::1]:8/\nname: a.b-c_1\nflag: Off\ninteger: -5\n"
         "duration: 500ms\nbytes: 4096\nlevel: 80%\nchoice: blue\ninner: {number: 7, text: u}\n"
         "secrets: {A: b, C-d: 1}\n",
        &target, &problems);
    assert_string_equal(problems.data, "");
    assert_string_equal(target.string, "12");
    assert_string_equal(target.secret, "s");
    assert_string_equal(target.name, "a.b-c_1");
    assert_false(target.flag);
    assert_int_equal(target.integer, -5);
    assert_int_equal(target.duration_ms, 500);
    assert_int_equal(target.bytes, 4096);
    assert_string_equal(target.level.text, "80%");
    assert_int_equal(target.level.line, 9);
    assert_int_equal(target.level.column, 8);
    assert_int_equal(target.choice, 2);
    assert_string_equal(target.inner.text, "u");
    assert_int_equal(target.inner.number, 7);
    assert_int_equal(target.secrets.count, 2);
    assert_string_equal(target.secrets.names[1], "C-d");
    assert_string_equal(target.secrets.values[1], "1");
    fields_free(fields, &target);
    buf_free(&problems);
}

struct refused {
    const char *text; /* after "string: x" and a line break, unless it begins with ! */
    const char *problems;
};

#define KEYS                                                                                       \
    "string, secret, url, name, flag, integer, duration, bytes, level, choice, inner, secrets, "   \
    "elsewhere\n"
#define NO_HEADER                                                                                  \
    "holds what is not the name of a header; write NAME: \"VALUE\", with a space after the "       \
    "colon\n"
#define NO_URL_HOST "is not a URL: its host or port is wrong; write http://host:port/\n"

static void what_does_not_fit_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"! {}", "f:1:2: string: is missing (a text)\n"},
        {"!strng: x", "f:1:1: strng: is not known; did you mean \"string\"?\n"},
        {"!string: ''", "f:1:9: string: must not be empty\n"},
        {"!string: ${T_NONE:-}", "f:1:9: string: must not be empty\n"},
        {"duration: \"\"\nname: ''\nlevel: \"\"\nchoice: ''\nflag: ''\nsecrets: {a: ''}",
            "f:2:11: duration: must not be empty\n"
            "f:3:7: name: must not be empty\n"
            "f:4:8: level: must not be empty\n"
            "f:5:9: choice: must not be empty\n"
            "f:6:7: flag: must not be empty\n"
            "f:7:14: secrets.a: must not be empty\n"},
        {"!string:", "f:1:1: string: is empty; give it a value or leave the key out\n"},
        {"!string: ~", "f:1:1: string: is empty; give it a value or leave the key out\n"},
        {"!- x", "f:1:1: must be a mapping; keys it takes: " KEYS},
        {"whatever: 1", "f:2:1: whatever: is not known; known here: " KEYS},
        {"name: [a]", "f:2:7: name: must be one value, not a list\n"},
        {"integer: {a: 1}", "f:2:10: integer: must be a number, not a mapping\n"},
        {"name: a b",
            "f:2:7: name: \"a b\" is not a name: letters, digits, . _ - (1 to 64), no dot first\n"},
        {"name: .a",
            "f:2:7: name: \".a\" is not a name: letters, digits, . _ - (1 to 64), no dot first\n"},
        {"secret: \"a\\nb\"", "f:2:9: secret: holds a line break or another control character\n"},
        {"secret: \"a\\Nb\"", "f:2:9: secret: holds a line break or another control character\n"},
        {"secret: \"\\ufeffb\"",
            "f:2:9: secret: holds a line break or another control character\n"},
        {"flag: maybe", "f:2:7: flag: \"maybe\" is neither true nor false\n"},
        {"integer: 6", "f:2:10: integer: 6 is out of range; it may be -5 to 5\n"},
        {"integer: -6", "f:2:10: integer: -6 is out of range; it may be -5 to 5\n"},
        {"duration: 61s", "f:2:11: duration: 61s is out of range; it may be 100ms to 1m\n"},
        {"bytes: 2GiB", "f:2:8: bytes: 2GiB is out of range; it may be 0 to 1GiB\n"},
        {"choice: gren",
            "f:2:9: choice: \"gren\" is none of red, green, blue; did you mean \"green\"?\n"},
        {"choice: 7", "f:2:9: choice: \"7\" is none of red, green, blue\n"},
        {"inner: 7", "f:2:8: inner: must be a mapping; keys it takes: text, number\n"},
        {"inner:", "f:2:1: inner: is empty; keys it takes: text, number\n"},
        {"inner: {nmber: 1}", "f:2:9: inner.nmber: is not known; did you mean \"number\"?\n"},
        {"secrets: Bearer",
            "f:2:10: secrets: must be a mapping of names to values, not a single value\n"},
        {"secrets: {a b: c}", "f:2:11: secrets: " NO_HEADER},
        {"secrets: {Authorization:HUNTER2}", "f:2:11: secrets: " NO_HEADER},
        {"secrets: {Authorization:HUNTER2: x}", "f:2:11: secrets: " NO_HEADER},
        {"secrets: {Authorization=HUNTER2: [x]}", "f:2:11: secrets: " NO_HEADER},
        {"secrets: {Authorization/HUNTER2}", "f:2:11: secrets: " NO_HEADER},
        {"secrets: {'Bearer HUNTER2'}", "f:2:11: secrets: " NO_HEADER},
        {"secrets: {HUNTER2}",
            "f:2:11: secrets: holds a name without a value; write NAME: \"VALUE\"\n"},
        {"secrets: {A:HUNTER2: x, A:HUNTER2: x}",
            "f:2:11: secrets: " NO_HEADER
            "f:2:25: secrets.A...: is given twice, first on line 2\n"},
        {"secrets: {A:HUNTER2: !t x}",
            "f:2:11: secrets: " NO_HEADER
            "f:2:22: secrets.A...: tags (!name) are not taken; leave it out\n"},
        {"secrets: {A: '${HUNTER 2}'}",
            "f:2:14: secrets.A: holds a \"${\" that begins neither ${NAME} nor ${NAME:-default}; "
            "write $${ for the characters themselves\n"},
        {"secrets:HUNTER2: x", "f:2:1: secrets...: is not known; known here: " KEYS},
        {"url: http://u:HUNTER2@", "f:2:6: url: " NO_URL_HOST},
        {"url: u:HUNTER2@h", "f:2:6: url: is not a URL that begins with http:// or https://\n"},
        {"secrets: {a: [c]}", "f:2:14: secrets.a: must be one value in quotes\n"},
        {"secrets: {a: \"b\\r\\nc: d\"}",
            "f:2:14: secrets.a: holds a line break or another control character\n"},
        {"url: localhost:8001", "f:2:6: url: is not a URL that begins with http:// or https://\n"},
        {"url: http://", "f:2:6: url: " NO_URL_HOST},
        {"url: http:///x", "f:2:6: url: " NO_URL_HOST},
        {"url: http://u:p@/x", "f:2:6: url: " NO_URL_HOST},
        {"url: http://h:/x", "f:2:6: url: " NO_URL_HOST},
        {"url: http://h:0/x", "f:2:6: url: " NO_URL_HOST},
        {"url: http://h:65536/x", "f:2:6: url: " NO_URL_HOST},
        {"url: http://h:8001x/x", "f:2:6: url: " NO_URL_HOST},
        {"url: http://[::1/x", "f:2:6: url: " NO_URL_HOST},
        {"url: http://::1/x", "f:2:6: url: " NO_URL_HOST},
        {"url: 'http://h/a b'",
            "f:2:6: url: is not a URL: it holds a space, a quote or a backslash\n"},
        {"integer: x\nduration: y\nflags: z",
            "f:2:10: integer: \"x\" is not a whole number\n"
            "f:3:11: duration: \"y\" is not a duration; write it like 500ms, 10s, 5m, 2h or 7d\n"
            "f:4:1: flags: is not known; did you mean \"flag\"?\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct everything target;
        struct buf problems;
        char text[256];
        bool whole = cases[i].text[0] == '!';
        snprintf(text, sizeof text, "%s%s", whole ? "" : "string: x\n", cases[i].text + whole);
        bind(text, &target, &problems);
        assert_string_equal(problems.data, cases[i].problems);
        fields_free(fields, &target);
        buf_free(&problems);
    }
}

static void a_choice_between_truths_takes_every_word_for_them(void **state)
{
    (void)state;
    static const char *const styles[] = {"auto", "true", "false", NULL};
    static const struct field field = {.type = FIELD_CHOICE, .choices = styles};
    static const struct {
        const char *text;
        int choice; /* -1: refused */
    } cases[] = {{"auto", 0}, {"true", 1}, {"yes", 1}, {"On", 1}, {"TRUE", 1}, {"false", 2},
        {"no", 2}, {"OFF", 2}, {"Auto", -1}, {"1", -1}, {"y", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int choice = -1;
        int status = fields_read_text(&field, &choice, cases[i].text, NULL);
        assert_int_equal(status, cases[i].choice < 0 ? -1 : 0);
        assert_int_equal(choice, cases[i].choice);
    }
}

static void a_level_that_is_no_short_text_is_refused(void **state)
{
    (void)state;
    struct everything target;
    struct buf problems;
    bind("string: x\nlevel: 11111111111111111111111111111111111111111111111111111111111111%\n",
        &target, &problems);
    assert_string_equal(
        problems.data, "f:2:8: level: is not a level; write it like 80%, 20MB/s, 512MiB or 3\n");
    fields_free(fields, &target);
    buf_free(&problems);
}

static void printed_values_hide_secrets_and_leave_out_what_is_not_given(void **state)
{
    (void)state;
    struct everything target;
    struct buf problems;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bind("string: 'a: b'\nsecret: s\nsecrets: {A: b}\n", &target, &problems);
    fields_print(fields, &target, 4, true, out);
    fclose(out);
    assert_string_equal(text, "  - string: \"a: b\"\n"
                              "    secret: \"<redacted>\"\n"
                              "    url: \"http://<redacted>@h/x\"\n"
                              "    flag: true\n"
                              "    integer: 3\n"
                              "    duration: 10s\n"
                              "    bytes: 1MiB\n"
                              "    choice: green\n"
                              "    inner:\n"
                              "      text: t\n"
                              "    secrets:\n"
                              "      A: \"<redacted>\"\n");
    free(text);
    fields_free(fields, &target);
    buf_free(&problems);
}

static void the_reference_tells_type_range_and_default(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fields_print_reference(fields, "here", &(struct reference){out, REFERENCE_TEXT});
    fclose(out);
    assert_non_null(strstr(text, "here.string                      text, required\n    a text\n"));
    assert_non_null(strstr(text, "duration, 100ms to 1m, default 10s\n"));
    assert_non_null(strstr(text, "red | green | blue, default green\n"));
    assert_non_null(strstr(text, "here.inner.number "));
    assert_null(strstr(text, "elsewhere"));
    free(text);
}

static void hosts_and_ports_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port;
    } cases[] = {
        {"h", "h", 0},
        {"h:1", "h", 1},
        {"db.internal:65535", "db.internal", 65535},
        {"[::1]", "::1", 0},
        {"[::1]:5432", "::1", 5432},
        {"", NULL, 0},
        {":1", NULL, 0},
        {"h:", NULL, 0},
        {"h:0", NULL, 0},
        {"h:-1", NULL, 0},
        {"h:123456", NULL, 0},
        {"h:1:2", NULL, 0},
        {"[]:1", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]x", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct host_port parts;
        int status = fields_split_host_port(cases[i].text, strlen(cases[i].text), &parts);
        assert_int_equal(status, cases[i].host ? 0 : -1);
        if (!cases[i].host)
            continue;
        assert_int_equal(parts.port, cases[i].port);
        assert_int_equal(parts.host_length, strlen(cases[i].host));
        assert_memory_equal(parts.host, cases[i].host, parts.host_length);
    }
}

static void only_near_words_are_suggested(void **state)
{
    (void)state;
    static const struct {
        const char *word, *best;
    } cases[] = {
        {"cooldwon", "cooldown"},
        {"cooldon", "cooldown"},
        {"Cooldown", "cooldown"},
        {"per-hour", "per_hour"},
        {"grade", "grace"},
        {"gracious", NULL},
        {"x", NULL},
        {"GRACE", "grace"},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct suggestion suggestion;
        suggestion_init(&suggestion, cases[i].word);
        suggestion_offer(&suggestion, "cooldown");
        suggestion_offer(&suggestion, "per_hour");
        suggestion_offer(&suggestion, "grace");
        if (cases[i].best)
            assert_string_equal(suggestion.best, cases[i].best);
        else
            assert_null(suggestion.best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_gets_its_default),
        cmocka_unit_test(what_is_given_is_read_as_its_type),
        cmocka_unit_test(what_does_not_fit_is_told_with_its_place),
        cmocka_unit_test(a_choice_between_truths_takes_every_word_for_them),
        cmocka_unit_test(a_level_that_is_no_short_text_is_refused),
        cmocka_unit_test(printed_values_hide_secrets_and_leave_out_what_is_not_given),
        cmocka_unit_test(the_reference_tells_type_range_and_default),
        cmocka_unit_test(hosts_and_ports_are_told_apart),
        cmocka_unit_test(only_near_words_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
