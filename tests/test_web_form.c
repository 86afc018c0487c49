#include "core/buf.h"
#include "core/error.h"
#include "review/web/web_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The fields as "name=value|name=value". */
static void expect(const char *text, const char *fields)
{
    struct web_form form;
    struct error err = {""};
    struct buf out;
    buf_init(&out, 4096);
    int status = web_form_parse(text, strlen(text), &form, &err);
    for (size_t i = 0; i < form.count; i++)
        buf_printf(&out, "%s%s=%s", i ? "|" : "", form.fields[i].name, form.fields[i].value);
    if (status < 0)
        buf_puts(&out, "!");
    if (strcmp(out.data, fields) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", text, out.data, fields);
    assert_int_equal(status < 0, *err.text != '\0');
    buf_free(&out);
    web_form_free(&form);
}

static void fields_are_unescaped(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"a=b", "a=b"},
        {"a=b&c=d", "a=b|c=d"},
        {"a", "a="},
        {"a=", "a="},
        {"=b", "=b"},
        {"&&a=b&&", "a=b"},
        {"a=b=c", "a=b=c"},
        {"a+b=c+d", "a b=c d"},
        {"a=%41%7a%2B%26%3D%25", "a=Az+&=%"},
        {"q=%E2%82%AC", "q=\xe2\x82\xac"},
        {"q=%ff", "q=\xff"},
        {"a=1&a=2", "a=1|a=2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i][0], cases[i][1]);
}

static void what_is_broken_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a=%", "!"},
        {"a=%4", "!"},
        {"a=%4g", "!"},
        {"a=%g4", "!"},
        {"a=%00", "!"},
        {"%00=a", "!"},
        {"a=b&c=%x", "a=b!"},
        {"a=%4&b=1", "!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i][0], cases[i][1]);
}

static void only_so_many_fields_are_taken(void **state)
{
    (void)state;
    struct web_form form;
    struct error err = {""};
    struct buf text;
    buf_init(&text, 4096);
    for (int i = 0; i < WEB_FORM_FIELDS_MAX; i++)
        buf_printf(&text, "f%d=%d&", i, i);
    assert_int_equal(web_form_parse(text.data, text.size, &form, &err), 0);
    assert_int_equal(form.count, WEB_FORM_FIELDS_MAX);
    assert_string_equal(web_form_get(&form, "f63"), "63");
    assert_null(web_form_get(&form, "f64"));
    web_form_free(&form);
    buf_puts(&text, "one=more");
    assert_int_equal(web_form_parse(text.data, text.size, &form, &err), -1);
    web_form_free(&form);
    buf_free(&text);
}

static void what_is_put_is_what_is_parsed(void **state)
{
    (void)state;
    static const char hostile[] = "a&b=c d+%\"'<>\xff\xe2\x82\xac/?#";
    struct web_form form;
    struct buf out;
    buf_init(&out, 4096);
    buf_puts(&out, "/");
    web_form_put(&out, "q", hostile);
    web_form_put(&out, "page", "2");
    const char *query = strchr(out.data, '?') + 1;
    assert_int_equal(web_form_parse(query, strlen(query), &form, NULL), 0);
    assert_int_equal(form.count, 2);
    assert_string_equal(web_form_get(&form, "q"), hostile);
    assert_string_equal(web_form_get(&form, "page"), "2");
    web_form_free(&form);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_unescaped),
        cmocka_unit_test(what_is_broken_is_refused),
        cmocka_unit_test(only_so_many_fields_are_taken),
        cmocka_unit_test(what_is_put_is_what_is_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
