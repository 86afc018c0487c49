#include "commands/init_task.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static const char sidecar_name[] = "stakeout";
static const char state_path[] = "/var/lib/stakeout";

/* What the sidecar is given: a share of a core in 1024ths, and MiB. */
enum { SIDECAR_CPU = 16, SIDECAR_RESERVED_MIB = 24, SIDECAR_MIB = 64, SIDECAR_STOP_S = 30 };

/* What describe-task-definition prints and register-task-definition refuses. */
static const char *const set_by_ecs[] = {"taskDefinitionArn", "revision", "status",
    "requiresAttributes", "compatibilities", "registeredAt", "registeredBy", "deregisteredAt"};

static const char *name_of(const json_t *container)
{
    const char *name = json_string_value(json_object_get(container, "name"));
    return name ? name : "";
}

static bool is_sidecar(const json_t *container)
{
    return !strcmp(name_of(container), sidecar_name);
}

static int check_containers(const json_t *task, struct error *err)
{
    const json_t *containers = json_object_get(task, "containerDefinitions");
    if (!json_is_array(containers) || json_array_size(containers) == 0) {
        error_set(err,
            json_object_get(task, "ContainerDefinitions")
                ? "this is CloudFormation's spelling (ContainerDefinitions); give it what `aws "
                  "ecs describe-task-definition --task-definition NAME` prints"
                : "there are no containerDefinitions in it; give it what `aws ecs "
                  "describe-task-definition --task-definition NAME` prints");
        return -1;
    }
    size_t i;
    const json_t *container;
    json_array_foreach(containers, i, container)
    {
        if (*name_of(container))
            continue;
        error_set(err, "containerDefinitions[%zu] has no name; each container needs one", i);
        return -1;
    }
    const char *family = json_string_value(
        json_object_get(json_object_get(task, "runtimePlatform"), "operatingSystemFamily"));
    if (family && !strncmp(family, "WINDOWS", 7)) {
        error_set(err, "it runs on %.40s; stakeout runs on Linux only", family);
        return -1;
    }
    return 0;
}

/* describe-task-definition wraps it, with the tags beside it. */
static json_t *unwrap(json_t *root)
{
    json_t *inner = json_object_get(root, "taskDefinition");
    if (!json_is_object(inner))
        return root;
    json_t *tags = json_object_get(root, "tags");
    if (json_array_size(tags) > 0)
        json_object_set(inner, "tags", tags);
    json_incref(inner);
    json_decref(root);
    return inner;
}

json_t *init_task_read(const char *text, size_t size, struct error *err)
{
    json_error_t where;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (!root) {
        error_set(err,
            "line %d: %s; it has to be JSON, as `aws ecs describe-task-definition` prints it",
            where.line, where.text);
        return NULL;
    }
    root = unwrap(root);
    if (check_containers(root, err) < 0) {
        json_decref(root);
        return NULL;
    }
    for (size_t i = 0; i < sizeof set_by_ecs / sizeof *set_by_ecs; i++)
        json_object_del(root, set_by_ecs[i]);
    return root;
}

static json_t *find(const json_t *task, const char *container)
{
    size_t i;
    json_t *each;
    json_array_foreach(json_object_get(task, "containerDefinitions"), i, each)
    {
        if (!strcmp(name_of(each), container))
            return each;
    }
    return NULL;
}

bool init_task_has(const json_t *task, const char *container)
{
    return find(task, container) != NULL;
}

/* "api, envoy": whom --container may name; the caller frees. */
static char *names_of(const json_t *task)
{
    struct buf names;
    buf_init(&names, 300);
    size_t i;
    const json_t *each;
    json_array_foreach(json_object_get(task, "containerDefinitions"), i, each)
    {
        if (!is_sidecar(each))
            (void)buf_printf(&names, "%s%s", names.size ? ", " : "", name_of(each));
    }
    return buf_take(&names);
}

