#include "review/top/top.h"
#include "commands/command.h"
#include "commands/options.h"
#include "commands/terminal.h"
#include "config/units.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "review/profile/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a profile may have when it is inflated. Most have less than a tenth of it. */
static const char default_limit[] = "64MiB";

struct request {
    const char *profile, *base;
    struct top_options options;
    int64_t limit_bytes;
    bool json;
};

/* The sentence, which may quote the profile, after the name of its file. */
static int failed_for(const char *path, const struct error *err)
{
    char *safe_path = terminal_safe(path), *sentence = terminal_safe(err->text);
    int status = command_failed(&command_top, "%s: %s", safe_path, sentence);
    free(safe_path);
    free(sentence);
    return status;
}

static int failed(const struct error *err)
{
    char *safe = terminal_safe(err->text);
    int status = command_failed(&command_top, "%s", safe);
    free(safe);
    return status;
}

/* As what Go's servers give always is: what is not, and is damaged, is rather something else. */
static bool is_compressed(const struct buf *file)
{
    return file->size >= 2 && !memcmp(file->data, "\x1f\x8b", 2);
}

static void add_hint(struct error *err)
{
    struct error reason = *err;
    error_format(err,
        "%.200s; is it a profile in pprof's format? Go's /debug/pprof/... gives one; text "
        "(debug=1) "
        "is none",
        reason.text);
}

/* What is said of the base is said of its file. */
static int failed_to_make(const struct request *request, const struct error *err)
{
    static const char of_base[] = "--base: ";
    struct error rest;
    if (!request->base || strncmp(err->text, of_base, sizeof of_base - 1) != 0)
        return failed_for(request->profile, err);
    error_format(&rest, "%s", err->text + sizeof of_base - 1);
    return failed_for(request->base, &rest);
}

static bool is_stdin(const char *path)
{
    return !strcmp(path, "-");
}

static int read_profile(const struct request *request, const char *path, struct profile **profile)
{
    struct buf file;
    struct error err;
    int status = EXIT_DONE;
    *profile = NULL;
    if (fs_read(is_stdin(path) ? "/dev/stdin" : path, (size_t)request->limit_bytes, &file, &err) <
        0) {
        status = failed(&err);
    } else {
        *profile = profile_decode(file.data, file.size, (size_t)request->limit_bytes, &err);
        if (!*profile && file.size > 0 && !is_compressed(&file))
            add_hint(&err);
        if (!*profile)
            status = failed_for(path, &err);
    }
    buf_free(&file);
    return status;
}

static int print(const struct top *top, bool json)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 4);
    bool terminal = isatty(STDOUT_FILENO);
    if (json) {
        top_print_json(top, &out);
        terminal_print_json(stdout, out.data, out.size);
    } else {
        /* To the byte what pprof prints, but nothing may steer a terminal. */
        top_print(top, terminal ? terminal_safe : NULL, &out);
        fwrite(out.data, 1, out.size, stdout);
    }
    buf_free(&out);
    return EXIT_DONE;
}

static int make(const struct request *request)
{
    struct profile *profile = NULL, *base = NULL;
    struct top top;
    struct error err;
    int status = read_profile(request, request->profile, &profile);
    if (status == EXIT_DONE && request->base)
        status = read_profile(request, request->base, &base);
    if (status != EXIT_DONE) {
        profile_free(profile);
        return status;
    }
    if (top_make(&top, profile, base, &request->options, &err) < 0)
        status = failed_to_make(request, &err);
    else
        status = print(&top, request->json);
    top_free(&top);
    return status;
}

static int read_count(const char *text, uint64_t *count)
{
    char *end;
    if (strspn(text, "0123456789") != strlen(text) || !*text)
        return -1;
    *count = strtoull(text, &end, 10);
    return 0;
}

static int read_fraction(const char *text, double *fraction)
{
    char *end;
    *fraction = strtod(text, &end);
    return *end || end == text || !isfinite(*fraction) || *fraction < 0 ? -1 : 0;
}

static int run(int argc, char **argv)
{
    struct request request = {.options.fraction = TOP_FRACTION};
    const char *count = "0", *fraction = NULL, *limit = default_limit;
    char *profile;
    struct error err;
    const struct command_option options[] = {{.name = "base", .text = &request.base},
        {.name = "cum", .flag = &request.options.by_cum},
        {.name = "sample", .text = &request.options.sample_type},
        {.name = "count", .letter = 'n', .text = &count},
        {.name = "node-fraction", .text = &fraction}, {.name = "limit", .text = &limit},
        {.name = "json", .flag = &request.json}, {.name = NULL}};
    int status = options_read(&command_top, argc, argv, options, &profile);
    if (status != EXIT_DONE)
        return status;
    if (!profile)
        return command_misused(&command_top, "PROFILE is missing");
    if (request.base && is_stdin(profile) && is_stdin(request.base))
        return command_misused(&command_top, "only one of the profiles can be standard input");
    if (read_count(count, &request.options.row_count) < 0)
        return command_misused(&command_top, "-n: \"%s\" is no number of functions", count);
    if (fraction && read_fraction(fraction, &request.options.fraction) < 0)
        return command_misused(&command_top, "--node-fraction: \"%s\" is no fraction", fraction);
    if (units_read_bytes(limit, &request.limit_bytes, &err) < 0)
        return command_misused(&command_top, "--limit: %s", err.text);
    if (request.limit_bytes <= 0)
        return command_misused(&command_top, "--limit: it has to be above 0");
    request.profile = profile;
    return make(&request);
}

const struct command command_top = {
    .name = "top",
    .usage = "[--base PROFILE] [--cum] [--sample TYPE] [-n N] [--json] PROFILE",
    .summary = "Prints which functions a profile is spent in",
    .help =
        "The table is that of `go tool pprof -top`. PROFILE is a file in pprof's format, gzip or\n"
        "not; - is standard input.\n\n"
        "  --base PROFILE     subtract this profile\n"
        "  --cum              sort by what a function and all that it calls take (cum), instead\n"
        "                     of by what it takes itself (flat)\n"
        "  --sample TYPE      which values: a sample type's name (inuse_space) or number, counted\n"
        "                     from 0; else the profile's default\n"
        "  -n, --count N      at most so many functions, of those that --node-fraction leaves; 0,\n"
        "                     the default: all of these\n"
        "  --node-fraction F  leave out functions that with all they call have less than this\n"
        "                     part of all, 0 to 1; 0.005 by default, 0: none is left out\n"
        "  --limit SIZE       the most that a profile may inflate to; 64MiB by default\n"
        "  --json             one object, values in the sample type's own unit\n",
    .run = run,
};
