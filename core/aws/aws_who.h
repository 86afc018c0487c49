/* Who credentials are: which provider gave them, and what STS says (GetCallerIdentity, which needs
 * no right). Never a secret: of the access key the first four letters. */
#ifndef CORE_AWS_WHO_H
#define CORE_AWS_WHO_H

#include <stdbool.h>

struct aws;
struct aws_who;
struct loop;

/* `done` comes later, on the loop, once: with a sentence, or NULL when there are no credentials.
 * STS is not asked about credentials of a store that is not AWS's: they are no business of AWS. */
struct aws_who *aws_who_ask(struct loop *loop, struct aws *aws, bool of_aws,
    void (*done)(void *arg, const char *who), void *arg);
void aws_who_cancel(struct aws_who *who); /* NULL is allowed */

#endif
