#include "sources/docker/docker_socket.h"

#include "core/alloc.h"
#include "core/error.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { NOBODY = 65534 };

/* With a file, a folder, and sockets of two engines, one of which has ended. */
struct folder {
    char path[40];
    int listens;
};

static char *in(const struct folder *folder, const char *name)
{
    return xasprintf("%s/%s", folder->path, name);
}

static int listen_at(const struct folder *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder->path, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static int set_up(void **state)
{
    struct folder *folder = xcalloc(1, sizeof *folder);
    strcpy(folder->path, "/tmp/docker_socket.XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    assert_int_equal(chmod(folder->path, 0755), 0);
    char *path = in(folder, "file");
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    free(path);
    path = in(folder, "folder");
    assert_int_equal(mkdir(path, 0755), 0);
    free(path);
    folder->listens = listen_at(folder, "listens");
    close(listen_at(folder, "stale"));
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *folder = *state;
    static const char *const names[] = {"file", "folder", "listens", "stale"};
    close(folder->listens);
    for (size_t i = 0; i < COUNT(names); i++) {
        char *path = in(folder, names[i]);
        assert_int_equal(remove(path), 0);
        free(path);
    }
    rmdir(folder->path);
    free(folder);
    return 0;
}

/* One that root cannot pass by. */
static int check_as_nobody(const char *path, struct error *err)
{
    bool root = geteuid() == 0;
    if (root)
        assert_int_equal(seteuid(NOBODY), 0);
    int status = docker_socket_check(path, err);
    if (root)
        assert_int_equal(seteuid(0), 0);
    return status;
}

static void what_is_no_engines_socket_is_told_with_what_to_do(void **state)
{
    const struct folder *folder = *state;
    static const struct {
        const char *name, *words; /* NULL: it may be used */
    } cases[] = {
        {"listens", NULL},
        {"none", "/none: mount it into stakeout's container, or say where it is with DOCKER_HOST"},
        {"file/socket", "there is no socket of a Docker engine at "},
        {"file", "/file is no socket, but a file: mount the host's socket of the Docker engine"},
        {"folder", "/folder is no socket, but a folder: mount"},
        {"stale", "/stale: start the Docker engine; if it was started anew, stakeout's container "
                  "still has the old socket"},
        {"far/off/far/off/far/off/far/off/far/off/far/off/far/off/far/off/far/off/far/off/far/off/"
         "far",
            "cannot be used: File name too long"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {{0}};
        char *path = in(folder, cases[i].name);
        assert_int_equal(docker_socket_check(path, &err), cases[i].words ? -1 : 0);
        if (cases[i].words && !strstr(err.text, cases[i].words))
            fail_msg("%s: %s", path, err.text);
        assert_true(!cases[i].words || strstr(err.text, path));
        free(path);
    }
}

static void a_socket_of_others_names_who_may_use_it(void **state)
{
    const struct folder *folder = *state;
    struct error err = {{0}};
    char *path = in(folder, "listens");
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(check_as_nobody(path, &err), -1);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, " alone: run stakeout as that user"));
    assert_int_equal(chmod(folder->path, 0), 0);
    assert_int_equal(check_as_nobody(path, &err), -1);
    assert_non_null(strstr(err.text, "the folder of the engine's socket"));
    assert_int_equal(chmod(folder->path, 0755), 0);
    free(path);
}

static void group_is_told_by_name_and_number(void **state)
{
    struct folder *folder = *state;
    static const struct {
        struct stat socket;
        const char *words;
    } cases[] = {
        {{.st_mode = S_IFSOCK | 0660, .st_gid = 998},
            "by the group docker (998): run stakeout in it (compose: group_add: [\"998\"]; ECS: "
            "\"user\": \""},
        {{.st_mode = S_IFSOCK | 0660, .st_gid = 997}, "by the group 997: run stakeout in it"},
        {{.st_mode = S_IFSOCK | 0600, .st_uid = 1000, .st_gid = 998},
            "by the user 1000 alone: run stakeout as that user (compose, ECS: user: \"1000\")"},
    };
    char *groups = in(folder, "file");
    FILE *file = fopen(groups, "we");
    fputs("root:x:0:\nthis is no line of it\ndocker:x:998:me,you\nlast:x:9:\n", file);
    fclose(file);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {{0}};
        assert_int_equal(docker_socket_refused("/s", &cases[i].socket, groups, &err), -1);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s", err.text);
    }
    struct error err = {{0}};
    docker_socket_refused("/s", &cases[0].socket, "/nowhere/group", &err);
    assert_non_null(strstr(err.text, "by the group 998: "));
    free(groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_no_engines_socket_is_told_with_what_to_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_socket_of_others_names_who_may_use_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(group_is_told_by_name_and_number, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
