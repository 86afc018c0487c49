"""Writes a CPU profile as Go's runtime would, of a service with many functions and many ways to reach them:
large_profile.py FILE MEGABYTES [SEED]. What samples are in is drawn from a random call graph."""

import gzip
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "e2e"))
from wire import field, message, varint  # noqa: E402

FUNCTIONS = 4000
DEPTH_MAX = 60
SMALL = 8  # every eighth function can be inlined


class Writer:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.strings = {"": 0}
        self.out = []
        self.functions = {}
        self.locations = {}
        self.calls = [self.random.sample(range(FUNCTIONS), self.random.choice([1, 2, 3, 5, 9]))
                      for _ in range(FUNCTIONS)]

    def string(self, text):
        return self.strings.setdefault(text, len(self.strings))

    def function(self, index):
        if index not in self.functions:
            self.functions[index] = len(self.functions) + 1
            package = index % 97
            name = self.string(f"example.com/service/internal/package{package}.(*Type{index % 13}).Method{index}")
            path = self.string(f"/src/service/internal/package{package}/file{index % 7}.go")
            self.out.append(message(5, field(1, self.functions[index]) + field(2, name) + field(3, name) +
                                    field(4, path)))
        return self.functions[index]

    def location(self, index, line):
        """One call in a function, into which a small function may have been inlined."""
        key = index, line
        if key not in self.locations:
            lines = [(self.function(index), 20 + line)]
            callee = self.calls[index][line]
            if callee % SMALL == 0:
                lines.insert(0, (self.function(callee), 12))
            self.locations[key] = len(self.locations) + 1
            self.out.append(message(4, field(1, self.locations[key]) + field(2, 1) +
                                    field(3, 0x400000 + index * 512 + line * 24) +
                                    b"".join(message(4, field(1, f) + field(2, at)) for f, at in lines)))
        return self.locations[key]

    def sample(self):
        stack, at = [], 0
        for _ in range(self.random.randrange(8, DEPTH_MAX)):
            way = min(int(self.random.expovariate(1.2)), len(self.calls[at]) - 1)
            stack.append(self.location(at, way))
            at = self.calls[at][way]
        count = min(int(self.random.expovariate(0.7)) + 1, 40)
        return message(2, message(1, b"".join(varint(i) for i in reversed(stack))) +
                       message(2, varint(count) + varint(count * 10000000)))

    def make(self, size):
        types = [("samples", "count"), ("cpu", "nanoseconds")]
        for kind, unit in types:
            self.out.append(message(1, field(1, self.string(kind)) + field(2, self.string(unit))))
        self.out.append(message(3, field(1, 1) + field(2, 0x400000) + field(3, 0x900000) +
                                field(5, self.string("/srv/service")) + field(7, 1)))
        count, step = 0, 1000
        while True:
            self.out += [self.sample() for _ in range(step)]
            count += step
            data = gzip.compress(self.finish(), 1, mtime=0)  # the level that Go takes
            if len(data) >= size:
                return data
            step = max(100, int((size - len(data)) / len(data) * count / 2))

    def finish(self):
        end = message(11, field(1, self.string("cpu")) + field(2, self.string("nanoseconds"))) + field(12, 10000000)
        end += field(9, 1700000000000000000) + field(10, 25000000000)
        return b"".join(self.out) + end + b"".join(message(6, text.encode()) for text in self.strings)


path, megabytes = sys.argv[1], float(sys.argv[2])
with open(path, "wb") as file:
    file.write(Writer(int(sys.argv[3]) if len(sys.argv) > 3 else 1).make(int(megabytes * 1000000)))
