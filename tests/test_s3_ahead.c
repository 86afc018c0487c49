/* Requests that are begun before they are waited for, and listings with more to say. */
#include "core/error.h"
#include "s3_rig.h"

static void expect_object(struct s3 *s3, const char *key, const char *content)
{
    struct buf body;
    struct error err = {""};
    if (s3_get_bytes(s3, key, 100, &body, &err) < 0)
        fail_msg("%s: %s", key, err.text);
    assert_string_equal(body.data, content);
    buf_free(&body);
}

static void what_is_expected_is_asked_for_once(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200, .body = "one"}};
    struct s3 *s3 = open_stub(answers, 1);
    for (int i = 0; i < 3; i++)
        s3_expect_object(s3, "a", 100);
    s3_expect_object(s3, "b", 100);
    expect_object(s3, "b", "one");
    expect_object(s3, "a", "one");
    assert_int_equal(server.count, 2);
    assert_int_equal(s3_count(s3).gets, 2);
    expect_object(s3, "a", "one"); /* it is asked for again, not kept */
    assert_int_equal(s3_count(s3).gets, 3);
    assert_int_equal(s3_count(s3).lists, 0);
    close_stub(s3);
    stub_free(&server);
}

static void what_may_work_later_is_tried_again(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 503}, {.status = 200, .body = "late"}};
    struct s3 *s3 = open_stub(answers, 2);
    s3_expect_object(s3, "a", 100);
    expect_object(s3, "a", "late");
    assert_int_equal(s3_count(s3).gets, 2);
    close_stub(s3);
    stub_free(&server);
}

static void what_was_expected_in_vain_is_ended(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200, .body = "one"}};
    struct s3 *s3 = open_stub(answers, 1);
    s3_expect_object(s3, "a", 100);
    s3_expect_listing(s3, &(struct s3_listing){.prefix = "p/"});
    s3_expect_nothing(s3);
    s3_expect_object(s3, "b", 100);
    s3_close(s3); /* with one under way */
    stub_stop(&server);
    stub_free(&server);
}

#define PAGE(more, inner)                                                                          \
    "<ListBucketResult><IsTruncated>" more "</IsTruncated><NextContinuationToken>t"                \
    "</NextContinuationToken>" inner "</ListBucketResult>"
#define OBJECT(key, etag) "<Contents><Key>" key "</Key><ETag>&quot;" etag "&quot;</ETag></Contents>"

struct told {
    size_t count;
    struct {
        char key[8];
        uint64_t stamp;
    } all[8];
};

static int tell(void *arg, const struct s3_entry *entry)
{
    struct told *told = arg;
    assert_true(told->count < 8);
    strncpy(told->all[told->count].key, entry->key, sizeof told->all[0].key - 1);
    told->all[told->count++].stamp = entry->stamp;
    return 0;
}

static void a_stamp_changes_with_the_etag(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200,
        .body = PAGE("false", OBJECT("a", "1") OBJECT("b", "2") OBJECT("c",
                                  "1") "<Contents><ETag>2</ETag><Key>d</Key></"
                                       "Contents><Contents><Key>e</Key></Contents>"
                                       "<CommonPrefixes><Prefix>f/</Prefix></CommonPrefixes>")}};
    struct s3 *s3 = open_stub(answers, 1);
    struct told told = {0};
    struct error err = {""};
    const struct s3_listing listing = {.prefix = "", .delimiter = "/", .after = "0"};
    assert_int_equal(s3_list_entries(s3, &listing, tell, &told, &err), 0);
    assert_int_equal(told.count, 6);
    assert_true(told.all[0].stamp != 0 && told.all[0].stamp == told.all[2].stamp);
    assert_true(told.all[1].stamp != told.all[0].stamp);
    assert_true(told.all[3].stamp != 0 && told.all[3].stamp != told.all[0].stamp);
    assert_true(told.all[4].stamp == 0 && told.all[5].stamp == 0);
    assert_int_equal(s3_count(s3).lists, 1);
    close_stub(s3);
    stub_free(&server);
}

static void a_listing_that_is_to_be_whole_tells_all_or_nothing(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 200, .body = PAGE("true", OBJECT("a", "1"))},
        {.status = 200, .body = PAGE("false", OBJECT("b", "1"))}};
    struct s3 *s3 = open_stub(answers, 2);
    struct told told = {0};
    struct error err = {""};
    const struct s3_listing listing = {.prefix = "", .whole = true};
    s3_expect_listing(s3, &listing);
    assert_int_equal(s3_list_entries(s3, &listing, tell, &told, &err), 1);
    assert_int_equal(told.count, 0);
    assert_int_equal(server.count, 1);
    assert_int_equal(s3_list_entries(s3, &listing, tell, &told, &err), 0);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.all[0].key, "b");
    close_stub(s3);
    stub_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_expected_is_asked_for_once),
        cmocka_unit_test(what_may_work_later_is_tried_again),
        cmocka_unit_test(what_was_expected_in_vain_is_ended),
        cmocka_unit_test(a_stamp_changes_with_the_etag),
        cmocka_unit_test(a_listing_that_is_to_be_whole_tells_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_s3, tear_down_s3);
}
