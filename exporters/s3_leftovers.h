/* What uploads in parts leave in a bucket when they are given up: the store keeps the parts, which
 * cost money and show nowhere, until they are aborted. */
#ifndef EXPORTERS_S3_LEFTOVERS_H
#define EXPORTERS_S3_LEFTOVERS_H

struct loop;
struct s3;
struct s3_leftovers;

struct s3_leftovers *s3_leftovers_open(struct s3 *s3, struct loop *loop, const char *identity);

/* Where the upload of a file is noted (core/s3/s3_record.h): beside it, in a name that begins with
 * a dot, so that it is no file of the incident's, and that no other exporter has. The caller frees.
 */
char *s3_leftovers_record(const char *identity, const char *path);

/* Aborts, one attempt each, what this exporter has noted in the folder. Takes the notes away at
 * once and does the rest on the loop. */
void s3_leftovers_end(struct s3_leftovers *leftovers, const char *folder);

/* Frees it and closes the s3, of which nothing else is under way, at once or when all is aborted:
 * who closes an exporter that has something to abort has taken it out of the configuration, or the
 * agent ends (loop_linger). */
void s3_leftovers_leave(struct s3_leftovers *leftovers);

#endif
