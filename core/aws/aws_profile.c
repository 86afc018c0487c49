#include "core/aws/aws_profile.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_ini.h"
#include "core/aws/aws_plan.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20 };

struct files {
    struct aws_ini config, credentials;
    char *config_path, *credentials_path;
};

/* NULL without a home. */
static char *path_of(const char *variable, const char *below_home)
{
    const char *path = aws_environment(variable), *home = aws_environment("HOME");
    if (path)
        return xstrdup(path);
    return home ? xasprintf("%s/.aws/%s", home, below_home) : NULL;
}

/* A file that is not there is an empty one. */
static int load(struct aws_ini *ini, const char *path, struct error *err)
{
    struct buf text;
    if (!path || !fs_exists(path))
        return 0;
    int status = fs_read_regular(path, MAX_FILE, &text, err);
    if (status == 0) {
        status = aws_ini_parse(ini, text.data, text.size, err);
        if (status < 0)
            error_prefix(err, "%s", path);
    }
    buf_free(&text);
    return status;
}

static int load_files(struct files *files, struct error *err)
{
    files->config_path = path_of("AWS_CONFIG_FILE", "config");
    files->credentials_path = path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    if (load(&files->config, files->config_path, err) < 0)
        return -1;
    return load(&files->credentials, files->credentials_path, err);
}

static void free_files(struct files *files)
{
    aws_ini_free(&files->config);
    aws_ini_free(&files->credentials);
    free(files->config_path);
    free(files->credentials_path);
}

/* In the config file it is [profile NAME]; [default] may do without the word. */
static char *config_section(const struct files *files, const char *profile)
{
    char *section = xasprintf("profile %s", profile);
    if (strcmp(profile, "default") != 0 || aws_ini_has(&files->config, section))
        return section;
    free(section);
    return xstrdup(profile);
}

/* The credentials file wins, as in the AWS CLI. NULL also for what is empty. */
static const char *get(const struct files *files, const char *profile, const char *key)
{
    const char *value = aws_ini_get(&files->credentials, profile, key);
    if (!value || !*value) {
        char *section = config_section(files, profile);
        value = aws_ini_get(&files->config, section, key);
        free(section);
    }
    return value && *value ? value : NULL;
}

static bool exists(const struct files *files, const char *profile)
{
    char *section = config_section(files, profile);
    bool found = aws_ini_has(&files->credentials, profile) || aws_ini_has(&files->config, section);
    free(section);
    return found;
}

static int take_keys(
    struct aws_plan *plan, const struct files *files, const char *profile, struct error *err)
{
    const char *access_key = get(files, profile, "aws_access_key_id");
    const char *secret_key = get(files, profile, "aws_secret_access_key");
    if (!access_key && !secret_key)
        return 0;
    if (!access_key || !secret_key)
        return error_set(err, "it has only one of aws_access_key_id and aws_secret_access_key");
    plan->source = AWS_KEYS;
    plan->access_key = xstrdup(access_key);
    plan->secret_key = xstrdup(secret_key);
    plan->session_token = xstrdup_or_null(get(files, profile, "aws_session_token"));
    return 1;
}

/* The file in which the AWS CLI keeps a login: SHA-1 of the session's name, or of the start URL in
 * the older form. */
static char *sso_cache_of(const char *login)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned size = 0;
    const char *home = aws_environment("HOME");
    if (!home || EVP_Digest(login, strlen(login), digest, &size, EVP_sha1(), NULL) != 1)
        return NULL;
    return xasprintf("%s/.aws/sso/cache/%s.json", home, sha256_to_hex(digest, size, hex));
}

static int take_sso(
    struct aws_plan *plan, const struct files *files, const char *profile, struct error *err)
{
    const char *session = get(files, profile, "sso_session"),
               *start = get(files, profile, "sso_start_url");
    const char *region = get(files, profile, "sso_region");
    const char *account = get(files, profile, "sso_account_id"),
               *role = get(files, profile, "sso_role_name");
    if (!session && !start)
        return 0;
    if (session) {
        char *section = xasprintf("sso-session %s", session);
        region = aws_ini_get(&files->config, section, "sso_region");
        free(section);
    }
    if (!region || !account || !role)
        return error_set(
            err, "a login by SSO also needs sso_region, sso_account_id and sso_role_name");
    plan->source = AWS_SSO;
    plan->sso_region = xstrdup(region);
    plan->sso_account = xstrdup(account);
    plan->sso_role = xstrdup(role);
    plan->sso_login = xasprintf("aws sso login --profile %s", profile);
    plan->sso_cache = sso_cache_of(session ? session : start);
    return plan->sso_cache ? 1
                           : error_set(err, "HOME is not set, so the SSO login cannot be found");
}

static int take_process(struct aws_plan *plan, const struct files *files, const char *profile)
{
    const char *command = get(files, profile, "credential_process");
    if (!command)
        return 0;
    plan->source = AWS_PROCESS;
    plan->command = xstrdup(command);
    return 1;
}

