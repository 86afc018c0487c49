/* Where one profile lands: a file in its incident's folder, which has a temporary name until it is
 * whole; or, where the disk takes no more, memory (agent/storage/reserve.h). */
#ifndef AGENT_CAPTURE_LANDING_H
#define AGENT_CAPTURE_LANDING_H

#include <stddef.h>

struct error;
struct reserve;
struct reserve_file;

struct landing {
    struct reserve *reserve; /* NULL: there is only the disk */
    char *folder, *file;     /* file: what it is called in the end */
    char *temporary;         /* on the disk */
    int fd;                  /* of the temporary; -1: not open */
    struct reserve_file *memory;
    int code; /* errno of what failed last */
};

/* Nothing is opened yet. reserve may be NULL. */
void landing_init(
    struct landing *landing, struct reserve *reserve, const char *folder, const char *file);

/* Closes it. What was not given away is gone, but for a temporary file. */
void landing_free(struct landing *landing);

/* What to do about `code`, after any of the following has failed. */
void landing_problem(const struct landing *landing, struct error *err);

/* Opens it, empty; also again, for another try. -1: neither the disk nor the reserve takes it. */
int landing_begin(struct landing *landing);
int landing_write(struct landing *landing, const void *data, size_t size);

/* Closes it; the next one is landing_begin or landing_remove. */
void landing_close(struct landing *landing);

/* Makes what came durable and closes it. On the disk thread, as is the next one. */
int landing_sync(struct landing *landing);

/* Gives it its final name in the folder, which is synced with the next checkpoint. */
int landing_keep(struct landing *landing, const char *file);

/* Where what came can be read meanwhile. */
const char *landing_content(const struct landing *landing);

/* On the loop, after landing_keep: memory goes over to the incident. */
void landing_hand_over(struct landing *landing);

void landing_remove(struct landing *landing);

#endif