const char *init_task_app(const json_t *task, const char *wanted, struct error *err)
{
    const char *app = NULL;
    size_t candidates = 0, i;
    const json_t *each;
    json_array_foreach(json_object_get(task, "containerDefinitions"), i, each)
    {
        bool chosen = wanted
                          ? !strcmp(name_of(each), wanted)
                          : !is_sidecar(each) && !json_is_false(json_object_get(each, "essential"));
        if (!chosen)
            continue;
        app = name_of(each);
        candidates++;
    }
    if (candidates == 1)
        return app;
    char *names = names_of(task);
    if (wanted)
        error_set(err, "it has no container \"%s\"; --container names one of: %s", wanted, names);
    else
        error_set(err, "it has %s essential container; name the app's with --container: %s",
            candidates == 0 ? "no" : "more than one", names);
    free(names);
    return NULL;
}

/* Beside the app's image where that is in a registry of Amazon's: ACCOUNT.dkr.ecr.REGION.... */
static char *image_beside(const json_t *app)
{
    const char *image = json_string_value(json_object_get(app, "image"));
    const char *slash = image ? strchr(image, '/') : NULL;
    if (!slash || !memmem(image, (size_t)(slash - image), ".dkr.ecr.", 9))
        return NULL;
    return xasprintf("%.*s/stakeout:" STAKEOUT_VERSION, (int)(slash - image), image);
}

static json_t *health_check(void)
{
    return json_pack("{s:[ssss], s:i, s:i, s:i}", "command", "CMD", "/stakeout", "status",
        "--quiet", "interval", 30, "timeout", 5, "retries", 3);
}

/* A number that ECS takes as one and as a text ("256"); 0: not given. "1 vCPU" and "2 GB", which
 * the console writes, are units of 1024. */
static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_number(value))
        return json_number_value(value);
    if (!json_is_string(value))
        return 0;
    char *end;
    double number = strtod(json_string_value(value), &end);
    return *end == '\0' ? number : number * 1024;
}

static double sum_of(const json_t *task, const char *key, const char *otherwise)
{
    double sum = 0;
    size_t i;
    const json_t *each;
    json_array_foreach(json_object_get(task, "containerDefinitions"), i, each)
    {
        double number = number_of(each, key);
        if (number <= 0 && otherwise)
            number = number_of(each, otherwise);
        sum += number;
    }
    return sum;
}

/* What containers reserve has to fit into the task. */
static void set_resources(json_t *sidecar, const json_t *task, struct buf *notes)
{
    double cpu = number_of(task, "cpu"), memory = number_of(task, "memory");
    bool cpu_fits = cpu <= 0 || sum_of(task, "cpu", NULL) + SIDECAR_CPU <= cpu;
    json_object_set_new(sidecar, "cpu", json_integer(cpu_fits ? SIDECAR_CPU : 0));
    double reserved = sum_of(task, "memoryReservation", "memory");
    if (memory > 0 && reserved + SIDECAR_RESERVED_MIB > memory)
        (void)buf_printf(notes,
            "its containers reserve %.0f MiB of the task's %.0f: give %d MiB back in one of them, "
            "or the "
            "task more memory, or ECS refuses it\n",
            reserved, memory, SIDECAR_RESERVED_MIB);
    json_object_set_new(sidecar, "memoryReservation", json_integer(SIDECAR_RESERVED_MIB));
    json_object_set_new(sidecar, "memory", json_integer(SIDECAR_MIB));
}

static void set_image(
    json_t *sidecar, const json_t *app, const struct init_sidecar *wanted, struct buf *notes)
{
    char *beside = wanted->image ? xstrdup(wanted->image) : image_beside(app);
    json_object_set_new(
        sidecar, "image", json_string(beside ? beside : "stakeout:" STAKEOUT_VERSION));
    if (!wanted->image)
        (void)buf_printf(notes, "the image is to be at %s; --image names another place\n",
            beside ? beside : "stakeout:" STAKEOUT_VERSION);
    free(beside);
}

static json_t *container(
    const json_t *task, const json_t *app, const struct init_sidecar *wanted, struct buf *notes)
{
    json_t *sidecar = json_pack("{s:s}", "name", sidecar_name);
    set_image(sidecar, app, wanted, notes);
    json_object_set_new(sidecar, "essential", json_false());
    set_resources(sidecar, task, notes);
    json_object_set_new(sidecar, "readonlyRootFilesystem", json_true());
    json_object_set_new(
        sidecar, "linuxParameters", json_pack("{s:{s:[s]}}", "capabilities", "drop", "ALL"));
    json_object_set_new(sidecar, "stopTimeout", json_integer(SIDECAR_STOP_S));
    json_object_set_new(sidecar, "environment",
        json_pack("[{s:s, s:s}]", "name", "STAKEOUT_CONFIG", "value", wanted->config));
    json_object_set_new(sidecar, "mountPoints",
        json_pack("[{s:s, s:s}]", "sourceVolume", sidecar_name, "containerPath", state_path));
    json_object_set_new(sidecar, "healthCheck", health_check());
    json_t *log = json_object_get(app, "logConfiguration");
    if (log)
        json_object_set_new(sidecar, "logConfiguration", json_deep_copy(log));
    return sidecar;
}

