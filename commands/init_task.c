#include "commands/init_task.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static const char sidecar_name[] = "stakeout";
static const char state_path[] = "/var/lib/stakeout";
static const char config_variable[] = "STAKEOUT_CONFIG";

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
        bool chosen = wanted ? !strcmp(name_of(each), wanted)
                             : !json_is_false(json_object_get(each, "essential"));
        if (!chosen || is_sidecar(each))
            continue;
        app = name_of(each);
        candidates++;
    }
    if (candidates == 1)
        return app;
    char *names = names_of(task);
    if (!*names)
        error_set(err, "it has no container but %s, so that the app's is missing", sidecar_name);
    else if (wanted && !strcmp(wanted, sidecar_name))
        error_set(err, "%s is the sidecar; --container names the app's: %s", wanted, names);
    else if (wanted)
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
static int cpu_share(const json_t *task)
{
    double cpu = number_of(task, "cpu");
    return cpu <= 0 || sum_of(task, "cpu", NULL) + SIDECAR_CPU <= cpu ? SIDECAR_CPU : 0;
}

static void note_memory(const json_t *sidecar, const json_t *task, struct buf *notes)
{
    double memory = number_of(task, "memory"), own = number_of(sidecar, "memoryReservation");
    double reserved = sum_of(task, "memoryReservation", "memory");
    if (memory > 0 && reserved + own > memory)
        (void)buf_printf(notes,
            "its containers reserve %.0f MiB of the task's %.0f: give %.0f MiB back in one of "
            "them, or the "
            "task more memory, or ECS refuses it\n",
            reserved, memory, own);
}

