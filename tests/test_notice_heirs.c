#include "agent/notices/notice_heirs.h"

#include "core/alloc.h"
#include "core/fs.h"
#include "core/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char slack[] = "slack webhook at hooks.slack.com", json[] = "json webhook at ops";
static const char topic[] = "sns topic arn:aws:sns:eu-west-1:1:ops";

/* Who left, who is there now, and the indices of the heirs. */
static const struct {
    struct notice_party left[2], parties[3];
    size_t heirs[2];
} cases[] = {
    {{{"/a", "webhook", slack}}, {{"/b", "webhook", json, true}, {"/c", "webhook", slack, true}},
        {1}},
    {{{"/a", "webhook", slack}}, {{"/b", "sns", topic, true}, {"/c", "webhook", json, true}}, {1}},
    {{{"/a", "webhook", slack}}, {{"/b", "sns", topic, true}}, {0}},
    {{{"/a", "webhook", slack}}, {{"/b", "webhook", slack, false}}, {1}}, /* it has been told */
    {{{"/a", "webhook", slack}, {"/b", "webhook", slack}},
        {{"/c", "webhook", slack, true}, {"/d", "webhook", slack, true}}, {0, 1}},
    {{{"/a", "webhook", slack}, {"/b", "sns", topic}}, {{"/c", "webhook", slack, true}}, {0, 0}},
    {{{"/a", "webhook", slack}}, {{"/b", "webhook", slack, true}, {"/a", "webhook", slack, true}},
        {1}}, /* other options */
    {{{"/a", NULL, NULL}}, {{"/b", "sns", topic, false}, {"/c", "webhook", json, true}}, {1}},
};

static void each_has_the_heir_that_is_most_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t left = 0, count = 0, heirs[2] = {0};
        while (left < 2 && cases[i].left[left].folder)
            left++;
        while (count < 3 && cases[i].parties[count].folder)
            count++;
        notice_heirs_choose(cases[i].left, left, cases[i].parties, count, heirs);
        for (size_t j = 0; j < left; j++)
            if (heirs[j] != cases[i].heirs[j])
                fail_msg("case %zu: heir %zu of %zu", i, heirs[j], j);
    }
}

static char *path_of(const char *root, const char *name)
{
    return xasprintf("%s/%s", root, name);
}

static void put(const char *root, const char *folder, const char *file)
{
    char *at = path_of(root, folder), *path = path_of(at, file);
    assert_int_equal(fs_make_folders(at, NULL), 0);
    assert_int_equal(fs_write(path, "x", 1, NULL), 0);
    free(path);
    free(at);
}

static bool is_there(const char *root, const char *name)
{
    char *path = path_of(root, name);
    bool there = fs_exists(path);
    free(path);
    return there;
}

/* A kill after some files were moved: the heir of both is still one that came. */
static void two_with_one_heir_lose_nothing(void **state)
{
    char root[] = "/tmp/stakeout-heirs-XXXXXX";
    (void)state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    assert_non_null(mkdtemp(root));
    put(root, "aaaaaaaaaaaaaaaa", "1.json");
    put(root, "aaaaaaaaaaaaaaaa", "2.json");
    put(root, "bbbbbbbbbbbbbbbb", "2.json");
    put(root, "bbbbbbbbbbbbbbbb", "3.json");
    put(root, "cccccccccccccccc", "4.json");
    put(root, "other", "5.json");
    char *came = path_of(root, "dddddddddddddddd"), *stays = path_of(root, "cccccccccccccccc");
    const struct notice_party parties[] = {
        {stays, "webhook", slack, false}, {came, "webhook", slack, true}};
    notice_heirs_settle(root, parties, 2);
    assert_true(is_there(root, "dddddddddddddddd/1.json"));
    assert_true(is_there(root, "dddddddddddddddd/2.json"));
    assert_true(is_there(root, "dddddddddddddddd/3.json"));
    assert_true(is_there(root, "cccccccccccccccc/4.json"));
    assert_true(is_there(root, "other/5.json"));
    assert_false(is_there(root, "aaaaaaaaaaaaaaaa"));
    assert_false(is_there(root, "bbbbbbbbbbbbbbbb"));
    notice_heirs_settle(root, parties, 1); /* nobody came */
    assert_false(is_there(root, "dddddddddddddddd"));
    assert_int_equal(fs_remove(root, NULL), 0);
    free(came);
    free(stays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_the_heir_that_is_most_alike),
        cmocka_unit_test(two_with_one_heir_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
