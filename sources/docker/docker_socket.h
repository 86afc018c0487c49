/* The socket of a Docker engine: where it is, and why it cannot be used. */
#ifndef SOURCES_DOCKER_DOCKER_SOCKET_H
#define SOURCES_DOCKER_DOCKER_SOCKET_H

struct error;
struct stat;

/* Where docker's own programs look, to be freed. NULL and err when that is no socket of this
 * machine. */
char *docker_socket_path(struct error *err);

/* 0 when an engine listens there and this user may talk to it; else -1, and err says what to do. It
 * connects, which takes no time with a socket of this kind, and says nothing. */
int docker_socket_check(const char *path, struct error *err);

/* Who may use a socket that this user may not, and how stakeout becomes one of these. The name of
 * its group is looked up in the text of group_file (/etc/group), in no directory service. -1. */
int docker_socket_refused(
    const char *path, const struct stat *socket, const char *group_file, struct error *err);

#endif
