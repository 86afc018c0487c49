/* Profiles of the files that the AWS CLI and SDKs share: ~/.aws/config and ~/.aws/credentials.
 * https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html */
#ifndef CORE_AWS_PROFILE_H
#define CORE_AWS_PROFILE_H

struct aws_plan;
struct error;

/* Fills the plan from the profile that AWS_PROFILE names, else from "default". 1: it has
 * credentials; 0: it has none, or there is none by default; -1 and err: what it says cannot work.
 * Its region is taken in any case, if the plan has none. */
int aws_profile_plan(struct aws_plan *plan, struct error *err);

/* The region of that profile, wherever the credentials come from; the caller frees. NULL: it says
 * none, or the files cannot be read. */
char *aws_profile_region(void);

#endif
