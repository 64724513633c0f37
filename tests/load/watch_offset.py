"""Tells when a database had each offset: a line with the offset and time.monotonic for each.

A process of its own, since a program that is busy itself would look too late. Opens the file for
reading alone, and asks every millisecond whether somebody has committed something. Stops when
nobody holds its input open any more.
"""

import sqlite3
import sys
import threading
import time

LOOK_SECONDS = 0.001
_WANTED = "SELECT value FROM cursors WHERE name = 'telegram-update'"


def watch(database: str, over: threading.Event) -> None:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    version = last = 0
    while not over.wait(LOOK_SECONDS):
        # Cheap: it changes with each commit of somebody else.
        if (now := connection.execute("PRAGMA data_version").fetchone()[0]) == version:
            continue
        version, row = now, connection.execute(_WANTED).fetchone()
        if row is not None and row[0] > last:
            last = row[0]
            sys.stdout.write(f"{last} {time.monotonic()}\n")
            sys.stdout.flush()
    connection.close()


if __name__ == "__main__":
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    watch(sys.argv[1], ended)
