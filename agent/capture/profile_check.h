/* Is this file what was asked for? A pprof profile is gzip around protobuf; it is inflated once,
 * block by block in constant memory, and only the outermost fields are looked at: enough to tell a
 * whole profile from a cut one, a login page or garbage. The full decoder is the reader's. */
#ifndef AGENT_CAPTURE_PROFILE_CHECK_H
#define AGENT_CAPTURE_PROFILE_CHECK_H

#include <stddef.h>
#include <stdint.h>

struct error;

enum profile_form { PROFILE_FORM_PPROF, PROFILE_FORM_TRACE };

/* The form of the profile with this name, and its file's name: "cpu" -> "cpu.pb.gz" (freed by the
 * caller). */
enum profile_form profile_form_of(const char *profile);
char *profile_file_name(const char *profile);

enum profile_soundness {
    PROFILE_WHOLE,
    PROFILE_CUT,    /* begins well and ends too early */
    PROFILE_FOREIGN /* something else */
};

struct profile_facts {
    enum profile_soundness soundness;
    uint64_t bytes;      /* of the file */
    int64_t duration_ns; /* the profile's duration_nanos; 0: none */
    char sha256[65];     /* hex, of the file */
    char why[160];       /* what is wrong, unless whole; a sentence without the file's name */
};

/* The state of a check that is fed block by block. */
struct profile_check;

struct profile_check *profile_check_open(enum profile_form form);
void profile_check_feed(struct profile_check *check, const void *data, size_t size);

/* Ends the check, frees it and fills facts (all but sha256). */
void profile_check_close(struct profile_check *check, struct profile_facts *facts);

/* Checks a file and takes its SHA-256. -1 and err only when it cannot be read. Blocks. */
int profile_check_file(
    const char *path, enum profile_form form, struct profile_facts *facts, struct error *err);

#endif
