"""PostgreSQL servers for measurements, on TCP of this machine, with the settings that come with them."""

import glob
import os
import pwd
import re
import shutil
import socket
import subprocess


def programs():
    """The folder of the newest PostgreSQL's programs."""
    found = glob.glob("/usr/lib/postgresql/*/bin") + (
        [os.path.dirname(shutil.which("initdb"))] if shutil.which("initdb") else []
    )
    return sorted(found, key=lambda path: int((re.findall(r"\d+", path) or ["0"])[0]))[-1]


class Server:
    """A server of its own, that nobody else uses. `settings` come on top of those that `initdb` writes."""

    def __init__(self, folder, name, programs_folder=None, settings=""):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.programs = programs_folder or programs()
        self.data, self.user = os.path.join(folder, name), {}
        os.mkdir(self.data)
        if os.getuid() == 0:
            # Servers refuse to run as root.
            owner = pwd.getpwnam("postgres")
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
            self.user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.run(
            "initdb",
            "--username=bench",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "-D",
            self.data,
        )
        with open(os.path.join(self.data, "postgresql.conf"), "a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n{settings}")
        self.run("pg_ctl", "-w", "-D", self.data, "-l", os.path.join(self.data, "log"), "start")
        self.url = self.url_of("postgres")
        self.dsn = f"host=127.0.0.1 port={self.port} user=bench dbname=postgres"

    def url_of(self, database):
        return f"postgresql://bench:unused@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def run(self, program, *arguments):
        subprocess.run(
            [os.path.join(self.programs, program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **self.user,
        )

    def psql(self, *arguments, database="postgres"):
        program = os.path.join(self.programs, "psql")
        return [program, "-qXAt", "-v", "ON_ERROR_STOP=1", *arguments, self.url_of(database)]

    def ask(self, sql, database="postgres"):
        command = self.psql("-c", sql, database=database)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "fast", "stop")
