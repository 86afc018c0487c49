"""Writes pprof profiles (github.com/google/pprof/blob/main/proto/profile.proto) from stacks."""
import gzip

from wire import field, message, packed

CPU = [("samples", "count"), ("cpu", "nanoseconds")]
HEAP = [("alloc_objects", "count"), ("alloc_space", "bytes"),
        ("inuse_objects", "count"), ("inuse_space", "bytes")]
GOROUTINE = [("goroutine", "count")]


class Profile:
    """A profile that grows by stacks. A frame is a function's name, or (name, file, line), or an
    address that has no symbol."""

    def __init__(self, sample_types, time_s=0, seconds=0, period=None, default=None, binary="/app/site"):
        self.sample_types = sample_types
        self.time_s, self.seconds = time_s, seconds
        self.period = period  # (type, unit, number)
        self.default = default
        self.binary = binary
        self.strings = {"": 0}
        self.functions, self.locations, self.samples = {}, {}, []

    def string(self, text):
        return self.strings.setdefault(text, len(self.strings))

    def function(self, name, file):
        return self.functions.setdefault((name, file), len(self.functions) + 1)

    def location(self, frame):
        if isinstance(frame, int):
            key = (0, frame)
        else:
            name, file, line = frame if isinstance(frame, tuple) else (frame, "", 0)
            key = (self.function(name, file), line)
        return self.locations.setdefault(key, len(self.locations) + 1)

    def add(self, frames, *values, **labels):
        """Frames from the outermost to the leaf, as a person tells them."""
        stack = [self.location(frame) for frame in reversed(frames)]
        self.samples.append((stack, values, labels))
        return self

    def label(self, key, value):
        return message(3, field(1, self.string(key)) + field(2, self.string(value)))

    def encode(self):
        body = bytearray()
        for kind, unit in self.sample_types:
            body += message(1, self.value_type(kind, unit))
        for stack, values, labels in self.samples:
            sample = packed(1, stack) + packed(2, values)
            sample += b"".join(self.label(key, value) for key, value in labels.items())
            body += message(2, sample)
        if self.binary:
            flags = b"".join(field(tag, 1) for tag in (7, 8, 9))
            body += message(3, field(1, 1) + field(2, 0x400000)
                                + field(3, 0x900000)
                                + field(5, self.string(self.binary)) + flags)
        for (function, line), number in self.locations.items():
            address = 0x400000 + 16 * number if function else line
            lines = message(4, field(1, function) + field(2, line)) if function else b""
            body += message(4, field(1, number) + field(2, int(bool(self.binary)))
                                + field(3, address) + lines)
        for (name, file), number in self.functions.items():
            text = self.string(name)
            body += message(5, field(1, number) + field(2, text)
                                + field(3, text) + field(4, self.string(file)))
        tail = field(9, int(self.time_s * 1e9)) + field(10, int(self.seconds * 1e9))
        if self.period:
            kind, unit, count = self.period
            tail += message(11, self.value_type(kind, unit)) + field(12, count)
        if self.default:
            tail += field(14, self.string(self.default))
        strings = b"".join(message(6, text.encode("utf-8", "surrogateescape"))
                           for text in self.strings)
        return bytes(body) + strings + tail

    def value_type(self, kind, unit):
        return field(1, self.string(kind)) + field(2, self.string(unit))

    def write(self, path):
        data = gzip.compress(self.encode(), 6, mtime=0)
        with open(path, "wb") as file:
            file.write(data)
        return data


def cpu(stacks, time_s=0, seconds=25):
    """A CPU profile of (frames, seconds of CPU)."""
    profile = Profile(CPU, time_s, seconds, ("cpu", "nanoseconds", 10_000_000))
    for frames, busy_s in stacks:
        count = max(1, round(busy_s * 100))
        profile.add(frames, count, count * 10_000_000)
    return profile


def heap(stacks, time_s=0):
    """A heap profile of (frames, allocated bytes, bytes in use)."""
    profile = Profile(HEAP, time_s, 0, ("space", "bytes", 524288), "inuse_space")
    for frames, allocated, in_use in stacks:
        profile.add(frames, max(1, allocated // 512), allocated, in_use // 512, in_use)
    return profile


def goroutine(stacks, time_s=0):
    """A goroutine profile of (frames, how many)."""
    profile = Profile(GOROUTINE, time_s, 0, ("goroutine", "count", 1))
    for frames, count in stacks:
        profile.add(frames, count)
    return profile
