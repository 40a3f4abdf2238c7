"""What the measurements have in common: servers of their own, the bare pipe, medians."""

import argparse
import contextlib
import glob
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCRATCH = []
KALENDS = os.path.join(ROOT, "target/release/kalends")


def psql_program():
    """The real psql: Debian's /usr/bin/psql is a wrapper that takes 40 ms to start."""
    found = glob.glob("/usr/lib/postgresql/*/bin/psql") + glob.glob("/usr/pgsql-*/bin/psql")
    found.sort(key=lambda path: [int(part) for part in re.findall(r"\d+", path)])
    return found[-1] if found else shutil.which("psql")


class World:
    """Two private servers, an export folder, and the commands on them."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "KALENDS_LOCAL": os.path.join(folder, "servers"),
            "KALENDS_EXPORTS": os.path.join(folder, "exports"),
            "RANDOM_MAIN_CONTROLLER": "100",
        }
        self.psql_program = psql_program()

    def kalends(self, *arguments):
        done = subprocess.run([KALENDS, *map(str, arguments), "--json"], env=self.environment, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def psql(self, side, *arguments):
        server = self.kalends("local", "status")[side]["url"]
        return [self.psql_program, "-qX", "-v", "ON_ERROR_STOP=1", *arguments, server]

    def sql(self, side, sql):
        subprocess.run(self.psql(side, "-c", "SET client_min_messages = warning", "-c", sql), stdout=subprocess.DEVNULL, check=True)

    def start(self):
        self.kalends("local", "start")

    def stop(self):
        self.kalends("local", "stop")

    def empty_warehouse(self):
        self.sql("warehouse", "DROP SCHEMA IF EXISTS kalends, kalends_raw, kalends_stats CASCADE")
        # Put aside and not removed: ext4 takes no inode again within a minute of that, and looks long for others.
        with contextlib.suppress(FileNotFoundError):
            os.rename(self.environment["KALENDS_EXPORTS"], tempfile.mkdtemp(prefix="aside-", dir=self.folder))
        self.settle_down()

    def settle_down(self):
        for side in ("production", "warehouse"):
            self.sql(side, "CHECKPOINT")

    def pipe(self, table="entity", columns="created_at timestamp, value integer", of="production"):
        """Seconds of the limit: a table's rows into a plain one of the warehouse, by two psql."""
        self.sql("warehouse", f"DROP TABLE IF EXISTS plain; CREATE TABLE plain ({columns})")
        self.settle_down()
        out = self.psql(of, "-c", f"COPY {table} TO STDOUT (FORMAT binary)")
        into = self.psql("warehouse", "-c", "COPY plain FROM STDIN (FORMAT binary)")
        started = time.perf_counter()
        reader = subprocess.Popen(out, stdout=subprocess.PIPE)
        writer = subprocess.run(into, stdin=reader.stdout, check=True)
        reader.stdout.close()
        assert reader.wait() == 0 and writer.returncode == 0
        took = time.perf_counter() - started
        self.sql("warehouse", "DROP TABLE plain")
        return took


def scratch(text):
    """A file that holds the text, until the program ends."""
    file = tempfile.NamedTemporaryFile("w", suffix=".sql")
    file.write(text)
    file.flush()
    SCRATCH.append(file)
    return file.name


def survey_statement(*names, of=("schema=public", "table=entity", "with_ctids=true")):
    """The survey of the default table as psql takes it, in a file. `since=DAY` limits it to days from that one."""
    names = [*of, *names]
    days = subprocess.run(
        ["cargo", "run", "--quiet", "--release", "--example", "statement", "sql/accounts/days.sql", *names],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return scratch(days)


def fill(world, rows):
    """Rows in the order of their time over three years, as a table that grows has them."""
    world.sql("production", f"""
        DROP TABLE IF EXISTS entity;
        CREATE TABLE entity (created_at timestamp, value integer);
        INSERT INTO entity SELECT timestamp '2021-01-01' + n * (interval '1095 days' / {rows}), 100 + (n * 7919::bigint) % 301
        FROM generate_series(0, {rows} - 1) AS n""")
    world.sql("production", "VACUUM ANALYZE entity")


def with_peak_memory(world, command="prepare"):
    """A command's report, and the most memory it held, in MiB, by the operating system's account."""
    process = subprocess.Popen([KALENDS, command, "--json"], env=world.environment, stdout=subprocess.PIPE)
    report = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    unit = 1024 * 1024 if platform.system() == "Darwin" else 1024
    return report, usage.ru_maxrss / unit


def timed(command, environment):
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def show(what, limit, figures, limits):
    ratios = [figure / of for figure, of in zip(figures, limits)]
    def spread(values):
        return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
    print(what)
    print(f"    seconds        {spread(figures)}")
    print(f"    {limit:<14} {spread(limits)}")
    print(f"    ratio          {spread(ratios)}   [{len(figures)} runs]", flush=True)


def machine(world):
    version = subprocess.run([world.psql_program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    memory_gib = resource.getpagesize() * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, load {load:.1f}; {version}", flush=True)


def main(parts, doc, world_of=World, rows=10_000_000):
    """Measures the parts that were named, or all of them; each is called with the world and what was typed."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("what", nargs="*", choices=[[], *parts], default=[])
    typed = parser.parse_args()
    if not os.access(KALENDS, os.X_OK):
        sys.exit("build it first: cargo build --release")
    with tempfile.TemporaryDirectory(prefix="kalends-bench-") as folder:
        # The servers' user has to reach it when root runs this.
        os.chmod(folder, 0o755)
        world = world_of(folder)
        with contextlib.ExitStack() as at_end:
            at_end.callback(world.stop)
            world.start()
            machine(world)
            for name in typed.what or parts:
                parts[name](world, typed)
