"""What came of the storm: what must hold, whether it does, and the tables of docs/storm.md."""
import dataclasses

from storm import fleet

GROWTH_MOST = 2_000_000  # bytes


@dataclasses.dataclass(frozen=True)
class Point:
    """Something that must hold. `seen` is a text."""
    what: str
    holds: bool
    seen: str
    wrong: tuple = ()  # what is to be looked at when it does not hold


def delivery_points(found):
    kib = found.growth["peak"]
    return [
        Point("every object is there, byte for byte (awscli, SHA-256)", not found.wrong,
              f"{found.objects - len(found.wrong)} of {found.objects}", tuple(found.wrong)),
        Point("nothing else is there", not found.surplus, f"{len(found.surplus)} others", tuple(found.surplus)),
        Point("no object was written twice (`If-None-Match`)", not found.again,
              f"{len(found.again)}; {found.weather.get('answers 412', 0)} times a try found it there",
              tuple(found.again)),
        Point("no upload in parts is left behind", not found.uploads,
              f"{len(found.uploads)}; answers to the beginning of one that were cut: {found.lost_beginnings}",
              tuple(found.uploads)),
        Point("the agent, once it has spoken to its store, grows by less than 2 MB at its peak (resident memory)",
              kib * 1024 < GROWTH_MOST,
              f"{kib} KiB"),
        Point("it goes on sampling", not found.missed, f"{found.missed} of {found.ticks} ticks missed"),
    ]


def fleet_points(found, down):
    others = found.agents - fleet.SLOTS
    points = [
        Point("every agent saw the spike", found.fired == found.agents,
              f"{found.fired} of {found.agents}, within {found.within_s:.1f} s"),
        Point("incidents that are no duplicates", found.taken == fleet.SLOTS and not found.unmarked,
              f"{found.taken + len(found.unmarked)}", tuple(found.unmarked)),
        Point("nothing is lost, nothing is nobody's", not found.lost and not found.nobodys,
              f"{len(found.lost)} lost, {len(found.nobodys)} of nobody's", tuple(found.lost + found.nobodys)),
    ]
    if down:
        return points + [Point("all others are stored and marked as duplicates", found.duplicates == others,
                               f"{found.duplicates} of {others}")]
    return points + [Point("all others are given up, or marked as duplicates",
                           found.given_up + found.duplicates == others,
                           f"{found.given_up} given up, {found.slowest_s:.1f} s after the fire at most; "
                           f"{found.duplicates} duplicates")]


def table(points):
    rows = [f"| {point.what} | {'yes' if point.holds else '**no**'} | {point.seen} |" for point in points]
    return "\n".join(["| what must hold | holds | seen |", "| --- | --- | --- |", *rows])


def percent(part, whole):
    return f"{part} ({100 * part / whole:.1f}%)" if whole else str(part)


def delivery_text(found):
    weather = found.weather
    broken = {what: weather.get(f"broken {what}", 0) for what in ("before TLS", "in a request", "in an answer")}
    details = ", ".join(f"{number} {what}" for what, number in broken.items())
    return f"""## A spool full of incidents

{found.bytes / 1e6:.0f} MB in {found.incidents} incidents, and {found.live} that were caught meanwhile:
{found.objects} objects, {found.in_parts} of them in parts; stored after {found.took_s:.0f} s. The way:

- {weather.get('requests', 0)} requests on {weather.get('connections', 0)} connections, of which
  {percent(sum(broken.values()), weather.get('connections', 0))} were broken: {details}.
- {percent(weather.get('answers 503', 0), weather.get('requests', 0))} requests were answered 503.
- {found.tokens} session tokens were handed out;
  {weather.get('answers ExpiredToken', 0)} requests came with one that was over.

{table(delivery_points(found))}

Memory, in KiB, once all is stored: {found.resident_kb} resident.

| since | resident | at its peak | of these, code of libraries | private and written to |
| --- | --- | --- | --- | --- |
| the store was first spoken to | {growth_row(found.growth)} |
| before the first connection over TLS | {growth_row(found.cold_growth)} |
{again_text(found)}"""


def growth_row(growth):
    return " | ".join(f"{growth[name]:+}" for name in ("resident", "peak", "files", "written"))


def again_text(found):
    if not found.joined_again:
        return ""
    return (f"\nOf the objects in parts, {len(found.joined_again)} were put together twice, from the same bytes: Ceph's "
            "radosgw 16 knows no\ncondition there, and the answer to the first time was cut.\n")


def copies(found):
    return ", ".join(str(number) for number in sorted(found.seen_by))


def fleet_text(up, down):
    return f"""## {up.agents} agents that spike at once

With the store there. All is settled {up.took_s:.0f} s after the spike, whose three incidents say that
{copies(up)} copies saw it; the largest agent has {up.most_kb / 1024:.1f} MiB resident at most.

{table(fleet_points(up, False))}

With the store down at the time. All is stored {down.took_s:.0f} s after it came back; those that are no duplicates say
that {copies(down)} copies saw it, as the others tell of it only when they reach the store themselves.

{table(fleet_points(down, True))}
"""
