/* Memory in place of a disk: by itself, and as a profile on its way sees it. */
#include "agent/storage/reserve.h"

#include "agent/capture/landing.h"
#include "core/buf.h"
#include "core/fs.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char folder[] = "/nowhere/.20261123T150401Z-cpu-high-1a2b3c";

static struct reserve *open_quietly(void)
{
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    return reserve_open();
}

static void assert_content(const char *path, const char *expected)
{
    struct buf text;
    assert_int_equal(fs_read(path, 1000, &text, NULL), 0);
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
    buf_free(&text);
}

static void files_are_there_until_they_are_removed(void **state)
{
    (void)state;
    struct reserve *reserve = open_quietly();
    assert_false(reserve_has(reserve, folder));
    assert_int_equal(reserve_put_bytes(reserve, folder, "a", "old", 3), 0);
    assert_int_equal(reserve_put_bytes(reserve, folder, "a", "newer", 5), 0);
    assert_int_equal(reserve_put_bytes(reserve, folder, "b", "", 0), 0);
    assert_true(reserve_has(reserve, folder));
    assert_int_equal(reserve_put_bytes(reserve, "/of/another", "a", "xx", 2), 0);
    assert_int_equal(reserve_bytes(reserve), 7);
    assert_int_equal(reserve_size(reserve, folder), 5);
    assert_int_equal(reserve_size(reserve, "/of/none"), 0);
    reserve_remove(reserve, "/of/another");
    assert_content(reserve_path(reserve, folder, "a"), "newer");
    assert_content(reserve_path(reserve, folder, "b"), "");
    assert_null(reserve_path(reserve, folder, "c"));
    reserve_remove(reserve, folder);
    assert_int_equal(reserve_bytes(reserve), 0);
    assert_null(reserve_path(reserve, folder, "a"));
    reserve_close(reserve);
}

static void there_is_no_more_than_the_limit(void **state)
{
    (void)state;
    static char much[RESERVE_BYTES];
    struct reserve *reserve = open_quietly();
    assert_int_equal(reserve_put_bytes(reserve, folder, "a", much, sizeof much), 0);
    assert_int_equal(reserve_put_bytes(reserve, folder, "b", much, 1), -1);
    assert_int_equal(errno, ENOSPC);
    assert_null(reserve_path(reserve, folder, "b"));
    assert_int_equal(reserve_bytes(reserve), RESERVE_BYTES);
    reserve_remove(reserve, folder);
    assert_int_equal(reserve_put_bytes(reserve, folder, "b", much, 1), 0);
    reserve_close(reserve);
}

/* The whole way of a profile whose folder the disk has refused. */
static void a_profile_lands_in_memory(void **state)
{
    (void)state;
    struct reserve *reserve = open_quietly();
    struct landing landing;
    reserve_expect(reserve, folder);
    landing_init(&landing, reserve, folder, "cpu.pb.gz");
    for (int try = 0; try < 2; try++) {
        assert_int_equal(landing_begin(&landing), 0);
        assert_int_equal(landing_write(&landing, "ab", 2), 0);
        assert_int_equal(landing_write(&landing, "c", 1), 0);
        landing_close(&landing);
    }
    assert_int_equal(landing_sync(&landing), 0);
    assert_content(landing_content(&landing), "abc");
    assert_int_equal(landing_keep(&landing, "cpu.pb.gz"), 0);
    landing_hand_over(&landing);
    landing_free(&landing);
    assert_content(reserve_path(reserve, folder, "cpu.pb.gz"), "abc");
    assert_int_equal(reserve_bytes(reserve), 3);
    reserve_close(reserve);
}

/* A folder that somebody removes is nothing that memory can mend. */
static void a_folder_that_is_gone_is_an_error(void **state)
{
    (void)state;
    struct reserve *reserve = open_quietly();
    struct landing landing;
    landing_init(&landing, reserve, folder, "cpu.pb.gz");
    assert_int_equal(landing_begin(&landing), -1);
    assert_int_equal(landing.code, ENOENT);
    landing_remove(&landing);
    landing_free(&landing);
    reserve_close(reserve);
}

/* /dev/full takes no byte, as a disk that fills up. */
static void what_came_before_the_disk_was_full_is_kept(void **state)
{
    (void)state;
    char real[] = "/tmp/stakeout-landing-XXXXXX";
    struct reserve *reserve = open_quietly();
    struct landing landing;
    assert_non_null(mkdtemp(real));
    landing_init(&landing, reserve, real, "cpu.pb.gz");
    assert_int_equal(landing_begin(&landing), 0);
    assert_int_equal(landing_write(&landing, "ab", 2), 0);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0 && dup2(full, landing.fd) == landing.fd);
    close(full);
    assert_int_equal(landing_write(&landing, "cd", 2), 0);
    assert_false(fs_exists(landing.temporary));
    assert_int_equal(landing_sync(&landing), 0);
    assert_int_equal(landing_keep(&landing, "cpu.pb.gz"), 0);
    assert_content(landing_content(&landing), "abcd");
    landing_remove(&landing);
    landing_free(&landing);
    assert_int_equal(reserve_bytes(reserve), 0);
    assert_int_equal(rmdir(real), 0);
    reserve_close(reserve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_there_until_they_are_removed),
        cmocka_unit_test(there_is_no_more_than_the_limit),
        cmocka_unit_test(a_profile_lands_in_memory),
        cmocka_unit_test(a_folder_that_is_gone_is_an_error),
        cmocka_unit_test(what_came_before_the_disk_was_full_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
