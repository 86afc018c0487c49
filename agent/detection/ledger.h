/* What cooldowns, limits.per_hour and limits.per_day count, kept over a restart of the agent in
 * <state>/limits.json: when each trigger fired last, when incidents were opened, and how many bytes
 * those of the last 24 hours have ("stored" is left out where there are none).
 *
 *   {"schema": 1, "fired": {"cpu-high": "2026-11-23T15:04:01.000Z"},
 *    "opened": ["2026-11-23T15:04:01.000Z"],
 *    "stored": [{"id": "20261123T150401Z-cpu-high-1a2b3c", "time": "2026-11-23T15:04:31.000Z",
 *      "bytes": 81234}]}
 */
#ifndef AGENT_DETECTION_LEDGER_H
#define AGENT_DETECTION_LEDGER_H

#include <stdbool.h>
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

/* Tells a detector, before its first check, what is counted. */
void ledger_tell(const struct ledger *ledger, struct detector *detector);

/* Goes on for another configuration of the same `state`; that of before may end then. */
void ledger_reload(struct ledger *ledger, const struct config *config);

/* Counts a fire (EVENT_FIRE) and writes the file on the disk thread. */
void ledger_note(struct ledger *ledger, const struct detector_event *event);

/* The incident that a fire opened is given up: it does not count. */
void ledger_withdraw(struct ledger *ledger, const struct detector_event *event);

/* An incident is complete and has so many bytes; told again, these count instead (with its report
 * it has more). wall_ms: when it was complete. And one takes none any more. Both write the file on
 * the disk thread. */
void ledger_store(struct ledger *ledger, const char *id, int64_t wall_ms, uint64_t bytes);
void ledger_unstore(struct ledger *ledger, const char *id);
bool ledger_has_stored(const struct ledger *ledger, const char *id);

/* limits.per_day at this moment: the bytes of the last 24 hours, and when (wall ms) there is room
 * again; 0: there is. */
struct ledger_day {
    uint64_t bytes, limit_bytes;
    int64_t room_wall_ms;
};
void ledger_day(struct ledger *ledger, struct ledger_day *day);

/* The incidents that were opened in the last hour: limits.per_hour at most. */
size_t ledger_hour(const struct ledger *ledger);

/* The file's text, and back. What is said of triggers that the configuration does not have is
 * dropped, and so are all but the newest limits.per_hour openings. Times are kept as wall time, ms
 * since 1970. ledger_parse: 0, or -1 with err and nothing changed. */
int ledger_parse(struct ledger *ledger, const char *text, size_t size, struct error *err);
char *ledger_text(const struct ledger *ledger);

#endif
