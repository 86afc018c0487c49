#include "core/s3/s3_xml.h"

#include "core/buf.h"
#include "core/error.h"
#include "core/s3/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIST(inner)                                                                                \
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" inner                   \
    "</ListBucketResult>"
#define KEY(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"

static void reads_pages(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *keys, *next; /* keys joined by | */
    } cases[] = {
        {LIST(""), "", NULL},
        {LIST(KEY("a") KEY("b &amp; c")), "a|b & c", NULL},
        {LIST("<Prefix>x</Prefix><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>"
              "<NextContinuationToken>t1</NextContinuationToken>" KEY(
                  "k") "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"),
            "k|p/", "t1"},
        {LIST("<IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken>"),
            "", NULL},
        {LIST(KEY("a%20b%2Bc+d%e1%88%B4%") "<EncodingType>url</EncodingType>"),
            "a b+c d\xe1\x88\xb4%", NULL},
        {LIST(KEY("a%20b+c")), "a%20b+c", NULL},
        {LIST(KEY("ok") KEY("nul%00byte") KEY("end") "<EncodingType>url</EncodingType>"), "ok|end",
            NULL},
        {LIST("<Contents><Key>a</Key><Owner><Key>no</Key></Owner></Contents>"), "a", NULL},
        {LIST(KEY("<![CDATA[<x>]]>")), "<x>", NULL},
        {LIST(KEY("")), "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_page page;
        struct error err = {""};
        if (s3_xml_page(cases[i].xml, strlen(cases[i].xml), &page, &err) < 0)
            fail_msg("case %zu: %s", i, err.text);
        struct buf joined;
        buf_init(&joined, 1000);
        for (size_t k = 0; k < page.count; k++)
            buf_printf(&joined, "%s%s", k ? "|" : "", page.entries[k].key);
        assert_string_equal(joined.data, cases[i].keys);
        assert_true((page.next == NULL) == (cases[i].next == NULL));
        if (page.next)
            assert_string_equal(page.next, cases[i].next);
        buf_free(&joined);
        s3_page_free(&page);
    }
}

static void refuses_what_is_no_page(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "not xml",
        "<html/>",
        "<Error><Code>x</Code></Error>",
        "<ListBucketResult><Contents>",
        LIST("<IsTruncated>true</IsTruncated>"),
        LIST("<IsTruncated>true</IsTruncated><NextContinuationToken/>"),
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>" LIST(KEY("&b;")),
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" LIST(""),
        LIST("<a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>"),
        LIST("<NameThatIsMuchLongerThanAnyThatS3AndTheOtherServicesUseInTheirAnswers/>"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_page page;
        struct error err = {""};
        if (s3_xml_page(cases[i], strlen(cases[i]), &page, &err) == 0)
            fail_msg("accepted: %s", cases[i]);
        assert_true(err.text[0]);
        assert_null(page.entries);
    }
}

static void refuses_pages_without_bounds(void **state)
{
    (void)state;
    struct buf xml;
    struct s3_page page;
    struct error err;
    buf_init(&xml, SIZE_MAX / 2);
    buf_puts(&xml, "<ListBucketResult>");
    for (int i = 0; i < 10001; i++)
        buf_puts(&xml, KEY("k"));
    buf_puts(&xml, "</ListBucketResult>");
    assert_int_equal(s3_xml_page(xml.data, xml.size, &page, &err), -1);
    assert_non_null(strstr(err.text, "too many keys"));
    buf_clear(&xml);
    buf_puts(&xml, "<ListBucketResult><Contents><Key>");
    for (int i = 0; i < 9000; i++)
        buf_puts(&xml, "k");
    buf_puts(&xml, "</Key></Contents></ListBucketResult>");
    assert_int_equal(s3_xml_page(xml.data, xml.size, &page, &err), -1);
    assert_non_null(strstr(err.text, "too long"));
    buf_free(&xml);
}

static void reads_faults_also_when_cut(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *code, *message, *region;
    } cases[] = {
        {"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access\nDenied"
         "</Message><Region>eu-west-1</Region></Error>",
            "AccessDenied", "Access Denied", "eu-west-1"},
        {"<Error><Code>SlowDown</Code><Message>Ple", "SlowDown", "", ""},
        {"<Error><Code/></Error>", "", "", ""},
        {"<html><Code>x</Code></html>", "", "", ""},
        {"", "", "", ""},
        {"\xff\xfe", "", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_fault fault;
        s3_xml_fault(cases[i].xml, strlen(cases[i].xml), &fault);
        assert_string_equal(fault.code, cases[i].code);
        assert_string_equal(fault.message, cases[i].message);
        assert_string_equal(fault.region, cases[i].region);
    }
}

static void cuts_long_messages_between_characters(void **state)
{
    (void)state;
    struct buf xml;
    struct s3_fault fault;
    buf_init(&xml, 100000);
    buf_puts(&xml, "<Error><Message>");
    for (int i = 0; i < 300; i++)
        buf_puts(&xml, "\xe1\x88\xb4");
    buf_puts(&xml, "</Message></Error>");
    s3_xml_fault(xml.data, xml.size, &fault);
    assert_int_equal(strlen(fault.message), (sizeof fault.message - 1) / 3 * 3);
    buf_free(&xml);
}

static void finds_the_upload_of_a_key(void **state)
{
    (void)state;
#define UPLOAD(key, id) "<Upload><Key>" key "</Key><UploadId>" id "</UploadId></Upload>"
#define UPLOADS(text)   "<ListMultipartUploadsResult>" text "</ListMultipartUploadsResult>"
    static const struct {
        const char *xml, *id; /* NULL: none */
    } cases[] = {
        {UPLOADS(UPLOAD("a/b", "1")), "1"},
        {UPLOADS(UPLOAD("a/b", "1") UPLOAD("a/b", "2")), "1"},
        {UPLOADS(UPLOAD("a/bc", "1") UPLOAD("a/b", "2")), "2"},
        {UPLOADS("<Upload><UploadId>i</UploadId><Key>a/b</Key></Upload>"), "i"},
        {UPLOADS("<Upload><Key>a/b</Key></Upload>" UPLOAD("x", "1")), NULL},
        {UPLOADS("<Upload><Key>x</Key></Upload>" UPLOAD("a/b", "&lt;")), "<"},
        {UPLOADS(UPLOAD("A/b", "1")), NULL},
        {UPLOADS("<Key>a/b</Key><UploadId>1</UploadId>"), NULL},
        {UPLOADS(""), NULL},
        {"<ListMultipartUploadsResult>" UPLOAD("a/b", "1"), NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *id = s3_xml_upload(cases[i].xml, strlen(cases[i].xml), "a/b");
        if (cases[i].id)
            assert_string_equal(id, cases[i].id);
        else
            assert_null(id);
        free(id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pages),
        cmocka_unit_test(refuses_what_is_no_page),
        cmocka_unit_test(refuses_pages_without_bounds),
        cmocka_unit_test(reads_faults_also_when_cut),
        cmocka_unit_test(cuts_long_messages_between_characters),
        cmocka_unit_test(finds_the_upload_of_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
