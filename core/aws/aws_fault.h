/* What a service of AWS says in its query protocol when it refuses: an <Error> with a <Code> and a
 * <Message>, and what to do about the codes that the services share. Pure.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html */
#ifndef CORE_AWS_FAULT_H
#define CORE_AWS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Texts for a log: cut, and without control characters. "": it says none. */
struct aws_fault {
    char code[64], message[256];
};

/* Reads an answer that may be anything. */
void aws_fault_read(struct aws_fault *fault, const char *body, size_t size);

enum aws_fault_end {
    AWS_FAULT_LASTS,  /* until somebody changes something */
    AWS_FAULT_PASSES, /* another try may work later */
    AWS_FAULT_EXPIRED /* other credentials may do */
};

/* {service}, {region} and {what} are put in by aws_fault_explain. */
struct aws_remedy {
    const char *code;
    enum aws_fault_end end;
    const char *text;
};

struct aws_fault_place {
    const char *service;          /* "SNS" */
    const char *region;           /* that was asked */
    const char *what;             /* that the request was about; NULL: no text of `own` has it */
    const struct aws_remedy *own; /* the service's own, before the shared ones; the last one's code
                                     is NULL */
};

/* A sentence with the remedy of an answer with an HTTP status that is none of success. */
enum aws_fault_end aws_fault_explain(const struct aws_fault *fault, int status,
    const struct aws_fault_place *place, char *reason, size_t size);

/* Of the shared ones; NULL: the code is not among them. */
const struct aws_remedy *aws_fault_remedy(const char *code);

/* A remedy's text with all put in, cut to fit. */
void aws_fault_fill(char *out, size_t size, const char *text, const struct aws_fault_place *place);

/* Whether an answer that says nothing else may be another one at the next try. */
bool aws_fault_may_pass(int status);

#endif
