#include "review/top/top_graph.h"

#include "core/alloc.h"
#include "review/profile/array.h"
#include "review/profile/hash_index.h"

#include <stdlib.h>
#include <string.h>

static struct shown_name name_of(const struct profile *profile, uint32_t string)
{
    const struct profile_string *text = &profile->strings[string];
    return (struct shown_name){text->text, text->size};
}

static void make_names(struct top_graph *graph)
{
    const struct profile *profile = graph->profile;
    graph->names = xcalloc((size_t)profile->function_count + 1, sizeof *graph->names);
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct profile_function *function = &profile->functions[i];
        graph->names[i] = shown_name(name_of(profile, function->name),
            name_of(profile, function->system_name), &graph->texts);
    }
}

struct building {
    struct top_graph *graph;
    struct hash_index index;
    uint32_t *of_function; /* nodes of those that have a name; HASH_INDEX_NONE: not yet */
};

struct wanted {
    const struct top_graph *graph;
    const struct top_node *node;
};

static bool same_node(const void *arg, uint32_t index)
{
    const struct wanted *wanted = arg;
    const struct top_node *a = wanted->node, *b = &wanted->graph->nodes[index];
    return shown_name_compare(a->name, b->name) == 0 && a->start_line == b->start_line &&
           !strcmp(a->file, b->file);
}

static uint32_t find_or_add(struct building *building, struct top_node node)
{
    struct top_graph *graph = building->graph;
    uint64_t hash = hash_bytes((uint64_t)node.start_line, node.name.text, node.name.size);
    uint32_t finished = hash_finish(hash_bytes(hash, node.file, strlen(node.file)));
    struct wanted wanted = {graph, &node};
    uint32_t index = hash_index_find(&building->index, finished, same_node, &wanted);
    if (index != HASH_INDEX_NONE)
        return index;
    index = graph->node_count++;
    graph->nodes = array_room(graph->nodes, index, 1, &graph->node_capacity, sizeof *graph->nodes);
    graph->nodes[index] = node;
    hash_index_add(&building->index, finished, index);
    return index;
}

/* A file that is an address on the network has been fetched from there: no file is known. pprof
 * asks Go's url.Parse, which is right about all that anybody writes. */
static bool is_url(const char *file)
{
    size_t scheme = strspn(
        file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    bool begins = (*file >= 'a' && *file <= 'z') || (*file >= 'A' && *file <= 'Z');
    for (const char *at = file; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return begins && file[scheme] == ':';
}

static const char *file_of(const struct profile *profile, uint32_t mapping)
{
    if (mapping == PROFILE_NO_MAPPING)
        return "";
    const struct profile_mapping *of = &profile->mappings[mapping];
    const char *file = profile->strings[of->file].text;
    return profile->strings[of->build_id].size == 0 && is_url(file) ? "" : file;
}

const char *top_graph_program(const struct profile *profile)
{
    return profile->mapping_count ? file_of(profile, 0) : "";
}

static uint32_t node_of_function(
    struct building *building, uint32_t function, const struct profile_location *location)
{
    struct top_graph *graph = building->graph;
    struct shown_name name = graph->names[function];
    uint32_t *known = &building->of_function[function];
    if (name.size == 0)
        return find_or_add(
            building, (struct top_node){.name = {"", 0},
                          .file = file_of(graph->profile, location->mapping),
                          .start_line = graph->profile->functions[function].start_line});
    if (*known == HASH_INDEX_NONE)
        *known = find_or_add(building, (struct top_node){.name = name, .file = ""});
    return *known;
}

static void make_frames(struct building *building)
{
    struct top_graph *graph = building->graph;
    const struct profile *profile = graph->profile;
    uint32_t used = 0;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        uint32_t cut = graph->cut_lines ? graph->cut_lines[i] : 0;
        graph->first[i] = used;
        if (location->line_count == 0)
            graph->frames[used++] = find_or_add(building,
                (struct top_node){.name = {"", 0}, .file = file_of(profile, location->mapping)});
        for (uint32_t j = cut; j < location->line_count; j++) {
            uint32_t node = node_of_function(
                building, profile->lines[location->first_line + j].function, location);
            graph->nodes[node].has_inline_frames |= j + 1 < location->line_count;
            graph->frames[used++] = node;
        }
    }
    graph->first[profile->location_count] = used;
}

static void make_nodes(struct top_graph *graph)
{
    const struct profile *profile = graph->profile;
    size_t functions = (size_t)profile->function_count + 1;
    struct building building = {
        .graph = graph, .of_function = xrealloc(NULL, functions, sizeof *building.of_function)};
    for (size_t i = 0; i < functions; i++)
        building.of_function[i] = HASH_INDEX_NONE;
    graph->first = xrealloc(NULL, (size_t)profile->location_count + 1, sizeof *graph->first);
    graph->frames = xrealloc(
        NULL, (size_t)profile->line_count + profile->location_count + 1, sizeof *graph->frames);
    make_frames(&building);
    hash_index_free(&building.index);
    free(building.of_function);
}

struct shown_name top_graph_base(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    return begin == end ? (struct shown_name){path, 1}
                        : (struct shown_name){path + begin, end - begin};
}

static void print_name(struct top_graph *graph, struct top_node *node)
{
    node->printed = node->name;
    if (node->name.size > 0)
        return;
    node->printed = (struct shown_name){"<unknown>", sizeof "<unknown>" - 1};
    if (!*node->file)
        return;
    struct shown_name base = top_graph_base(node->file);
    char *text = shown_texts_add(&graph->texts, base.size + 2);
    text[0] = '[';
    memcpy(text + 1, base.text, base.size);
    text[base.size + 1] = ']';
    node->printed = (struct shown_name){text, base.size + 2};
}

int top_graph_make(struct top_graph **graph, const struct profile *profile, struct error *err)
{
    struct top_graph *made = xcalloc(1, sizeof *made);
    *graph = made;
    made->profile = profile;
    make_names(made);
    if (top_prune(made, err) < 0)
        return -1;
    make_nodes(made);
    for (uint32_t i = 0; i < made->node_count; i++)
        print_name(made, &made->nodes[i]);
    return 0;
}

void top_graph_free(struct top_graph *graph)
{
    if (!graph)
        return;
    shown_texts_free(&graph->texts);
    free(graph->names);
    free(graph->nodes);
    free(graph->first);
    free(graph->frames);
    free(graph->begins);
    free(graph->cuts);
    free(graph->cut_lines);
    free(graph);
}
