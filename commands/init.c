#include "commands/command.h"

#include "agent/kinds.h"
#include "commands/init_policy.h"
#include "commands/init_task.h"
#include "commands/options.h"
#include "commands/terminal.h"
#include "config/document.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "exporters/directory.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SERVICE_MAX = 64, BUCKET_MAX = 63, NOTES_MAX = 64 * 1024, CONFIG_MAX = 1 << 20 };
static const char default_debug[] = "http://localhost:6060/debug/pprof";

/* What the command line says, and what is made of it. */
struct init {
    const char *config_path, *container, *image, *bucket, *prefix, *region, *service, *debug;
    bool policy_only;
    json_t *task;
    struct buf text;         /* the sidecar's configuration */
    struct name_list needed; /* environment variables that it refers to */
    struct config *config;
    struct buf notes;
};

static int read_task(struct init *init, const char *path)
{
    struct buf file;
    struct error err;
    int status = fs_read(
        strcmp(path, "-") != 0 ? path : "/dev/stdin", INIT_TASK_MAX_BYTES, &file, &err);
    if (status == 0) {
        init->task = init_task_read(file.data, file.size, &err);
        if (!init->task) {
            struct error inner = err;
            error_set(&err, "%s: %s", path, inner.text);
        }
    }
    buf_free(&file);
    if (init->task)
        return EXIT_DONE;
    char *safe = terminal_safe(err.text);
    command_failed(&command_init, "%s", safe);
    free(safe);
    return EXIT_FAILED;
}

