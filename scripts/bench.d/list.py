#!/usr/bin/python3
"""`stakeout list` over a bucket of 100,000 incidents that takes 20 ms for each answer: prints, in ms, the time to the
first row of all and of the last day, the LIST and GET requests for the latter, the time to the first page of `stakeout
review`, and, in kB, the RSS of `list` after 1,000 rows and after ROWS.

    list.py STAKEOUT MANY-STORE ROWS [COUNT]
"""
import os
import re
import subprocess
import sys
import time
import urllib.request

DELAY_MS = 20


def resident_kb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def first_row_ms(command, rows=0):
    """The time, and RSS after 1,000 and after that many rows; then nobody reads any more."""
    begin = time.monotonic()
    sizes = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as listing:
        listing.stdout.readline()
        assert listing.stdout.readline(), "there is a row"
        took_ms = (time.monotonic() - begin) * 1000
        for row in range(2, rows + 1):
            assert listing.stdout.readline(), f"there are {rows} rows"
            if row in (1000, rows):
                sizes.append(resident_kb(listing))
    return took_ms, sizes


def first_page_ms(command):
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as review:
        address = re.search(r"http://\S+", review.stdout.readline())[0]
        page = b""
        while b'<li class="group"' not in page:
            with urllib.request.urlopen(address) as answer:
                page = answer.read()
        took_ms = (time.monotonic() - begin) * 1000
        review.terminate()
    return took_ms


def main():
    program, store, rows = sys.argv[1:4]
    count = sys.argv[4] if len(sys.argv) > 4 else "100000"
    os.environ.update(AWS_ACCESS_KEY_ID="AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY="secret", AWS_REGION="us-east-1")
    os.environ.pop("AWS_SESSION_TOKEN", None)
    with subprocess.Popen([sys.executable, store, count, "--delay", str(DELAY_MS)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        endpoint = server.stdout.readline().strip()
        where = ["--endpoint", endpoint, "s3://bucket"]
        day = subprocess.run([program, "list", "--since", "1d", "--verbose", *where], text=True, check=True,
                             capture_output=True)
        lists, gets = re.search(r"(\d+) LIST and (\d+) GET requests", day.stderr).groups()
        day_ms, _ = first_row_ms([program, "list", "--since", "1d", *where])
        review_ms = first_page_ms([program, "review", "--listen", "127.0.0.1:0", *where])
        all_ms, sizes = first_row_ms([program, "list", *where], int(rows))
        server.stdin.close()
    print(f"{all_ms:.0f} {day_ms:.0f} {lists} {gets} {review_ms:.0f} {sizes[0]} {sizes[-1]}")


if __name__ == "__main__":
    main()
