#include "core/s3/s3_extras.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X128 X64 X64
#define X256 X128 X128
/* A character of two bytes, 128 times. */
#define U16                                                                                        \
    "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3" \
    "\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
#define U128 U16 U16 U16 U16 U16 U16 U16 U16

static const struct {
    const char *name, *value;
    const char *wrong; /* NULL: nothing is */
} tags[] = {
    {"team", "games", NULL},
    {"a b+-=._:/@9", "", NULL},
    {X128, X256, NULL},
    {U128, U128 U128, NULL},
    {X128 "x", "v", "1 to 128"},
    {U128 "x", "v", "1 to 128"},
    {"", "v", "1 to 128"},
    {"k", X256 "x", "256 are allowed"},
    {"a,b", "v", "holds a sign"},
    {"k", "a\nb", "holds a sign"},
    {"k", "50%", "holds a sign"},
    {"aws:x", "v", "AWS's own"},
    {"AWS:x", "v", "AWS's own"},
};

static void check_wrong(int status, const struct error *err, const char *wrong, const char *what)
{
    if ((status < 0) != (wrong != NULL) || (wrong && !strstr(err->text, wrong)))
        fail_msg("%s: %d, %s", what, status, status < 0 ? err->text : "");
}

static void tags_are_as_s3_takes_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        char *name = strdup(tags[i].name), *value = strdup(tags[i].value);
        struct error err;
        int status = s3_extras_check_tags(&(struct s3_texts){&name, &value, 1}, &err);
        check_wrong(status, &err, tags[i].wrong, tags[i].name);
        free(name);
        free(value);
    }
}

static void an_object_has_ten_tags(void **state)
{
    (void)state;
    char name[] = "n", *names[11];
    struct error err;
    for (size_t i = 0; i < 11; i++)
        names[i] = name;
    assert_int_equal(s3_extras_check_tags(&(struct s3_texts){names, names, 10}, &err), 0);
    assert_int_equal(s3_extras_check_tags(&(struct s3_texts){names, names, 11}, &err), -1);
    assert_non_null(strstr(err.text, "at most 10 tags, not 11"));
}

static void metadata_is_what_headers_carry(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other, *value, *wrong;
    } cases[] = {
        {"team", "From-1", "a value: \"x\"", NULL},
        {"team", "TEAM", "v", "there twice"},
        {"a b", "x", "v", "cannot be the name"},
        {"", "x", "v", "cannot be the name"},
        {"a", "b", "\xc3\xa4", "more than ASCII"},
        {"a", "b", "x\r\ny: z", "more than ASCII"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *names[2] = {strdup(cases[i].one), strdup(cases[i].other)};
        char *value = strdup(cases[i].value), *values[2] = {value, value};
        struct error err;
        int status = s3_extras_check_metadata(&(struct s3_texts){names, values, 2}, &err);
        check_wrong(status, &err, cases[i].wrong, cases[i].one);
        free(names[0]);
        free(names[1]);
        free(value);
    }
    char name[] = "n", value[2100], *names[] = {name}, *values[] = {value};
    struct error err;
    memset(value, 'x', sizeof value);
    value[2047] = '\0';
    assert_int_equal(s3_extras_check_metadata(&(struct s3_texts){names, values, 1}, &err), 0);
    value[2047] = 'x';
    value[2048] = '\0';
    assert_int_equal(s3_extras_check_metadata(&(struct s3_texts){names, values, 1}, &err), -1);
    assert_non_null(strstr(err.text, "2049 bytes together"));
}

static const struct {
    int (*check)(const char *text, struct error *err);
    const char *text, *wrong;
} texts[] = {
    {s3_extras_check_encryption, "AES256", NULL},
    {s3_extras_check_encryption, "aws:kms", NULL},
    {s3_extras_check_encryption, "aes256", "write AES256"},
    {s3_extras_check_kms_key, "arn:aws:kms:eu-west-1:123456789012:key/ab-cd", NULL},
    {s3_extras_check_kms_key, "alias/profiles", NULL},
    {s3_extras_check_kms_key, "arn:...", NULL},
    {s3_extras_check_kms_key, "arn:aws:iam::1:role/x", "no KMS key"},
    {s3_extras_check_kms_key, "a b", "no KMS key"},
    {s3_extras_check_storage_class, "STANDARD_IA", NULL},
    {s3_extras_check_storage_class, "standard", "no storage class"},
    {s3_extras_check_storage_class, "", "no storage class"},
    {s3_extras_check_storage_class, "GLACIER", "restored first"},
    {s3_extras_check_storage_class, "GLACIER_IR", NULL},
    {s3_extras_check_owner, "123456789012", NULL},
    {s3_extras_check_owner, "12345678901", "12 digits"},
    {s3_extras_check_owner, "12345678901x", "12 digits"},
};

static void the_rest_is_checked_as_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct error err;
        check_wrong(texts[i].check(texts[i].text, &err), &err, texts[i].wrong, texts[i].text);
    }
}

static void they_are_kept_as_headers_have_them(void **state)
{
    (void)state;
    char *names[] = {(char[]){"Team"}, (char[]){"a b"}}, *values[] = {(char[]){"g"}, (char[]){"="}};
    struct s3_extras extras, copy;
    s3_extras_init(
        &extras, &(struct s3_settings){
                     .kms_key = "k", .tags = {names, values, 2}, .metadata = {names, values, 1}});
    s3_extras_copy(&copy, &extras);
    s3_extras_free(&extras);
    assert_string_equal(copy.encryption, "aws:kms");
    assert_string_equal(copy.kms_key, "k");
    assert_string_equal(copy.tagging, "Team=g&a%20b=%3D");
    assert_int_equal(copy.count, 1);
    assert_string_equal(copy.names[0], "x-amz-meta-team");
    assert_string_equal(copy.values[0], "g");
    assert_null(copy.owner);
    s3_extras_free(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_as_s3_takes_them),
        cmocka_unit_test(an_object_has_ten_tags),
        cmocka_unit_test(metadata_is_what_headers_carry),
        cmocka_unit_test(the_rest_is_checked_as_well),
        cmocka_unit_test(they_are_kept_as_headers_have_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
