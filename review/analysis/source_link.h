/* Links from functions into the source: source_url with {commit}, {path} and {line} filled in.
 *
 * {commit} is what the image's tag says: its hex part (main-1a2b3c4 -> 1a2b3c4), else the tag.
 * {path} is relative to the root of the module. The root is found by comparing the folder of a
 * function's file with its package (/src/pkg/db in a.com/me/app/pkg/db: the root is /src), whatever
 * the folder was called where the program was built; of package main, by that of another function.
 */
#ifndef REVIEW_SOURCE_LINK_H
#define REVIEW_SOURCE_LINK_H

#include <stdint.h>

struct incident;
struct source_links;

/* From incident->source_url and its target. NULL when no link can be made: without a source_url, or
 * when it needs a commit and the image tells none. */
struct source_links *source_links_new(const struct incident *incident);
void source_links_free(struct source_links *links);

/* Learns where the module lies from one of its functions, by name and file as the profile has them:
 * for as many of the app's own as there are, before the first link. */
void source_links_learn(struct source_links *links, const char *function, const char *file);

/* The link to a function of the app's own code, safe to put into an attribute or Markdown; the
 * caller frees. line 0: not known. NULL: its place in the source is not known, or links is NULL. */
char *source_links_to(
    const struct source_links *links, const char *function, const char *file, int64_t line);

#endif
