#!/usr/bin/env python3
"""Opens pgAdmin as a browser would, and checks that both servers are there and can be connected to.

    pg_admin.py URL

Types no password and no login. Exits with 1 and says what is missing.
"""

import http.cookiejar
import json
import re
import sys
import urllib.request

EXPECTED = {"production_data", "warehouse_data"}


class Browser:
    """Keeps cookies and pgAdmin's token between requests."""

    def __init__(self, base):
        self.base = base
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        # No proxy: this machine is asked.
        self.opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}))
        self.token = None

    def ask(self, path, body=None):
        request = urllib.request.Request(self.base + path, data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("X-pgA-CSRFToken", self.token)
        with self.opener.open(request, timeout=30) as answer:
            return answer.read().decode()

    def data(self, path, body=None):
        return json.loads(self.ask(path, body))["data"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    browser = Browser(sys.argv[1].rstrip("/"))
    page = browser.ask("/browser/")
    if "pgAdmin 4" not in page:
        sys.exit(f"this is not pgAdmin without a login: {page[:200]!r}")
    script = browser.ask("/browser/js/utils.js")
    browser.token = re.search(r"csrf_token'\] = '([^']+)'", script).group(1)

    found = set()
    for group in browser.data("/browser/server_group/nodes/"):
        for server in browser.data(f"/browser/server_group/children/{group['_id']}"):
            name, place = server["label"], f"{group['_id']}/{server['_id']}"
            connected = browser.data(f"/browser/server/connect/{place}", body={})
            if not connected.get("connected"):
                sys.exit(f"{name} could not be connected to: {connected}")
            databases = {node["label"] for node in browser.data(f"/browser/database/nodes/{place}/")}
            if name not in databases:
                sys.exit(f"{name} does not show its database: {databases}")
            found.add(name)
            print(f"{name}: connected as {connected.get('user', {}).get('name')}, {connected.get('version')}")
    if found != EXPECTED:
        sys.exit(f"pgAdmin lists {found}, not {EXPECTED}")


if __name__ == "__main__":
    main()
