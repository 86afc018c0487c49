/* A disk as of one operation of a disk_log: what programs see, and what is there after the power
 * was lost. A file's content is there once the file is synced, a name once its folder is. */
#ifndef TESTS_DISK_MODEL_H
#define TESTS_DISK_MODEL_H

#include "disk_log.h"

struct node;

struct entry {
    char *name;
    struct node *node;
};

struct entries {
    struct entry *all;
    size_t count;
};

struct node {
    bool folder;
    char *data, *kept; /* as programs see it, and as of the last sync */
    size_t size, kept_size;
    struct entries now, durable; /* of a folder: the same */
    struct node *next;           /* of all that there ever were */
};

struct disk {
    struct node *root, *all;
    struct node **opened; /* by handle */
    size_t at;            /* operations that it has seen */
};

/* What a crash leaves of what was not synced. */
enum loss {
    NAMES_LOST,     /* neither names nor content */
    CONTENT_LOST,   /* every name is there, with the content of the last sync */
    CONTENT_HALVED, /* the same with half of what came after it */
    NOTHING_LOST,   /* the agent was killed, not the machine */
    FOLDERS_APART   /* NAMES_LOST in some folders, CONTENT_LOST in the others */
};

/* Any generator is good enough, and the same in every run. */
static inline unsigned disk_random(unsigned below)
{
    static unsigned state = 1;
    state = state * 1664525 + 1013904223;
    return (state >> 16) % below;
}

static inline struct node *new_node(struct disk *disk, bool folder)
{
    struct node *node = xcalloc(1, sizeof *node);
    node->folder = folder;
    node->next = disk->all;
    disk->all = node;
    return node;
}

static inline void disk_open(struct disk *disk)
{
    *disk = (struct disk){.all = NULL};
    disk->root = new_node(disk, true);
    disk->opened = xcalloc((size_t)disk_log.handles + 1, sizeof *disk->opened);
}

static inline void free_entries(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->all[i].name);
    free(entries->all);
    *entries = (struct entries){0};
}

static inline void disk_close(struct disk *disk)
{
    while (disk->all) {
        struct node *node = disk->all;
        disk->all = node->next;
        free_entries(&node->now);
        free_entries(&node->durable);
        free(node->data);
        free(node->kept);
        free(node);
    }
    free(disk->opened);
}

static inline struct entry *find_entry(const struct entries *entries, const char *name)
{
    for (size_t i = 0; i < entries->count; i++)
        if (!strcmp(entries->all[i].name, name))
            return &entries->all[i];
    return NULL;
}

static inline void add_entry(struct entries *entries, const char *name, struct node *node)
{
    struct entry *there = find_entry(entries, name);
    if (there) {
        there->node = node;
        return;
    }
    entries->all = xrealloc(entries->all, entries->count + 1, sizeof *entries->all);
    entries->all[entries->count++] = (struct entry){xstrdup(name), node};
}

static inline void remove_entry(struct entries *entries, const char *name)
{
    struct entry *there = find_entry(entries, name);
    free(there->name);
    *there = entries->all[--entries->count];
}

/* The folder that a path is in, and its name there. */
static inline struct node *parent_of(const struct disk *disk, const char *path, const char **name)
{
    struct node *folder = disk->root;
    for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
        char *part = xstrndup(path, (size_t)(slash - path));
        folder = find_entry(&folder->now, part)->node;
        free(part);
    }
    *name = path;
    return folder;
}

static inline void open_file(struct disk *disk, const struct operation *operation)
{
    const char *name;
    struct node *folder = parent_of(disk, operation->path, &name);
    if (!strcmp(name, ".")) {
        disk->opened[operation->handle] = folder;
        return;
    }
    struct entry *entry = find_entry(&folder->now, name);
    if (!entry) {
        add_entry(&folder->now, name, new_node(disk, false));
        entry = find_entry(&folder->now, name);
    }
    disk->opened[operation->handle] = entry->node;
    if (operation->truncates)
        entry->node->size = 0;
}

static inline void sync_node(struct node *node)
{
    if (node->folder) {
        free_entries(&node->durable);
        for (size_t i = 0; i < node->now.count; i++)
            add_entry(&node->durable, node->now.all[i].name, node->now.all[i].node);
        return;
    }
    node->kept = xrealloc(node->kept, node->size + 1, 1);
    if (node->size)
        memcpy(node->kept, node->data, node->size);
    node->kept_size = node->size;
}

static inline void rename_entry(struct disk *disk, const struct operation *operation)
{
    const char *from, *to;
    struct node *from_folder = parent_of(disk, operation->path, &from);
    struct node *to_folder = parent_of(disk, operation->to, &to);
    struct node *node = find_entry(&from_folder->now, from)->node;
    if (operation->type == EXCHANGED) {
        add_entry(&from_folder->now, from, find_entry(&to_folder->now, to)->node);
    } else {
        remove_entry(&from_folder->now, from);
    }
    add_entry(&to_folder->now, to, node);
}

static inline void append(struct node *node, const struct operation *operation)
{
    node->data = xrealloc(node->data, node->size + operation->size, 1);
    memcpy(node->data + node->size, operation->data, operation->size);
    node->size += operation->size;
}

static inline void disk_apply(struct disk *disk, const struct operation *operation)
{
    const char *name = NULL;
    struct node *folder = NULL;
    disk->at++;
    if (operation->type == REMOVED || operation->type == FOLDER_MADE)
        folder = parent_of(disk, operation->path, &name);
    switch (operation->type) {
    case OPENED:
        open_file(disk, operation);
        break;
    case WRITTEN:
        append(disk->opened[operation->handle], operation);
        break;
    case SYNCED:
        sync_node(disk->opened[operation->handle]);
        break;
    case RENAMED:
    case EXCHANGED:
        rename_entry(disk, operation);
        break;
    case REMOVED:
        remove_entry(&folder->now, name);
        break;
    case FOLDER_MADE:
        add_entry(&folder->now, name, new_node(disk, true));
        break;
    case SAID:
        break;
    }
}

static inline void write_file_of(const struct node *node, const char *path, enum loss loss)
{
    bool synced = node->size == node->kept_size &&
                  (!node->size || !memcmp(node->data, node->kept, node->size));
    bool whole = synced || loss == NOTHING_LOST;
    const char *data = whole || loss == CONTENT_HALVED ? node->data : node->kept;
    size_t size = whole ? node->size : node->kept_size;
    if (!whole && loss == CONTENT_HALVED)
        size = node->size > node->kept_size ? (node->size + node->kept_size) / 2 : node->size / 2;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size))
        abort();
    close(fd);
}

/* Writes what is there after a crash into a folder, which must not be there. */
static inline void disk_write(const struct node *node, const char *path, enum loss loss)
{
    if (!node->folder) {
        write_file_of(node, path, loss);
        return;
    }
    if (mkdir(path, 0755) < 0)
        abort();
    bool lost = loss == NAMES_LOST || (loss == FOLDERS_APART && disk_random(2));
    const struct entries *entries = lost ? &node->durable : &node->now;
    for (size_t i = 0; i < entries->count; i++) {
        char *below = xasprintf("%s/%s", path, entries->all[i].name);
        disk_write(entries->all[i].node, below, loss);
        free(below);
    }
}

#endif
