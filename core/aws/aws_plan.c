#include "core/aws/aws_plan.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_instance.h"
#include "core/aws/aws_profile.h"
#include "core/aws/aws_temporary.h"
#include "core/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void free_role(struct aws_role *role)
{
    free(role->arn);
    free(role->external_id);
    free(role->session_name);
}

void aws_plan_free(struct aws_plan *plan)
{
    free(plan->origin);
    free(plan->access_key);
    aws_wipe(plan->secret_key);
    aws_wipe(plan->session_token);
    free_role(&plan->web);
    free(plan->token_file);
    free(plan->command);
    free(plan->sso_region);
    free(plan->sso_account);
    free(plan->sso_role);
    free(plan->sso_cache);
    free(plan->sso_login);
    free(plan->region);
    for (size_t i = 0; i < plan->role_count; i++)
        free_role(&plan->roles[i]);
    *plan = (struct aws_plan){0};
}

/* https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: [\w+=,.@-]{2,64} */
static char *session_name_of(const char *text)
{
    char *name = xasprintf("%.64s", text && *text ? text : "stakeout");
    for (char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_+=,.@-", *at))
            *at = '-';
    if (name[1])
        return name;
    char *longer = xasprintf("%s-", name);
    free(name);
    return longer;
}

static bool plan_environment(struct aws_plan *plan)
{
    if (!aws_plan_keys_of_environment(plan))
        return false;
    plan->origin = xasprintf("the environment (AWS_ACCESS_KEY_ID%s)",
        aws_environment("AWS_PROFILE") ? ", which wins over AWS_PROFILE" : "");
    return true;
}

/* 1 when it is this, 0 when it is not, -1 when it is half of it. */
static int plan_web_identity(struct aws_plan *plan, struct error *err)
{
    const char *file = aws_environment("AWS_WEB_IDENTITY_TOKEN_FILE"),
               *arn = aws_environment("AWS_ROLE_ARN");
    const char *session = aws_environment("AWS_ROLE_SESSION_NAME");
    if (!file)
        return 0;
    if (!arn)
        return error_set(
            err, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not: set both or neither");
    plan->source = AWS_WEB_IDENTITY;
    plan->token_file = xstrdup(file);
    plan->web = (struct aws_role){
        .arn = xstrdup(arn), .session_name = session ? xstrdup(session) : NULL};
    plan->origin = xasprintf("the web identity in %s (AWS_WEB_IDENTITY_TOKEN_FILE)", file);
    return 1;
}

static bool plan_container(struct aws_plan *plan)
{
    if (!aws_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") &&
        !aws_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        return false;
    plan->source = AWS_CONTAINER;
    plan->origin = xstrdup("the container's provider (the ECS task role or EKS Pod Identity)");
    return true;
}

static int plan_source(struct aws_plan *plan, struct error *err)
{
    if (plan_environment(plan))
        return 0;
    int found = plan_web_identity(plan, err);
    if (found == 0)
        found = aws_profile_plan(plan, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    if (plan_container(plan))
        return 0;
    if (aws_instance_disabled())
        return error_set(err, AWS_NO_CREDENTIALS
            " and EC2's instance metadata, which AWS_EC2_METADATA_DISABLED turns off)");
    plan->source = AWS_INSTANCE;
    plan->origin = xstrdup("EC2's instance metadata");
    return 0;
}

int aws_plan_check_role(const char *arn, struct error *err)
{
    if (!arn || (!strncmp(arn, "arn:", 4) && strstr(arn, ":role/")))
        return 0;
    return error_set(
        err, "\"%.80s\" is no role: write its ARN, arn:aws:iam::<account>:role/<name>", arn);
}

int aws_plan_check_external_id(const char *external_id, const char *role, struct error *err)
{
    return !external_id || role ? 0 : error_set(err, "goes with role, which is not given");
}

int aws_plan_make(struct aws_plan *plan, const struct aws_wishes *wishes, struct error *err)
{
    *plan = (struct aws_plan){0};
    const char *region = aws_environment("AWS_REGION");
    if (!region)
        region = aws_environment("AWS_DEFAULT_REGION");
    if (region)
        plan->region = xstrdup(region);
    if (plan_source(plan, err) < 0)
        return -1;
    if (!plan->region)
        plan->region = aws_profile_region();
    if (wishes->role && plan->role_count == AWS_ROLES_MAX)
        return error_set(
            err, "more than %d roles are to be assumed one after the other", AWS_ROLES_MAX);
    if (wishes->role)
        plan->roles[plan->role_count++] = (struct aws_role){.arn = xstrdup(wishes->role),
            .external_id = wishes->external_id ? xstrdup(wishes->external_id) : NULL};
    for (size_t i = 0; i < plan->role_count; i++)
        if (!plan->roles[i].session_name)
            plan->roles[i].session_name = session_name_of(wishes->session_name);
    if (plan->web.arn && !plan->web.session_name)
        plan->web.session_name = session_name_of(wishes->session_name);
    return 0;
}

bool aws_plan_is_example(const char *arn)
{
    size_t length = strlen(arn);
    return !strncmp(arn, "arn:", 4) && length >= 7 && !strcmp(arn + length - 3, "...");
}
