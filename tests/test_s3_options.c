#include "exporters/s3_options.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "exporters/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char tag[] = "aws:x", value[] = "\xc3\xa4", *tags[] = {tag}, *values[] = {value};

#define T(text) ((char[]){text})

static const struct {
    struct s3_exporter_options options;
    const char *blamed; /* "encryption, tags"; "": nothing is wrong */
} cases[] = {
    {{.bucket = T("woogles")}, ""},
    {{.bucket = T("woogles"), .dualstack = true, .fips = true, .encryption = {T("AES256")}}, ""},
    {{.bucket = T("woogles"), .encryption = {T("aws:kms"), T("alias/x")}}, ""},
    {{.bucket = T("woogles"),
         .encryption = {.kms_key = T("alias/x")},
         .storage_class = T("STANDARD")},
        ""},
    {{.bucket = T("woogles"), .encryption = {T("aes")}}, "encryption"},
    {{.bucket = T("woogles"), .encryption = {T("AES256"), T("alias/x")}}, "encryption"},
    {{.bucket = T("woogles"), .encryption = {.kms_key = T("arn:aws:iam::1:role/x")}}, "encryption"},
    {{.bucket = T("woogles"), .endpoint = T("https://h"), .dualstack = true, .fips = true},
        "dualstack, fips"},
    {{.bucket = T("-"), .prefix = T(".."), .region = T("X"), .endpoint = T("h"), .role = T("r")},
        "bucket, prefix, region, endpoint, role"},
    {{.bucket = T("woogles"), .external_id = T("x")}, "external_id"},
    {{.bucket = T("woogles"), .role = T("arn:aws:iam::123456789012:role/x"), .external_id = T("x")},
        ""},
    {{.bucket = T("woogles"),
         .expected_bucket_owner = T("1"),
         .storage_class = T("GLACIER"),
         .tags = {tags, values, 1},
         .metadata = {tags, values, 1}},
        "expected_bucket_owner, storage_class, tags, metadata"},
};

static void every_wrong_field_is_blamed_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf blamed;
        struct error err;
        const char *key = NULL;
        buf_init(&blamed, 1000);
        while (s3_options_validate(&cases[i].options, &key, &err) < 0)
            buf_printf(&blamed, "%s%s", blamed.size ? ", " : "", key);
        if (strcmp(blamed.data, cases[i].blamed) != 0)
            fail_msg("case %zu: %s", i, blamed.data);
        buf_free(&blamed);
    }
}

static void texts_stay_the_maps(void **state)
{
    (void)state;
    const struct string_map map = {tags, values, 1};
    struct s3_texts texts = s3_options_texts(&map);
    assert_ptr_equal(texts.names, tags);
    assert_ptr_equal(texts.values, values);
    assert_int_equal(texts.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrong_field_is_blamed_once),
        cmocka_unit_test(texts_stay_the_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
