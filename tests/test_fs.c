/* Folders and files as the disk shows them at its worst. */
#include "core/fs.h"

#include "core/alloc.h"
#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/stakeout-fs-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fs_remove(folder, NULL);
}

static char *in_folder(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void put(const char *name, size_t size)
{
    static const char zeros[4096];
    char *path = in_folder(name);
    assert_int_equal(fs_write(path, zeros, size, NULL), 0);
    free(path);
}

static int count(void *arg, const char *name)
{
    (void)name;
    ++*(int *)arg;
    return 0;
}

static int count_to_two(void *arg, const char *name)
{
    (void)name;
    return ++*(int *)arg == 2 ? 7 : 0;
}

static void a_folder_is_walked_until_told_otherwise(void **state)
{
    (void)state;
    put("a", 1);
    put(".b", 1);
    put("c", 1);
    int seen = 0;
    errno = EBUSY;
    assert_int_equal(fs_each(folder, count, &seen, NULL), 0);
    assert_int_equal(errno, 0);
    assert_int_equal(seen, 3);
    seen = 0;
    assert_int_equal(fs_each(folder, count_to_two, &seen, NULL), 7);
    assert_int_equal(seen, 2);
}

static void a_missing_folder_is_told_from_one_that_cannot_be_read(void **state)
{
    (void)state;
    struct error err;
    int seen = 0;
    char *missing = in_folder("missing");
    assert_int_equal(fs_each(missing, count, &seen, &err), -1);
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(err.text, missing));
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int status = fs_each(folder, count, &seen, &err), code = errno;
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(status, -1);
    assert_int_equal(code, EMFILE);
    assert_int_equal(seen, 0);
    free(missing);
}

static void a_size_counts_files_one_folder_deep(void **state)
{
    (void)state;
    put("a", 1000);
    char *inner = in_folder("inner/deepest"), *link = in_folder("inner/link");
    assert_int_equal(fs_make_folders(inner, NULL), 0);
    put("inner/b", 200);
    put("inner/deepest/c", 30);
    assert_int_equal(symlink(folder, link), 0);
    assert_int_equal(fs_size(folder), 1200);
    char *from = in_folder("inner/b"), *to = in_folder("b");
    assert_int_equal(fs_size_unshared(folder), 1200);
    assert_int_equal(linkat(AT_FDCWD, from, AT_FDCWD, to, 0), 0);
    assert_int_equal(fs_size(folder), 1400);
    assert_int_equal(fs_size_unshared(folder), 1000);
    free(from);
    free(to);
    free(inner);
    free(link);
}

/* A name that lstat refuses: its path is longer than the kernel takes. */
static void a_size_leaves_out_what_cannot_be_looked_at(void **state)
{
    (void)state;
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    int top = open(folder, O_RDONLY | O_DIRECTORY), at = top;
    char *path = xstrdup(folder);
    while (strlen(path) < 4096 - 150) { /* the folder's own path fits, its entries' do not */
        size_t left = 4096 - 20 - strlen(path);
        name[left < 200 ? left : 200] = '\0';
        assert_int_equal(mkdirat(at, name, 0755), 0);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY);
        if (at != top)
            close(at);
        at = next;
        char *longer = xasprintf("%s/%s", path, name);
        free(path);
        path = longer;
    }
    memset(name, 'n', 200);
    assert_int_equal(mkdirat(at, name, 0755), 0);
    assert_int_equal(fs_size(path), 0);
    assert_int_equal(unlinkat(at, name, AT_REMOVEDIR), 0);
    close(at);
    close(top);
    free(path);
}

struct writer {
    pthread_t thread;
    char letter;
};

enum { WRITERS = 4, WRITES = 20, LETTERS = 3000 };

static void *write_often(void *arg)
{
    const struct writer *writer = arg;
    char text[LETTERS], *path = in_folder("shared");
    memset(text, writer->letter, sizeof text);
    intptr_t failed = 0;
    for (int i = 0; i < WRITES; i++)
        failed |= fs_write(path, text, sizeof text, NULL);
    free(path);
    return (void *)failed;
}

static void writers_of_one_file_do_not_mix(void **state)
{
    (void)state;
    struct writer writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i].letter = (char)('a' + i);
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_often, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *failed;
        pthread_join(writers[i].thread, &failed);
        assert_null(failed);
    }
    struct buf text;
    char *path = in_folder("shared");
    assert_int_equal(fs_read(path, LETTERS, &text, NULL), 0);
    assert_int_equal(text.size, LETTERS);
    for (size_t i = 1; i < text.size; i++)
        assert_int_equal(text.data[i], text.data[0]);
    int seen = 0;
    fs_each(folder, count, &seen, NULL);
    assert_int_equal(seen, 1);
    buf_free(&text);
    free(path);
}

static void leftovers_of_the_same_file_go(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool written, stays;
    } files[] = {
        {".a.1-0.tmp", false, false},
        {".a.1-0.tmp.tmp", false, true},
        {".a.1-2.tmp", true, true},
        {".a.b.1-0.tmp", false, true},
        {".b.1-0.tmp", false, true},
        {".a.tmp", false, true},
        {"a.1-0.tmp", false, true},
    };
    int writers = 0, written[sizeof files / sizeof *files];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = in_folder(files[i].name);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        if (files[i].written)
            assert_int_equal(flock(written[writers++] = fd, LOCK_EX), 0);
        else
            close(fd);
        free(path);
    }
    put("a", 1);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = in_folder(files[i].name);
        if (fs_exists(path) != files[i].stays)
            fail_msg("%s", files[i].name);
        free(path);
    }
    while (writers > 0)
        close(written[--writers]);
}

/* Opened the other way, a pipe without a writer would hold its reader for ever. */
static void a_regular_file_is_told_from_what_may_block(void **state)
{
    (void)state;
    struct buf text;
    struct error err;
    char *file = in_folder("file"), *pipe = in_folder("pipe"), *none = in_folder("none");
    assert_int_equal(fs_write(file, "token", 5, NULL), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(fs_read_regular(file, 5, &text, &err), 0);
    assert_int_equal(text.size, 5);
    buf_free(&text);
    const struct {
        const char *path;
        size_t max;
        const char *says;
    } cases[] = {{pipe, 5, "is no regular file"}, {"/dev/null", 5, "is no regular file"},
        {"/", 5, "is no regular file"}, {none, 5, "cannot open"}, {file, 4, "larger than 4"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(fs_read_regular(cases[i].path, cases[i].max, &text, &err), -1);
        assert_non_null(strstr(err.text, cases[i].says));
        buf_free(&text);
    }
    free(file);
    free(pipe);
    free(none);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_regular_file_is_told_from_what_may_block),
        IN_A_FOLDER(a_folder_is_walked_until_told_otherwise),
        IN_A_FOLDER(a_missing_folder_is_told_from_one_that_cannot_be_read),
        IN_A_FOLDER(a_size_counts_files_one_folder_deep),
        IN_A_FOLDER(a_size_leaves_out_what_cannot_be_looked_at),
        IN_A_FOLDER(writers_of_one_file_do_not_mix),
        IN_A_FOLDER(leftovers_of_the_same_file_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
