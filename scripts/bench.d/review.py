#!/usr/bin/python3
"""Starts `stakeout review` over a folder: prints the ms to its first page and until all is read, and its RSS in kB."""
import re
import subprocess
import sys
import time
import urllib.request


def main():
    program, folder = sys.argv[1:]
    begin = time.monotonic()
    with subprocess.Popen([program, "review", "--listen", "127.0.0.1:0", folder], text=True,
                          stdout=subprocess.PIPE) as review:
        address = re.search(r"http://\S+", review.stdout.readline())[0]
        page = first_ms = None
        while not page or b'data-complete="1"' not in page:
            if page:
                time.sleep(0.2)  # as a browser, which asks once in a while
            with urllib.request.urlopen(address) as answer:
                page = answer.read()
            if first_ms is None:
                first_ms = (time.monotonic() - begin) * 1000
                assert b'<li class="group"' in page, "the first page shows something"
        all_ms = (time.monotonic() - begin) * 1000
        with open(f"/proc/{review.pid}/status", encoding="ascii") as file:
            rss_kb = re.search(r"VmRSS:\s+(\d+)", file.read())[1]
        review.terminate()
    print(f"{first_ms:.0f} {all_ms:.0f} {rss_kb}")


if __name__ == "__main__":
    main()
