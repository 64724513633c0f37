"""Prints when a database had each offset: one line with the offset and time.monotonic.

It is a process of its own, since a busy process would read too late. It opens the file read-only
and checks every millisecond for a commit. It stops when its standard input is closed.
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
        # Cheap: it changes with each commit of another connection.
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