/* Without secrets of another stakeout container none is known: where they are is the user's to say.
 */
static void set_secrets(
    json_t *sidecar, const json_t *earlier, const struct init_sidecar *wanted, struct buf *notes)
{
    json_t *secrets = json_object_get(earlier, "secrets");
    if (secrets)
        json_object_set_new(sidecar, "secrets", json_deep_copy(secrets));
    for (size_t i = 0; i < wanted->secret_count; i++) {
        bool known = false;
        size_t j;
        const json_t *each;
        json_array_foreach(secrets, j, each)
        {
            known = known || !strcmp(name_of(each), wanted->secrets[i]);
        }
        if (!known)
            (void)buf_printf(notes,
                "the configuration needs %s: add it to the container's secrets (valueFrom: the ARN "
                "of a "
                "secret or parameter) or its environment\n",
                wanted->secrets[i]);
    }
}

/* The list under a key, made where there is none. */
static json_t *list_of(json_t *object, const char *key)
{
    json_t *list = json_object_get(object, key);
    if (json_is_array(list))
        return list;
    list = json_array();
    json_object_set_new(object, key, list);
    return list;
}

static bool list_has(const json_t *list, const char *key, const char *value)
{
    size_t i;
    const json_t *each;
    json_array_foreach(list, i, each)
    {
        const char *text = json_string_value(json_object_get(each, key));
        if (text && !strcmp(text, value))
            return true;
    }
    return false;
}

/* Who waits for the sidecar starts after it and, as ECS stops in reverse, ends before it. */
static void wait_for_sidecar(json_t *app)
{
    json_t *waits = list_of(app, "dependsOn");
    if (!list_has(waits, "containerName", sidecar_name))
        json_array_append_new(
            waits, json_pack("{s:s, s:s}", "containerName", sidecar_name, "condition", "START"));
}

static void note_task(const json_t *task, struct buf *notes)
{
    const char *network = json_string_value(json_object_get(task, "networkMode"));
    if (network && !strcmp(network, "host"))
        (void)buf_puts(notes, "networkMode is host: db.received and the like count the neighbours' "
                              "connections, too\n");
    else if (!network || strcmp(network, "awsvpc") != 0)
        (void)buf_puts(notes, "networkMode is not awsvpc: localhost is then not the app, and "
                              "database traffic cannot be "
                              "measured; say awsvpc\n");
    if (!json_object_get(task, "taskRoleArn"))
        (void)buf_puts(notes, "it has no taskRoleArn: name a role that has the policy below\n");
}

void init_task_add(json_t *task, const struct init_sidecar *sidecar, struct buf *notes)
{
    json_t *containers = json_object_get(task, "containerDefinitions");
    json_t *earlier = json_incref(find(task, sidecar_name));
    for (size_t i = json_array_size(containers); i > 0; i--)
        if (is_sidecar(json_array_get(containers, i - 1)))
            json_array_remove(containers, i - 1);
    const json_t *app = find(task, sidecar->apps[0]);
    json_t *added = container(task, app, sidecar, notes);
    set_secrets(added, earlier, sidecar, notes);
    json_decref(earlier);
    json_array_append_new(containers, added);
    for (size_t i = 0; i < sidecar->app_count; i++)
        wait_for_sidecar(find(task, sidecar->apps[i]));
    json_t *volumes = list_of(task, "volumes");
    if (!list_has(volumes, "name", sidecar_name))
        json_array_append_new(volumes, json_pack("{s:s}", "name", sidecar_name));
    if (sidecar->shares_pids)
        json_object_set_new(task, "pidMode", json_string("task"));
    note_task(task, notes);
}
