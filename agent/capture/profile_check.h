/* What is this file, and is it what was asked for? It is judged by its form, block by block in
 * constant memory. A pprof profile is protobuf, mostly within gzip; of that only the outermost
 * fields are looked at: enough to tell a whole profile from a cut one, a login page or garbage. The
 * full decoder is the reader's. */
#ifndef AGENT_CAPTURE_PROFILE_CHECK_H
#define AGENT_CAPTURE_PROFILE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Each has an end of its own for the names of files. */
enum profile_form {
    PROFILE_FORM_ANY,   /* ".part": not known yet; asked for, whatever is no web page */
    PROFILE_FORM_PPROF, /* ".pb.gz" */
    PROFILE_FORM_TRACE, /* ".trace": of Go's runtime */
    PROFILE_FORM_TEXT,  /* ".txt": a dump of jemalloc, of all goroutines */
    PROFILE_FORM_GZIP,  /* ".gz": with something else inside */
    PROFILE_FORM_OTHER, /* ".bin" */
    PROFILE_FORMS
};

/* The form in which Go sends the profile of that name. */
enum profile_form profile_form_of(const char *profile);

/* The file of the profile that is called so: "cpu" -> "cpu.pb.gz". And back: the name in a file's
 * name, NULL when it has no such end. The caller frees. */
char *profile_file_name(const char *name, enum profile_form form);
char *profile_file_split(const char *file, enum profile_form *form);

enum profile_soundness {
    PROFILE_WHOLE,
    PROFILE_CUT,    /* begins well and ends too early */
    PROFILE_FOREIGN /* something else */
};

struct profile_facts {
    enum profile_soundness soundness;
    enum profile_form form; /* what it is, unless foreign */
    bool plain;             /* a pprof profile without gzip around it */
    uint64_t bytes;         /* of the file */
    int64_t duration_ns;    /* the profile's duration_nanos; 0: none */
    char sha256[65];        /* hex, of the file */
    char why[160];          /* what is wrong, unless whole; a sentence without the file's name */
};

/* The state of a check that is fed block by block. */
struct profile_check;

/* `wanted`: PPROF and TRACE take nothing else, the others anything. */
struct profile_check *profile_check_open(enum profile_form wanted);
void profile_check_feed(struct profile_check *check, const void *data, size_t size);

/* Ends the check, frees it and fills facts (all but sha256). */
void profile_check_close(struct profile_check *check, struct profile_facts *facts);

/* Checks a file and takes its SHA-256. -1 and err only when it cannot be read. Blocks. */
int profile_check_file(
    const char *path, enum profile_form wanted, struct profile_facts *facts, struct error *err);

#endif
