"""Healthy: pgAdmin answers, and lists both databases.

pg_admin_health.py            says what is wrong and ends with 1, or says nothing
pg_admin_health.py stored     says what pgAdmin's own database is: whole, without our servers, half made, or not to be read
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import sys
import urllib.request

STORED = "file:/var/lib/pgadmin/pgadmin4.db?mode=ro"


class HalfMade(Exception):
    pass


def missing():
    """The names of the servers that pgAdmin should list and does not. HalfMade where its first start was cut short."""
    expected = json.loads(pathlib.Path(os.environ["PGADMIN_SERVER_JSON_FILE"]).read_text(encoding="utf-8"))["Servers"]
    with contextlib.closing(sqlite3.connect(STORED, uri=True, timeout=5)) as stored:
        tables = {name for (name,) in stored.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"user", "server"} <= tables or not stored.execute('SELECT count(*) FROM "user"').fetchone()[0]:
            raise HalfMade
        listed = {host for (host,) in stored.execute("SELECT host FROM server")}
    return sorted(server["Name"] for server in expected.values() if server["Host"] not in listed)


def stored():
    try:
        return "without" if missing() else "whole"
    except HalfMade:
        return "half"
    except sqlite3.Error:
        return "unreadable"


def main():
    if sys.argv[1:] == ["stored"]:
        print(stored())
        return
    port = os.environ["PGADMIN_LISTEN_PORT"]
    # No proxy: this container is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"http://127.0.0.1:{port}/misc/ping", timeout=5).close()
    except OSError as failure:
        sys.exit(f"pgAdmin does not answer: {failure}")
    try:
        lacking = missing()
    except (HalfMade, sqlite3.Error) as failure:
        sys.exit(f"pgAdmin's own database is not whole: {failure}")
    if lacking:
        sys.exit(f"pgAdmin does not list {', '.join(lacking)}; start this service again: it lists them anew")


if __name__ == "__main__":
    main()