/* The family as the name of a service, which has fewer letters and an end. */
static char *default_service(const json_t *task)
{
    const char *family = json_string_value(json_object_get(task, "family"));
    char *service = xstrndup(family && *family ? family : "app", SERVICE_MAX);
    for (char *c = service; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-' && *c != '.')
            *c = '-';
    return service;
}

/* "woogles-profiles": bucket names are of small letters, digits and hyphens. */
static char *default_bucket(const char *service)
{
    static const char end[] = "-profiles";
    char *bucket = xasprintf("%.*s%s", BUCKET_MAX - (int)sizeof end + 1, service, end);
    for (char *c = bucket; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
    return bucket;
}

/* "key: value", as the value is meant; what refers to the environment goes on doing so. */
static void put(struct init *init, const char *before, const char *value)
{
    bool refers = strstr(value, "${") && !strpbrk(value, "\"\\\n");
    char *scalar = refers ? xasprintf("\"%s\"", value) : document_quote(value);
    (void)buf_printf(&init->text, "%s: %s", before, scalar);
    free(scalar);
}

/* A configuration of what the command line says; what it does not is guessed, and said. */
static void make_config(struct init *init, const char *app)
{
    char *service = init->service ? xstrdup(init->service) : default_service(init->task);
    char *bucket = init->bucket ? xstrdup(init->bucket) : default_bucket(service);
    buf_init(&init->text, CONFIG_MAX);
    put(init, "service", service);
    put(init, "\napp:\n  debug", init->debug ? init->debug : default_debug);
    put(init, "\n  container", app);
    put(init, "\nexport:\n  s3: {bucket", bucket);
    if (init->prefix)
        put(init, ", prefix", init->prefix);
    if (init->region)
        put(init, ", region", init->region);
    (void)buf_puts(&init->text, "}\n");
    if (!init->debug)
        (void)buf_printf(
            &init->notes, "the app is taken to serve %s; --debug says otherwise\n", default_debug);
    if (!init->bucket)
        (void)buf_printf(
            &init->notes, "the bucket is called %s; --bucket says otherwise\n", bucket);
    free(bucket);
    free(service);
}

static bool needs(const struct init *init, const char *name)
{
    for (size_t i = 0; i < init->needed.count; i++)
        if (!strcmp(init->needed.names[i], name))
            return true;
    return false;
}

/* What ${NAME} stands for is known in the task and perhaps not here: then something that passes for
 * an address and for a text takes its place, in this process only. */
static void take_reference(struct init *init, char *name)
{
    if (needs(init, name)) {
        free(name);
        return;
    }
    init->needed.names = xrealloc(
        init->needed.names, init->needed.count + 1, sizeof *init->needed.names);
    init->needed.names[init->needed.count++] = name;
    char *value = xasprintf("https://%s.invalid", name);
    setenv(name, value, 0);
    free(value);
}

/* Those without a default; $${ is none. */
static void take_references(struct init *init)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    for (const char *at = init->text.data; (at = strstr(at, "${")); at += 2) {
        size_t length = strspn(at + 2, letters);
        bool escaped = at > init->text.data && at[-1] == '$';
        if (!escaped && length > 0 && at[2 + length] == '}')
            take_reference(init, xstrndup(at + 2, length));
    }
}

static bool says_config(const struct init *init)
{
    return init->service || init->debug || init->bucket || init->prefix || init->region;
}

/* Into init->text, from the command line's file, an earlier stakeout container, or the command
 * line. `name` is set to what errors call it. */
static int find_config(struct init *init, const char *app, const char **name)
{
    struct error err;
    const char *earlier = init_task_config(init->task);
    const char *secret = init_task_config_secret(init->task);
    if (init->config_path) {
        *name = init->config_path;
        if (fs_read(init->config_path, CONFIG_MAX, &init->text, &err) < 0)
            return command_failed(&command_init, "%s", err.text);
    } else if (secret) {
        char *safe = terminal_safe(secret);
        command_failed(&command_init,
            "its stakeout container has the configuration from %s; give that text with -c FILE",
            safe);
        free(safe);
        return EXIT_FAILED;
    } else if (earlier && !says_config(init)) {
        *name = "STAKEOUT_CONFIG of its stakeout container";
        buf_init(&init->text, CONFIG_MAX);
        (void)buf_puts(&init->text, earlier);
        (void)buf_puts(&init->notes,
            "the configuration stays that of its stakeout container; -c or "
            "--bucket and the like give another\n");
    } else {
        *name = "command line";
        make_config(init, app);
        if (earlier)
            (void)buf_puts(&init->notes, "the configuration is made anew of the options; what else "
                                         "that of its stakeout container had is gone\n");
    }
    return EXIT_DONE;
}

/* The configuration's text, and whether it is right. */
static int read_config(struct init *init, const char *app)
{
    static const struct config_needs exporter = {.exporter = true};
    const char *name;
    int status = find_config(init, app, &name);
    if (status != EXIT_DONE)
        return status;
    take_references(init);
    init->config = command_parse_config(init->text.data, init->text.size, name, &exporter);
    return init->config ? EXIT_DONE : EXIT_USAGE;
}

/* The containers of the configuration's apps that the task has; without any the one of `app`. */
static size_t find_apps(const struct init *init, const char *app, const char **apps)
{
    size_t count = 0;
    for (size_t i = 0; i < init->config->app_count; i++) {
        const char *container = init->config->apps[i].container;
        if (container && init_task_has(init->task, container))
            apps[count++] = container;
    }
    if (count == 0)
        apps[count++] = app;
    return count;
}

/* The source `process` looks at the app's processes, and is told their names. */
static bool shares_pids(const struct init *init)
{
    int source = init->config->source;
    return source > 0 && !strcmp(source_kinds[source - 1]->kind.name, "process");
}

static void note_containers(struct init *init)
{
    if (shares_pids(init))
        return;
    for (size_t i = 0; i < init->config->app_count; i++) {
        const char *container = init->config->apps[i].container;
        if (container && !init_task_has(init->task, container))
            (void)buf_printf(&init->notes,
                "the configuration's container %s is none of the task's: correct it there\n",
                container);
    }
}

/* The root of the sidecar is read-only, and what it writes elsewhere ends with the task. */
static void note_folders(struct init *init)
{
    for (size_t i = 0; i < init->config->exporter_count; i++) {
        const struct exporter_config *exporter = &init->config->exporters[i];
        if (exporter_kinds[exporter->kind] != &exporter_directory)
            continue;
        const struct directory_exporter_options *options = exporter->options;
        if (!init_task_keeps(init->task, options->path))
            (void)buf_printf(&init->notes,
                "incidents go to %s: mount a volume there that outlives the task (EFS, or a host's "
                "folder) and that user 65532 may write to\n",
                options->path);
    }
}

static void note_size(struct init *init)
{
    char *text = json_dumps(init->task, JSON_COMPACT);
    if (strlen(text) > INIT_TASK_TAKEN_BYTES)
        (void)buf_printf(&init->notes,
            "it has %zu KiB, and ECS takes %d: move the configuration into a parameter of SSM, as "
            "STAKEOUT_CONFIG of the container's secrets\n",
            strlen(text) / 1024 + 1, INIT_TASK_TAKEN_BYTES / 1024);
    free(text);
}

static bool needs_role(const struct init *init)
{
    json_t *policy = init_policy(init->config, NULL);
    json_decref(policy);
    return policy != NULL;
}

static void add_sidecar(struct init *init, const char *app)
{
    const char **apps = xcalloc(init->config->app_count + 1, sizeof *apps);
    size_t count = find_apps(init, app, apps);
    note_containers(init);
    init_task_add(init->task,
        &(struct init_sidecar){.config = init->text.data,
            .image = init->image,
            .shares_pids = shares_pids(init),
            .needs_role = needs_role(init),
            .apps = apps,
            .app_count = count,
            .secrets = (const char *const *)init->needed.names,
            .secret_count = init->needed.count},
        &init->notes);
    note_folders(init);
    note_size(init);
    free(apps);
}

static void print_json(const json_t *json, FILE *out)
{
    json_dumpf(json, out, JSON_INDENT(2));
    fputc('\n', out);
}

static void print_policy_of(const struct init *init, const char *role, FILE *out)
{
    json_t *policy = init_policy(init->config, role);
    if (!policy)
        return;
    if (out == stderr && role)
        fprintf(out, "\nThe policy of %s, which has to trust the task role:\n\n", role);
    else if (out == stderr)
        fputs("\nThe policy of the task role:\n\n", out);
    print_json(policy, out);
    json_decref(policy);
}

static void print_policies(const struct init *init, FILE *out)
{
    print_policy_of(init, NULL, out);
    const char **roles = xcalloc(init_policy_roles_max(init->config), sizeof *roles);
    size_t count = init_policy_roles(init->config, roles);
    for (size_t i = 0; i < count && out == stderr; i++)
        print_policy_of(init, roles[i], out);
    free(roles);
}

static void print_notes(const struct init *init)
{
    fputs("What is left to do or to know:\n\n", stderr);
    for (const char *at = init->notes.data; *at;) {
        size_t length = strcspn(at, "\n");
        char *line = xstrndup(at, length);
        char *safe = terminal_safe(line);
        fprintf(stderr, "  - %s\n", safe);
        free(safe);
        free(line);
        at += length + (at[length] == '\n');
    }
}

/* What is to be used goes to standard output, what is to be read to standard error. */
static int print_all(const struct init *init)
{
    if (!init->policy_only)
        print_json(init->task, stdout);
    else if (needs_role(init))
        print_policies(init, stdout);
    else
        fputs("The task role needs no policy: the configuration asks AWS for nothing.\n", stderr);
    if (command_printed(&command_init) != EXIT_DONE)
        return EXIT_FAILED;
    if (init->policy_only)
        return EXIT_DONE;
    if (init->notes.size > 0)
        print_notes(init);
    print_policies(init, stderr);
    return EXIT_DONE;
}

static int make(struct init *init, const char *path)
{
    int status = read_task(init, path);
    if (status != EXIT_DONE)
        return status;
    struct error err;
    const char *app = init_task_app(init->task, init->container, &err);
    if (!app) {
        char *safe = terminal_safe(err.text);
        status = command_failed(&command_init, "%s: %s", path, safe);
        free(safe);
        return status;
    }
    status = read_config(init, app);
    if (status != EXIT_DONE)
        return status;
    add_sidecar(init, app);
    return print_all(init);
}

static void free_all(struct init *init)
{
    json_decref(init->task);
    buf_free(&init->text);
    buf_free(&init->notes);
    if (init->config)
        config_free(init->config, &config_kinds);
    for (size_t i = 0; i < init->needed.count; i++)
        free(init->needed.names[i]);
    free(init->needed.names);
}

static int run(int argc, char **argv)
{
    struct init init = {.config_path = NULL};
    char *path = NULL;
    const struct command_option options[] = {
        {.name = "config", .letter = 'c', .text = &init.config_path},
        {.name = "container", .text = &init.container}, {.name = "image", .text = &init.image},
        {.name = "service", .text = &init.service}, {.name = "debug", .text = &init.debug},
        {.name = "bucket", .text = &init.bucket}, {.name = "prefix", .text = &init.prefix},
        {.name = "region", .text = &init.region}, {.name = "policy", .flag = &init.policy_only},
        {.name = NULL}};
    int status = options_read(&command_init, argc, argv, options, &path);
    if (status != EXIT_DONE)
        return status;
    if (!path)
        return command_misused(&command_init,
            "the task definition is missing: a file with what `aws ecs describe-task-definition "
            "--task-definition NAME` prints");
    if (init.image && !*init.image)
        return command_misused(&command_init, "--image is empty");
    if (init.config_path && says_config(&init))
        return command_misused(&command_init, "--service, --debug, --bucket, --prefix and --region "
                                              "make a configuration, and -c has one");
    buf_init(&init.notes, NOTES_MAX);
    status = make(&init, path);
    free_all(&init);
    return status;
}

const struct command command_init = {
    .name = "init",
    .usage = "[-c FILE | OPTIONS] TASK-DEFINITION.json",
    .summary = "Puts stakeout into an ECS task definition",
    .help =
        "Prints the task definition with the sidecar, its volume, its health check and the app's\n"
        "dependsOn added, ready for `aws ecs register-task-definition --cli-input-json`; and, on\n"
        "standard error, what is left to do and the IAM policy that the task role needs. What is\n"
        "in the task stays as it is, and in a stakeout container that is there already what the\n"
        "options do not say otherwise. \"-\" is standard input.\n\n"
        "  -c, --config FILE  the configuration that the sidecar gets\n"
        "  --container NAME   the app's container; by default the only essential one\n"
        "  --image IMAGE      the sidecar's image; by default what it has, else stakeout, in the\n"
        "                     registry of the app's image if that is Amazon's\n"
        "  --policy           prints the task role's policy and nothing else\n\n"
        "Instead of -c, for a new configuration of these:\n\n"
        "  --bucket BUCKET    where incidents go; by default SERVICE-profiles\n"
        "  --prefix PREFIX    what their keys in it begin with\n"
        "  --region REGION    where the bucket is; by default the task's own\n"
        "  --service NAME     what incidents are named by; by default the task's family\n"
        "  --debug URL        the app's profiles; by default\n"
        "                     http://localhost:6060/debug/pprof\n",
    .run = run,
};
