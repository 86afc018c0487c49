/* Profilers say which of their own frames are of no interest: drop_frames, of which those that
 * keep_frames matches stay. A frame that is dropped goes with all that it called, unless nothing
 * else called it. github.com/google/pprof: profile/prune.go */
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "review/top/pattern.h"
#include "review/top/top_graph.h"

#include <stdlib.h>

/* About a second, and a thousand times what sensible expressions take. */
static const uint64_t most_steps = 100 * 1000 * 1000;

/* What becomes of a location: BENEATH loses its inner lines and what it called, WHOLE itself too.
 */
enum { STAYS, BENEATH, WHOLE };

/* Whether a function is dropped; it is the same in all lines. */
enum { UNKNOWN, KEPT, DROPPED };

struct pruning {
    struct top_graph *graph;
    struct pattern *drop, *keep; /* keep may be NULL */
    unsigned char *functions;
    uint64_t steps;
};

/* *pattern is NULL, too, when the text is empty or wrong: pprof then does without. */
static int compile(const struct profile *profile, uint32_t string, const char *field,
    struct pattern **pattern, struct error *err)
{
    const struct profile_string *text = &profile->strings[string];
    *pattern = NULL;
    if (text->size == 0)
        return 0;
    struct buf whole;
    buf_init(&whole, SIZE_MAX / 4);
    buf_puts(&whole, "^(");
    buf_append(&whole, text->text, text->size);
    buf_puts(&whole, ")$");
    enum pattern_status status = pattern_compile(whole.data, whole.size, pattern);
    buf_free(&whole);
    if (status == PATTERN_TOO_LARGE)
        return error_set(err, "the profile's %s is too large an expression", field);
    if (status == PATTERN_NOT_SUPPORTED)
        return error_set(
            err, "the profile's %s has a class of Unicode, which is not known here", field);
    return 0;
}

static bool is_dropped(struct pruning *pruning, uint32_t function)
{
    unsigned char *known = &pruning->functions[function];
    struct shown_name name = pruning->graph->names[function];
    if (*known == UNKNOWN) {
        struct shown_name plain = shown_name_plain(name);
        bool dropped = name.size > 0 &&
                       pattern_matches(pruning->drop, plain.text, plain.size, &pruning->steps) &&
                       !(pruning->keep &&
                           pattern_matches(pruning->keep, plain.text, plain.size, &pruning->steps));
        *known = dropped ? DROPPED : KEPT;
    }
    return *known == DROPPED;
}

static void mark_locations(struct pruning *pruning)
{
    struct top_graph *graph = pruning->graph;
    const struct profile *profile = graph->profile;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        const struct profile_line *lines = profile->lines + location->first_line;
        uint32_t line = location->line_count; /* the outermost that is dropped, from 1 */
        while (line > 0 && !is_dropped(pruning, lines[line - 1].function))
            line--;
        if (line == 0)
            continue;
        graph->cuts[i] = line == location->line_count ? WHOLE : BENEATH;
        graph->cut_lines[i] = graph->cuts[i] == WHOLE ? 0 : line;
    }
}

/* From the root down; what is dropped before anything else has been met stays. */
static uint32_t find_begin(const struct top_graph *graph, const struct profile_sample *sample)
{
    const uint32_t *stack = graph->profile->stacks + sample->first_location;
    bool met = false;
    for (uint32_t i = sample->location_count; i-- > 0;) {
        unsigned char cut = graph->cuts[stack[i]];
        if (cut == STAYS)
            met = true;
        else if (met)
            return cut == WHOLE ? i + 1 : i;
    }
    return 0;
}

static int prune(struct pruning *pruning, struct error *err)
{
    struct top_graph *graph = pruning->graph;
    const struct profile *profile = graph->profile;
    graph->cuts = xcalloc((size_t)profile->location_count + 1, sizeof *graph->cuts);
    graph->cut_lines = xcalloc((size_t)profile->location_count + 1, sizeof *graph->cut_lines);
    graph->begins = xcalloc((size_t)profile->sample_count + 1, sizeof *graph->begins);
    pruning->functions = xcalloc((size_t)profile->function_count + 1, 1);
    pruning->steps = most_steps;
    mark_locations(pruning);
    free(pruning->functions);
    if (pruning->steps == 0)
        return error_set(err, "the profile's drop_frames takes too long to apply");
    for (uint32_t i = 0; i < profile->sample_count; i++)
        graph->begins[i] = find_begin(graph, &profile->samples[i]);
    return 0;
}

int top_prune(struct top_graph *graph, struct error *err)
{
    const struct profile *profile = graph->profile;
    struct pruning pruning = {.graph = graph};
    bool keeps = profile->strings[profile->keep_frames].size > 0;
    int status = compile(profile, profile->drop_frames, "drop_frames", &pruning.drop, err);
    if (status == 0 && pruning.drop)
        status = compile(profile, profile->keep_frames, "keep_frames", &pruning.keep, err);
    if (status == 0 && pruning.drop && (pruning.keep || !keeps))
        status = prune(&pruning, err);
    pattern_free(pruning.drop);
    pattern_free(pruning.keep);
    return status;
}
