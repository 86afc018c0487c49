/* How pprof shows a function's name: a C++ name that was translated already loses its parameters
 * and template arguments. */
#ifndef REVIEW_SHOWN_NAME_H
#define REVIEW_SHOWN_NAME_H

#include <stddef.h>

/* Bytes, of which any may be NUL. */
struct shown_name {
    const char *text;
    size_t size;
};

/* Texts that are made, one after the other in blocks. Zeroed, it has none. */
struct shown_texts {
    struct shown_block *blocks;
    size_t used, size; /* of the last block */
};

/* Room for a text of that many bytes. */
char *shown_texts_add(struct shown_texts *texts, size_t size);
void shown_texts_free(struct shown_texts *texts);

/* The name of a function with this name and this system name (as the linker has it): one of them,
 * or one of the texts. */
struct shown_name shown_name(
    struct shown_name name, struct shown_name system_name, struct shown_texts *texts);

/* Without parameters, as names are looked at by drop_frames; within the name. */
struct shown_name shown_name_plain(struct shown_name name);

int shown_name_compare(struct shown_name a, struct shown_name b);

#endif