static int take_credential_source(struct aws_plan *plan, const char *source, struct error *err)
{
    if (!strcmp(source, "Environment"))
        return aws_plan_keys_of_environment(plan)
                   ? 1
                   : error_set(err, "credential_source is Environment, and AWS_ACCESS_KEY_ID or "
                                    "AWS_SECRET_ACCESS_KEY is not set");
    if (!strcmp(source, "EcsContainer"))
        plan->source = AWS_CONTAINER;
    else if (!strcmp(source, "Ec2InstanceMetadata"))
        plan->source = AWS_INSTANCE;
    else
        return error_set(err,
            "credential_source %.40s is none of Environment, EcsContainer and Ec2InstanceMetadata",
            source);
    return 1;
}

static int take_profile(struct aws_plan *plan, const struct files *files, const char *profile,
    int depth, struct error *err);

/* A profile with role_arn: what the role is assumed with, then the role. */
static int take_role(struct aws_plan *plan, const struct files *files, const char *profile,
    int depth, struct error *err)
{
    const char *arn = get(files, profile, "role_arn"),
               *source = get(files, profile, "source_profile");
    const char *kind = get(files, profile, "credential_source"),
               *token = get(files, profile, "web_identity_token_file");
    struct aws_role role = {xstrdup_or_null(arn),
        xstrdup_or_null(get(files, profile, "external_id")),
        xstrdup_or_null(get(files, profile, "role_session_name"))};
    int found = -1;
    if (get(files, profile, "mfa_serial")) {
        error_set(err, "it wants a code of an MFA device, for which nobody is here: take "
                       "credential_process or SSO");
    } else if (token) {
        plan->source = AWS_WEB_IDENTITY;
        plan->token_file = xstrdup(token);
        plan->web = role;
        return 1;
    } else if (source && kind) {
        error_set(err, "it has both source_profile and credential_source: take one away");
    } else if (source) {
        bool itself = !strcmp(source, profile);
        found = itself ? take_keys(plan, files, profile, err)
                       : take_profile(plan, files, source, depth + 1, err);
        if (found == 0)
            found = error_set(err, "its source_profile %.60s has no credentials", source);
    } else if (kind) {
        found = take_credential_source(plan, kind, err);
    } else {
        error_set(err,
            "role_arn needs a source_profile, a credential_source or a web_identity_token_file");
    }
    if (found == 1 && plan->role_count == AWS_ROLES_MAX)
        found = error_set(err, "it leads over more than %d roles", AWS_ROLES_MAX);
    if (found == 1) {
        plan->roles[plan->role_count++] = role;
        return 1;
    }
    free(role.arn);
    free(role.external_id);
    free(role.session_name);
    return -1;
}

static int take_profile(struct aws_plan *plan, const struct files *files, const char *profile,
    int depth, struct error *err)
{
    int found;
    if (depth > AWS_ROLES_MAX)
        return error_set(err, "its source_profile leads over more than %d profiles, or in a circle",
            AWS_ROLES_MAX);
    if (depth > 0 && !exists(files, profile))
        return error_set(err, "there is no profile %.60s, which is a source_profile", profile);
    if (get(files, profile, "role_arn"))
        return take_role(plan, files, profile, depth, err);
    if ((found = take_keys(plan, files, profile, err)) != 0)
        return found;
    if ((found = take_sso(plan, files, profile, err)) != 0)
        return found;
    if ((found = take_process(plan, files, profile)) == 0 && get(files, profile, "login_session"))
        found = error_set(err,
            "it is a login of `aws login`, which only AWS's programs can use: give another profile "
            "credential_process = aws configure export-credentials --format process --profile "
            "%.60s, and take that",
            profile);
    return found;
}

int aws_profile_plan(struct aws_plan *plan, struct error *err)
{
    struct files files = {.config_path = NULL};
    const char *named = aws_environment("AWS_PROFILE"), *profile = named ? named : "default";
    int found = load_files(&files, err);
    if (found == 0 && named && !exists(&files, named))
        found = error_set(err, "AWS_PROFILE names %.60s, and neither %s nor %s has such a profile",
            named, files.config_path ? files.config_path : "~/.aws/config",
            files.credentials_path ? files.credentials_path : "~/.aws/credentials");
    if (found == 0) {
        found = take_profile(plan, &files, profile, 0, err);
        if (found < 0)
            error_prefix(err, "the AWS profile %.60s", profile);
        if (!plan->region)
            plan->region = xstrdup_or_null(get(&files, profile, "region"));
    }
    if (found == 1)
        plan->origin = xasprintf(
            "the profile %s of %s", profile, files.config_path ? files.config_path : "~/.aws");
    free_files(&files);
    return found;
}

char *aws_profile_region(void)
{
    struct files files = {.config_path = NULL};
    const char *named = aws_environment("AWS_PROFILE");
    char *region = NULL;
    if (load_files(&files, NULL) == 0)
        region = xstrdup_or_null(get(&files, named ? named : "default", "region"));
    free_files(&files);
    return region;
}