/* That of an earlier sidecar stays, as its tag may be the user's own. */
static void set_image(
    json_t *sidecar, const json_t *task, const json_t *app, const char *wanted, struct buf *notes)
{
    const char *earlier = json_string_value(json_object_get(sidecar, "image"));
    const char *processor = json_string_value(
        json_object_get(json_object_get(task, "runtimePlatform"), "cpuArchitecture"));
    bool usual = !processor || !strcmp(processor, "X86_64");
    char *beside = image_beside(app);
    const char *otherwise = beside ? beside : "stakeout:" STAKEOUT_VERSION;
    if (!wanted && earlier)
        (void)buf_printf(notes, "the image stays %s; --image names another\n", earlier);
    else if (!wanted)
        (void)buf_printf(notes, "the image is to be at %s%s%s; --image names another place\n",
            otherwise, usual ? "" : ", built for ", usual ? "" : processor);
    if (wanted || !earlier)
        json_object_set_new(sidecar, "image", json_string(wanted ? wanted : otherwise));
    free(beside);
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

static const char *config_in(const json_t *sidecar, const char *list, const char *key)
{
    size_t i;
    const json_t *each;
    json_array_foreach(json_object_get(sidecar, list), i, each)
    {
        if (!strcmp(name_of(each), config_variable))
            return json_string_value(json_object_get(each, key));
    }
    return NULL;
}

const char *init_task_config(const json_t *task)
{
    return config_in(find(task, sidecar_name), "environment", "value");
}

const char *init_task_config_secret(const json_t *task)
{
    return config_in(find(task, sidecar_name), "secrets", "valueFrom");
}

bool init_task_keeps(const json_t *task, const char *path)
{
    size_t i;
    const json_t *each;
    json_array_foreach(json_object_get(find(task, sidecar_name), "mountPoints"), i, each)
    {
        const char *at = json_string_value(json_object_get(each, "containerPath"));
        size_t length = at ? strlen(at) : 0;
        if (length > 0 && strcmp(at, state_path) != 0 && !strncmp(path, at, length) &&
            (path[length] == '/' || path[length] == '\0'))
            return true;
    }
    return false;
}

/* ECS refuses a name that is in both the secrets and the environment. */
static void set_config(json_t *sidecar, const char *config, struct buf *notes)
{
    json_t *environment = list_of(sidecar, "environment");
    const char *secret = config_in(sidecar, "secrets", "valueFrom");
    for (size_t i = json_array_size(environment); i > 0; i--)
        if (!strcmp(name_of(json_array_get(environment, i - 1)), config_variable))
            json_array_remove(environment, i - 1);
    if (secret)
        (void)buf_printf(
            notes, "the container has its configuration from %s: put yours there\n", secret);
    else
        json_array_append_new(
            environment, json_pack("{s:s, s:s}", "name", config_variable, "value", config));
}

/* What init says of a sidecar, in the order in which it is printed. The two lists are filled
 * later. */
static json_t *usual_sidecar(const json_t *task, const json_t *app)
{
    json_t *usual = json_pack("{s:b, s:i, s:i, s:i, s:b, s:{s:{s:[s]}}, s:i, s:[], s:[], s:o}",
        "essential", 0, "cpu", cpu_share(task), "memoryReservation", SIDECAR_RESERVED_MIB, "memory",
        SIDECAR_MIB, "readonlyRootFilesystem", 1, "linuxParameters", "capabilities", "drop", "ALL",
        "stopTimeout", SIDECAR_STOP_S, "environment", "mountPoints", "healthCheck", health_check());
    json_t *log = json_object_get(app, "logConfiguration");
    if (log)
        json_object_set_new(usual, "logConfiguration", json_deep_copy(log));
    return usual;
}

/* Of an earlier sidecar all stays that is not said anew: what its user added to it, such as
 * secrets, more memory, a group or a socket, is needed by the next one, too. */
static json_t *container(const json_t *task, const json_t *app, const json_t *earlier,
    const struct init_sidecar *wanted, struct buf *notes)
{
    json_t *sidecar = earlier ? json_deep_copy(earlier) : json_pack("{s:s}", "name", sidecar_name);
    json_t *usual = usual_sidecar(task, app);
    set_image(sidecar, task, app, wanted->image, notes);
    json_object_update_missing(sidecar, usual);
    json_decref(usual);
    note_memory(sidecar, task, notes);
    if (json_is_true(json_object_get(sidecar, "essential")))
        (void)buf_puts(notes, "its stakeout container is essential: when that ends, ECS ends the "
                              "task; say \"essential\": false\n");
    set_config(sidecar, wanted->config, notes);
    json_t *mounts = list_of(sidecar, "mountPoints");
    if (!list_has(mounts, "containerPath", state_path))
        json_array_append_new(mounts,
            json_pack("{s:s, s:s}", "sourceVolume", sidecar_name, "containerPath", state_path));
    return sidecar;
}

/* Where the secrets that nobody has named are is the user's to say. */
static void note_secrets(
    const json_t *sidecar, const struct init_sidecar *wanted, struct buf *notes)
{
    for (size_t i = 0; i < wanted->secret_count; i++)
        if (!list_has(json_object_get(sidecar, "secrets"), "name", wanted->secrets[i]) &&
            !list_has(json_object_get(sidecar, "environment"), "name", wanted->secrets[i]))
            (void)buf_printf(notes,
                "the configuration needs %s: add it to the container's secrets (valueFrom: the ARN "
                "of a secret or parameter, which the execution role may read) or its environment\n",
                wanted->secrets[i]);
}

/* A volume of the sidecar's name that the task has already may lie anywhere. "host": {} is what
 * describe-task-definition prints of one that ECS makes for each task. */
static void set_volume(json_t *task, struct buf *notes)
{
    json_t *volumes = list_of(task, "volumes"), *volume;
    size_t i;
    const char *key;
    json_t *value;
    json_array_foreach(volumes, i, volume)
    {
        if (strcmp(name_of(volume), sidecar_name) != 0)
            continue;
        json_object_foreach(volume, key, value)
        {
            if (strcmp(key, "name") != 0 && (json_is_true(value) || json_object_size(value) > 0))
                (void)buf_printf(notes,
                    "the state goes to the volume %s that the task has already (%s): it has to be "
                    "local, writable for user 65532, and no other task's\n",
                    sidecar_name, key);
        }
        return;
    }
    json_array_append_new(volumes, json_pack("{s:s}", "name", sidecar_name));
}

/* Who waits for the sidecar starts after it and, as ECS stops in reverse, ends before it. */
static void wait_for_sidecar(json_t *app)
{
    json_t *waits = list_of(app, "dependsOn");
    if (!list_has(waits, "containerName", sidecar_name))
        json_array_append_new(
            waits, json_pack("{s:s, s:s}", "containerName", sidecar_name, "condition", "START"));
}

static void note_task(const json_t *task, const struct init_sidecar *sidecar, struct buf *notes)
{
    const char *network = json_string_value(json_object_get(task, "networkMode"));
    if (network && !strcmp(network, "host"))
        (void)buf_puts(notes, "networkMode is host: db.received and the like count the neighbours' "
                              "connections, too\n");
    else if (!network || strcmp(network, "awsvpc") != 0)
        (void)buf_puts(notes, "networkMode is not awsvpc: localhost is then not the app, and "
                              "database traffic cannot be "
                              "measured; say awsvpc\n");
    if (sidecar->needs_role && !json_object_get(task, "taskRoleArn"))
        (void)buf_puts(notes, "it has no taskRoleArn: name a role that has the policy below\n");
}

static void share_pids(json_t *task, const struct init_sidecar *sidecar, struct buf *notes)
{
    const char *mode = json_string_value(json_object_get(task, "pidMode"));
    if (!sidecar->shares_pids)
        return;
    if (mode && !strcmp(mode, "host"))
        (void)buf_puts(notes, "pidMode is host: the app's process is looked for among all of the "
                              "machine's, other tasks' included\n");
    else
        json_object_set_new(task, "pidMode", json_string("task"));
}

void init_task_add(json_t *task, const struct init_sidecar *sidecar, struct buf *notes)
{
    json_t *containers = json_object_get(task, "containerDefinitions");
    json_t *earlier = json_incref(find(task, sidecar_name));
    for (size_t i = json_array_size(containers); i > 0; i--)
        if (is_sidecar(json_array_get(containers, i - 1)))
            json_array_remove(containers, i - 1);
    const json_t *app = find(task, sidecar->apps[0]);
    json_t *added = container(task, app, earlier, sidecar, notes);
    json_decref(earlier);
    note_secrets(added, sidecar, notes);
    json_array_append_new(containers, added);
    for (size_t i = 0; i < sidecar->app_count; i++)
        wait_for_sidecar(find(task, sidecar->apps[i]));
    if (list_has(json_object_get(added, "mountPoints"), "sourceVolume", sidecar_name))
        set_volume(task, notes);
    share_pids(task, sidecar, notes);
    note_task(task, sidecar, notes);
}
