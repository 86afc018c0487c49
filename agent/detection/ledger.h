/* What cooldowns and limits.per_hour count, kept over a restart of the agent in
 * <state>/limits.json: when each trigger fired last, and when incidents were opened.
 *
 *   {"schema": 1, "fired": {"cpu-high": "2026-11-23T15:04:01.000Z"},
 *    "opened": ["2026-11-23T15:04:01.000Z"]}
 */
#ifndef AGENT_DETECTION_LEDGER_H
#define AGENT_DETECTION_LEDGER_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct detector;
struct detector_event;
struct error;
struct ledger;
struct offload;

/* An empty one; disk and config outlive its last ledger_note. */
struct ledger *ledger_open(const struct config *config, struct offload *disk);

/* After the disk thread is closed. */
void ledger_close(struct ledger *ledger);

/* Takes up what the file of an earlier run says and tells the detector. A file that is not there is
 * an empty one; one that is broken is logged and passed over. Blocks. */
void ledger_restore(struct ledger *ledger, struct detector *detector);

/* Counts a fire (EVENT_FIRE) and writes the file on the disk thread. */
void ledger_note(struct ledger *ledger, const struct detector_event *event);

/* The file's text, and back. What is said of triggers that the configuration does not have is
 * dropped, and so are all but the newest limits.per_hour openings. Times are kept as wall time, ms
 * since 1970. ledger_parse: 0, or -1 with err and nothing changed. */
int ledger_parse(struct ledger *ledger, const char *text, size_t size, struct error *err);
char *ledger_text(const struct ledger *ledger);

#endif
