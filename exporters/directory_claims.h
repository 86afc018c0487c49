/* Claims and counts in a folder, for exporters/directory.c: files that are made only where none is,
 * which a shared mount (NFS from version 3 on) settles among machines. */
#ifndef EXPORTERS_DIRECTORY_CLAIMS_H
#define EXPORTERS_DIRECTORY_CLAIMS_H

struct claim_result;
struct count_result;
struct directory_claims;
struct offload;

/* The thread is the exporter's own and outlives it. */
struct directory_claims *directory_claims_open(struct offload *thread, const char *path);
void directory_claims_close(struct directory_claims *claims); /* nobody gets `done` any more */

/* As exporter_kind.claim and count do; keys are below the path. */
void directory_claims_claim(struct directory_claims *claims, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg);
void directory_claims_count(struct directory_claims *claims, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg);

#endif
