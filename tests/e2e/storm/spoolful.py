"""Incidents as a run of the agent leaves them in its spool, of noise, which nothing makes smaller."""
import hashlib
import os

import incident_maker

MIB = 1 << 20
PART = 8 * MIB       # of an upload in parts
LARGEST = 48 * MIB   # below limits.profile
PIECE = MIB


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_noise(path, size, chance):
    """Its SHA-256."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for at in range(0, size, PIECE):
            piece = chance.randbytes(min(PIECE, size - at))
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def profile(folder, name, size, chance, fired_s):
    path = os.path.join(folder, f"{name}.pb.gz")
    sha256 = write_noise(path, size, chance)
    return {"name": name, "file": f"{name}.pb.gz", "status": "ok", "http_status": 200, "bytes": size,
            "sha256": sha256, "attempts": 1, "error": None, "requested": incident_maker.rfc3339(fired_s),
            "finished": incident_maker.rfc3339(fired_s + 2),
            "url": f"http://localhost:8001/debug/pprof/{name}"}


def heap_sizes(total, chance):
    """Of all sizes from 64 KiB on, on a logarithmic scale, and most of the bytes in those that are
    sent in parts; together about so many bytes, two or more large ones among them."""
    sizes = [PART + 12345, 2 * PART]
    while sum(sizes) < total:
        most = min(LARGEST, max(2 * PART, total // 4))
        sizes.append(int(2 ** (16 + chance.random() * (most.bit_length() - 16))))
    return sizes


def fill(spool, service, total, chance):
    """Incidents of about so many bytes together. Returns what is to be stored: key below the prefix
    to SHA-256; and the bytes."""
    expected, written = {}, 0
    for number, size in enumerate(heap_sizes(total, chance)):
        fired_s = incident_maker.NEWEST_S + 61 * number
        name = incident_maker.incident_id(fired_s, "full", service)
        folder = os.path.join(spool, name)
        os.makedirs(folder)
        profiles = [profile(folder, "heap", size, chance, fired_s),
                    profile(folder, "cpu", chance.randrange(20_000, 300_000), chance, fired_s),
                    profile(folder, "goroutine", chance.randrange(1_000, 90_000), chance, fired_s)]
        rows = "".join(f"{fired_s - 300 + second}.000,{chance.random() * 100:.3f}\n" for second in range(330))
        with open(os.path.join(folder, "metrics.csv"), "w", encoding="ascii") as file:
            file.write("time,cpu\n" + rows)
        incident_maker.store_json(folder, {
            "schema": 1, "id": name, "service": service, "app": "app", "kind": "spike",
            "trigger": {"name": "full", "metric": "cpu", "value": 93.1, "limit": 80, "reason": "cpu above 80%"},
            "onset": incident_maker.rfc3339(fired_s - 5), "fired": incident_maker.rfc3339(fired_s),
            "finished": incident_maker.rfc3339(fired_s + 3), "agent": {"version": "0.1.0"}, "target": {},
            "profiles": profiles, "metrics": {"file": "metrics.csv", "peak": {"cpu": 97.2}}})
        for file in os.listdir(folder):
            path = os.path.join(folder, file)
            expected[f"{incident_maker.folder_of('', service, name)}/{file}"] = sha256_of(path)
            written += os.path.getsize(path)
    return expected, written
