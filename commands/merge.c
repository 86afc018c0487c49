#include "commands/command.h"

#include "commands/options.h"
#include "commands/terminal.h"
#include "config/units.h"
#include "core/error.h"
#include "core/fs.h"
#include "review/profile/profile.h"
#include "review/profile/profile_merge.h"

#include <stdlib.h>
#include <string.h>

/* What the profiles may inflate to, together. Measured: the process has 9 MB to begin with, and
 * takes three and a half times as much as profiles inflate to when hardly any of their samples are
 * the same; only one of them is there at a time beside their sum. What the agent's child may have
 * of both is in agent/capture/cpu_merge.c; a person who merges has a
 * machine for it. */
static const char default_limit[] = "512MiB";

struct merging {
    const char *output;
    int64_t limit_bytes, inflated_bytes;
    struct profile_merge *merge;
};

/* The sentence, which may quote the profile, after the name of its file. */
static int failed_for(const char *path, const char *sentence)
{
    char *safe_path = terminal_safe(path), *safe_sentence = terminal_safe(sentence);
    int status = command_failed(&command_merge, "%s: %s", safe_path, safe_sentence);
    free(safe_path);
    free(safe_sentence);
    return status;
}

static int failed(const struct error *err)
{
    char *safe = terminal_safe(err->text);
    int status = command_failed(&command_merge, "%s", safe);
    free(safe);
    return status;
}

static int add(struct merging *merging, const char *path)
{
    struct buf file;
    struct error err;
    if (fs_read(path, (size_t)merging->limit_bytes, &file, &err) < 0) {
        buf_free(&file);
        return failed(&err);
    }
    struct profile *profile = profile_decode(
        file.data, file.size, (size_t)merging->limit_bytes, &err);
    buf_free(&file);
    if (!profile)
        return failed_for(path, err.text);
    merging->inflated_bytes += (int64_t)profile->inflated_bytes;
    int status = EXIT_DONE;
    if (merging->inflated_bytes > merging->limit_bytes) {
        char limit[VALUE_TEXT_SIZE];
        error_set(&err, "with this one, the profiles inflate to more than %s; --limit allows more",
            units_format_bytes(merging->limit_bytes, limit));
        status = failed_for(path, err.text);
    } else if (profile_merge_add(merging->merge, profile, &err) < 0) {
        status = failed_for(path, err.text);
    }
    profile_free(profile);
    return status;
}

static int write_sum(struct merging *merging)
{
    struct profile *sum = profile_merge_close(merging->merge);
    merging->merge = NULL;
    struct buf out;
    struct error err;
    buf_init(&out, SIZE_MAX / 4);
    int status = profile_encode(sum, &out, &err);
    profile_free(sum);
    if (status == 0)
        status = fs_write(merging->output, out.data, out.size, &err);
    buf_free(&out);
    return status < 0 ? failed(&err) : EXIT_DONE;
}

static int merge_all(struct merging *merging, int count, char **paths)
{
    merging->merge = profile_merge_open();
    int status = EXIT_DONE;
    for (int i = 0; i < count && status == EXIT_DONE; i++)
        status = add(merging, paths[i]);
    if (status == EXIT_DONE)
        status = write_sum(merging);
    profile_merge_free(merging->merge);
    return status;
}

static int run(int argc, char **argv)
{
    struct merging merging = {.output = NULL};
    const char *limit = default_limit;
    char **paths;
    int count;
    const struct command_option options[] = {
        {.name = "output", .letter = 'o', .text = &merging.output},
        {.name = "limit", .text = &limit}, {.name = NULL}};
    int status = options_read_list(&command_merge, argc, argv, options, &paths, &count);
    if (status != EXIT_DONE)
        return status;
    if (!merging.output)
        return command_misused(&command_merge, "-o OUT is missing");
    if (!strcmp(merging.output, "-"))
        return command_misused(&command_merge, "-o - : OUT is a file; it is written whole or not");
    if (count == 0)
        return command_misused(&command_merge, "there is no profile to merge");
    struct error err;
    if (units_read_bytes(limit, &merging.limit_bytes, &err) < 0)
        return command_misused(&command_merge, "--limit: %s", err.text);
    if (merging.limit_bytes <= 0)
        return command_misused(&command_merge, "--limit: it has to be above 0");
    return merge_all(&merging, count, paths);
}

const struct command command_merge = {
    .name = "merge",
    .usage = "-o OUT PROFILE...",
    .summary = "Adds profiles of the same kind up to one",
    .help =
        "The profiles are pprof's, as `go tool pprof` reads them, gzip or not. Samples with the\n"
        "same stack and labels become one; durations are added up. OUT is written at the end and\n"
        "is there whole or not at all; it may be one of the profiles.\n\n"
        "  -o, --output OUT   the file to write\n"
        "  --limit SIZE       what all profiles together may inflate to; 512MiB by default,\n"
        "                     4GiB at most for one\n",
    .run = run,
};
