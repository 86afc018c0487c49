/* Text with bytes that are not UTF-8 becomes JSON that any reader takes. */
#include "core/json_text.h"

#include "core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BAD "\xef\xbf\xbd"

static void assert_text(const char *text, const char *wanted)
{
    json_t *json = json_text(text);
    assert_string_equal(json_string_value(json), wanted);
    /* jansson checks what it reads. */
    char *written = json_dumps(json, JSON_ENCODE_ANY);
    json_t *again = json_loads(written, JSON_DECODE_ANY, NULL);
    assert_true(json_equal(json, again));
    json_decref(again);
    json_decref(json);
    free(written);
}

static void characters_stay(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "cpu above 80%", "tab\t \"quote\" \\ \x01\x7f",
        "\xc2\x80 \xdf\xbf", "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
        "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_text(texts[i], texts[i]);
}

static void each_other_byte_is_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"\xff", BAD},
        {"app \xff!", "app " BAD "!"},
        {"\x80\xbf", BAD BAD},            /* what only continues */
        {"\xc3", BAD},                    /* cut off */
        {"\xe2\x82", BAD BAD},            /* cut off later */
        {"\xe2\x82z", BAD BAD "z"},       /* what follows is kept */
        {"\xc3\xc3\xa9", BAD "\xc3\xa9"}, /* a beginning within a character */
        {"\xc0\x80", BAD BAD},            /* longer than needed: NUL */
        {"\xe0\x9f\xbf", BAD BAD BAD},    /* longer than needed */
        {"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD},
        {"\xed\xa0\x80", BAD BAD BAD},         /* half a surrogate pair */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* past U+10FFFF */
        {"\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_text(cases[i].text, cases[i].wanted);
}

/* Every text of two bytes, against jansson's own judgement of what is UTF-8. */
static void valid_text_is_left_alone_and_no_other(void **state)
{
    (void)state;
    for (int first = 1; first < 256; first++) {
        for (int second = 1; second < 256; second++) {
            char text[] = {(char)first, (char)second, '\0'};
            json_t *theirs = json_string(text), *ours = json_text(text);
            assert_true(json_is_string(ours));
            assert_int_equal(theirs != NULL, !strcmp(json_string_value(ours), text));
            json_decref(theirs);
            json_decref(ours);
        }
    }
}

static void no_text_is_null(void **state)
{
    (void)state;
    assert_true(json_is_null(json_text(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_stay),
        cmocka_unit_test(each_other_byte_is_replaced),
        cmocka_unit_test(valid_text_is_left_alone_and_no_other),
        cmocka_unit_test(no_text_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
