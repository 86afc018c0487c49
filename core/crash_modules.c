#include "core/crash_modules.h"

#include <limits.h>
#include <link.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { MODULES_MAX = 128 };

struct module {
    uintptr_t start, end; /* all that it has mapped */
    uintptr_t bias;       /* what the loader added to the addresses in the file */
    char name[CRASH_MODULE_SIZE];
    uint8_t build_id[CRASH_BUILD_ID_SIZE];
    size_t build_id_size;
};

/* Two tables: one is read while the other is filled. */
static struct table {
    struct module modules[MODULES_MAX];
    size_t count;
    unsigned long long loads, unloads; /* the loader's own counts as of then */
} tables[2];
static struct table *_Atomic current; /* NULL: nothing was noted yet */
static atomic_flag filling = ATOMIC_FLAG_INIT;

/* Of a path its last part; the program itself has none. */
static void name_module(struct module *module, const char *path)
{
    static char program[PATH_MAX];
    if (!*path) {
        ssize_t size = *program ? 0 : readlink("/proc/self/exe", program, sizeof program - 1);
        path = size < 0 ? "program" : program;
    }
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strcspn(name, " "); /* "stakeout (deleted)": the file was replaced since */
    memcpy(module->name, name, length < sizeof module->name ? length : sizeof module->name - 1);
}

/* Of the segments of a module: where it lies. */
static void measure(struct module *module, const struct dl_phdr_info *info)
{
    module->start = UINTPTR_MAX;
    module->end = 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD)
            continue;
        if (start < module->start)
            module->start = start;
        if (start + segment->p_memsz > module->end)
            module->end = start + segment->p_memsz;
    }
}

static void identify(struct module *module, const struct dl_phdr_info *info)
{
    for (size_t i = 0; i < info->dlpi_phnum && !module->build_id_size; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_NOTE && start >= module->start &&
            start + segment->p_memsz <= module->end)
            module->build_id_size = crash_build_id((const void *)start, segment->p_memsz,
                segment->p_align == 8 ? 8 : 4, module->build_id);
    }
}

static int add(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct table *table = arg;
    table->loads = info->dlpi_adds;
    table->unloads = info->dlpi_subs;
    if (table->count == MODULES_MAX)
        return 1;
    struct module *module = &table->modules[table->count];
    memset(module, 0, sizeof *module);
    module->bias = info->dlpi_addr;
    name_module(module, info->dlpi_name);
    measure(module, info);
    if (module->end > module->start) {
        identify(module, info);
        table->count++;
    }
    return 0;
}

/* Looks at the loader's counts, which each module comes with. */
static int is_current(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    const struct table *table = arg;
    return info->dlpi_adds == table->loads && info->dlpi_subs == table->unloads ? 1 : -1;
}

static void fill(void)
{
    struct table *used = current, *spare = used == &tables[0] ? &tables[1] : &tables[0];
    if (used && dl_iterate_phdr(is_current, used) == 1)
        return;
    spare->count = 0;
    dl_iterate_phdr(add, spare);
    current = spare;
}

void crash_modules_note(void)
{
    while (atomic_flag_test_and_set(&filling))
        sched_yield();
    fill();
    atomic_flag_clear(&filling);
}

void crash_modules_note_now(void)
{
    if (atomic_flag_test_and_set(&filling))
        return;
    fill();
    atomic_flag_clear(&filling);
}

bool crash_modules_find(uintptr_t address, struct crash_place *place)
{
    const struct table *table = current;
    *place = (struct crash_place){.offset = address};
    for (size_t i = 0; table && i < table->count; i++) {
        const struct module *module = &table->modules[i];
        if (address < module->start || address >= module->end)
            continue;
        *place = (struct crash_place){.module = module->name,
            .offset = address - module->bias,
            .build_id = module->build_id,
            .build_id_size = module->build_id_size};
        return true;
    }
    return false;
}
