#include "sources/docker/docker_socket.h"

#include "core/alloc.h"
#include "core/error.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

char *docker_socket_path(struct error *err)
{
    static const char scheme[] = "unix://";
    const char *host = getenv("DOCKER_HOST");
    if (!host || !*host)
        return xstrdup("/var/run/docker.sock");
    if (!strncmp(host, scheme, strlen(scheme)) && host[strlen(scheme)] == '/')
        return xstrdup(host + strlen(scheme));
    error_set(err, "DOCKER_HOST must be unix:///PATH: only an engine of this machine is asked");
    return NULL;
}

/* In a container the host's group often has no name. */
static void put_group(char *text, size_t size, gid_t gid, const char *group_file)
{
    struct group group, *found = NULL;
    char entry[4096];
    FILE *file = fopen(group_file, "re");
    while (
        file && fgetgrent_r(file, &group, entry, sizeof entry, &found) == 0 && group.gr_gid != gid)
        found = NULL;
    if (found)
        snprintf(text, size, "%.40s (%u)", found->gr_name, gid);
    else
        snprintf(text, size, "%u", gid);
    if (file)
        fclose(file);
}

int docker_socket_refused(
    const char *path, const struct stat *socket, const char *group_file, struct error *err)
{
    char group[64];
    unsigned gid = socket->st_gid;
    if (!(socket->st_mode & S_IWGRP))
        return error_set(err,
            "the engine's socket %.200s may be used by the user %u alone: run stakeout as that "
            "user (compose, ECS: user: \"%u\")",
            path, socket->st_uid, socket->st_uid);
    put_group(group, sizeof group, socket->st_gid, group_file);
    return error_set(err,
        "the engine's socket %.200s may be used by the group %s: run stakeout in it (compose: "
        "group_add: [\"%u\"]; ECS: \"user\": \"%u:%u\")",
        path, group, gid, geteuid(), gid);
}

static int no_entry(const char *path, struct error *err)
{
    struct stat socket;
    if (stat(path, &socket) == 0)
        return docker_socket_refused(path, &socket, "/etc/group", err);
    return error_set(err,
        "the folder of the engine's socket %.200s may not be entered: run stakeout as the user "
        "that the engine runs as",
        path);
}

/* Docker makes a folder for a file that is to be mounted and does not exist on the host. What
 * nobody listens at may be an engine's of before its restart, which a mount of a file goes on to
 * show. */
static int nobody(const char *path, struct error *err)
{
    struct stat found;
    if (stat(path, &found) == 0 && !S_ISSOCK(found.st_mode))
        return error_set(err,
            "%.200s is no socket, but a %s: mount the host's socket of the Docker engine there",
            path, S_ISDIR(found.st_mode) ? "folder" : "file");
    return error_set(err,
        "nobody listens at the engine's socket %.200s: start the Docker engine; if it was started "
        "anew, stakeout's container still has the old socket: start that anew, too, or mount the "
        "socket's folder",
        path);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int status = connect(fd, (const struct sockaddr *)&address, sizeof address);
    int problem = errno;
    close(fd);
    errno = problem;
    return status;
}

int docker_socket_check(const char *path, struct error *err)
{
    if (connect_to(path) == 0 || errno == EAGAIN) /* it has more to do than it can take now */
        return 0;
    switch (errno) {
    case EACCES:
    case EPERM:
        return no_entry(path, err);
    case ECONNREFUSED:
        return nobody(path, err);
    case ENOENT:
    case ENOTDIR:
        return error_set(err,
            "there is no socket of a Docker engine at %.200s: mount it into stakeout's container, "
            "or say where it is with DOCKER_HOST=unix:///...",
            path);
    default:
        return error_set(
            err, "the engine's socket %.200s cannot be used: %s", path, strerror(errno));
    }
}
