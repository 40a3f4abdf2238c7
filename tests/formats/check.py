#!/usr/bin/env python3
"""Compares the files of all formats with the warehouse, exactly, through readers that are not ours.

    check.py KALENDS FOLDER SEED

Draws entities with random columns and rows, publishes them in all formats and in both layouts, and reads each level
back with DuckDB, pyarrow and Python's own gzip and json. What is compared are exact decimals, never floats, and the
sums that DuckDB makes of them. The queries of docs/reference/files.md are run as they are written. Exits with 1 and
says what differs.
"""

import datetime
import glob
import gzip
import json
import os
import pathlib
import random
import re
import subprocess
import sys
from collections import Counter
from decimal import Decimal, getcontext

import duckdb
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

getcontext().prec = 400

ENTITIES = 3
ROWS = 100
FORMATS = ["csv", "csv.gz", "jsonl", "parquet"]
STATISTICS = ["sum", "min", "max", "mean", "count", "stddev"]
# The columns of a level's period, and the folders that it has in the layout of Hive.
LEVELS = {
    "hour": ("hourly", ["year", "month", "day", "hour"], ["year", "month"]),
    "day": ("daily", ["year", "month", "day"], ["year", "month"]),
    "week": ("weekly", ["iso_year", "week"], ["iso_year", "week"]),
    "month": ("monthly", ["year", "month"], ["year", "month"]),
    "quarter": ("quarterly", ["year", "quarter"], ["year", "quarter"]),
    "year": ("yearly", ["year"], ["year"]),
}
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference" / "files.md"
TEXTS = [None, "", "a", "B", "'", "=1+1", 'say "x"', "a,b", "two\nlines", "tab\there", "ü€😀", " ", "NULL", "\\N"]


def digits(draw, most):
    return draw.randrange(10 ** draw.randint(0, most))


def measures(draw):
    """Types of measures, each with a function that draws a value as SQL, and the scale of exact ones."""
    precision = draw.randint(1, 25)
    scale = draw.randint(0, min(precision, 12))

    def exact():
        number = digits(draw, precision)
        text = f"{number:0{scale + 1}d}"
        return draw.choice(["", "-"]) + (f"{text[:-scale]}.{text[-scale:]}" if scale else text)

    return {
        f"numeric({precision}, {scale})": exact,
        "numeric": lambda: draw.choice(["1e130", "0.1", "-1e-20", "'NaN'", "'Infinity'", str(digits(draw, 60))]),
        "smallint": lambda: str(draw.randint(-(2**15), 2**15 - 1)),
        "integer": lambda: str(draw.randint(-(2**31), 2**31 - 1)),
        "bigint": lambda: f"'{draw.choice([draw.randint(-(2**63), 2**63 - 1), -(2**63), 2**63 - 1])}'",
        "real": lambda: f"'{draw.choice([0.1, -2.5e-38, 3e38, 'NaN', 16777217])}'",
        "double precision": lambda: f"'{draw.choice([0.1, 0.2, 1e300, '-Infinity', 5e-324])}'",
    }


def quoted(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


class Entity:
    """An entity with random columns, and its rows."""

    def __init__(self, draw, number):
        self.name = f"shop {number}" if number % 2 else f"orders{number}"
        self.table = f"t{number}"
        self.zone = draw.choice([None, "Europe/Paris"])
        kinds = list(measures(draw).items())
        self.measures = [(f"m{at}", *kind) for at, kind in enumerate(draw.sample(kinds, draw.randint(1, 4)))]
        if not any(kind.startswith("numeric(") for _, kind, _ in self.measures):
            self.measures.append(("amount", *kinds[0]))
        self.dimensions = [f"d{at}" for at in range(draw.randint(0, 2))]
        self.levels = [level for level in LEVELS if draw.random() < 0.6] or ["day"]
        self.begin = draw.choice([datetime.datetime(2023, 12, 20), datetime.datetime(9999, 11, 1)])

    @classmethod
    def of_the_page(cls, draw):
        """The one that docs/reference/files.md speaks of."""
        orders = cls(draw, ENTITIES)
        amount = lambda: f"{draw.randrange(10**10)}.{draw.randrange(100):02}"
        orders.name, orders.measures, orders.zone = "orders", [("amount", "numeric(12, 2)", amount)], None
        orders.levels, orders.begin = ["day", "month"], datetime.datetime(2023, 12, 20)
        return orders

    def create(self, draw):
        time = "timestamptz" if self.zone else "timestamp"
        columns = [f"at {time}", *(f"{name} {kind}" for name, kind, _ in self.measures)]
        columns += [f"{name} text" for name in self.dimensions]
        rows = []
        for _ in range(ROWS):
            moment = self.begin + datetime.timedelta(minutes=draw.randrange(60 * 24 * 45))
            values = [f"'{moment}'", *("NULL" if draw.random() < 0.2 else value() for _, _, value in self.measures)]
            values += [quoted(draw.choice(TEXTS)) for _ in self.dimensions]
            rows.append(f"({', '.join(values)})")
        return f"CREATE TABLE {self.table} ({', '.join(columns)}); INSERT INTO {self.table} VALUES {', '.join(rows)};"

    def section(self, layout):
        lines = [
            "[[entity]]",
            f"name = {json.dumps(self.name)}",
            f'table = "{self.table}"',
            'time = "at"',
            f"measures = {json.dumps([name for name, _, _ in self.measures])}",
            f"dimensions = {json.dumps(self.dimensions)}",
            f"statistics = {json.dumps(STATISTICS)}",
            f"levels = {json.dumps(self.levels)}",
            f"formats = {json.dumps(FORMATS)}",
            f'layout = "{layout}"',
        ]
        return "\n".join(lines + ([f'time_zone = "{self.zone}"'] if self.zone else [])) + "\n"

    def figures(self):
        return [f"{statistic}_{name}" for name, _, _ in self.measures for statistic in STATISTICS]

    def columns(self, level):
        return [*LEVELS[level][1], *self.dimensions, *self.figures()]

    def file_name(self):
        return self.name.replace(" ", "%20")


def main():
    kalends, folder, seed = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    print(f"seed {seed}")
    draw = random.Random(seed)
    entities = [*(Entity(draw, number) for number in range(ENTITIES)), Entity.of_the_page(draw)]

    def run(*arguments):
        done = subprocess.run([kalends, *arguments], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"kalends {' '.join(arguments[:3])}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ask(sql):
        answer = run("local", "psql", "warehouse", "--", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql)
        return [json.loads(line) for line in answer.splitlines()]

    (folder / "rows.sql").write_text("".join(entity.create(draw) for entity in entities))
    run("local", "psql", "production", "--", "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(folder / "rows.sql"))
    compared = Counter()
    for layout in ["tree", "hive"]:
        (folder / "kalends.toml").write_text("".join(entity.section(layout) for entity in entities))
        run("run")
        run("verify")
        for entity in entities:
            for level in entity.levels:
                names = entity.columns(level)
                texts = ", ".join(f'"{name}"::text' for name in [*names, "period_start"])
                view = f'kalends_stats."{entity.name}_stats_{LEVELS[level][0]}"'
                rows = ask(f"SELECT json_build_array({texts}) FROM {view}")
                files = Level(folder / "exports", layout, entity, level, names)
                files.check(rows, compared)
                if (entity.name, level, layout) == ("orders", "day", "hive"):
                    files.check_the_page(rows, folder)
    for what, count in sorted(compared.items()):
        print(f"{count:>8,} {what}")


def same(what, found, expected):
    """Both as many times, whatever their order."""
    found, expected = Counter(map(tuple, found)), Counter(map(tuple, expected))
    if found != expected:
        lacking, more = list((expected - found).items())[:3], list((found - expected).items())[:3]
        sys.exit(f"{what} differs\n lacks: {lacking}\n has:   {more}")


def exact(value):
    """A value of any reader as what it says: NULL, a text, a date, or a number without zeros at its end."""
    if value is None or isinstance(value, (datetime.date, datetime.datetime)):
        return value
    if isinstance(value, float):
        return "NaN" if value != value else f"binary {value!r}"
    return Decimal(value).normalize() if isinstance(value, (int, Decimal)) else value


class Level:
    """The files of a level of an entity, in all formats."""

    def __init__(self, exports, layout, entity, level, names):
        self.layout, self.entity, self.level, self.names = layout, entity, level, names
        self.adverb, self.keys, self.folders = LEVELS[level]
        self.exports = exports

    def root(self, format):
        return self.exports / self.entity.file_name() / format / self.adverb

    def glob(self, format):
        name = f"{self.entity.file_name()}_stats_{self.adverb}_*.{format}"
        if self.layout == "tree":
            return str(self.exports / "**" / name)
        return str(self.root(format).joinpath(*(f"{folder}=*" for folder in self.folders), f"*.{format}"))

    def files(self, format):
        found = sorted(glob.glob(self.glob(format), recursive=True))
        if not found:
            sys.exit(f"no file of {self.glob(format)}")
        return found

    def check(self, rows, compared):
        self.what = f"{self.entity.name}, {self.level}, {self.layout}"
        expected = [dict(zip([*self.names, "period_start"], row)) for row in rows]
        counted = {format: len(self.files(format)) for format in FORMATS}
        if len(set(counted.values())) != 1:
            sys.exit(f"{self.what}: {counted}")
        self.check_gzip()
        self.check_json(expected)
        self.check_parquet(expected)
        self.check_duckdb(expected)
        compared["lines, in four formats each"] += len(expected)
        compared["files"] += sum(counted.values())

    def check_gzip(self):
        for path in self.files("csv.gz"):
            csv = pathlib.Path(path.removesuffix(".gz").replace("/csv.gz/", "/csv/")).read_bytes()
            if gzip.decompress(pathlib.Path(path).read_bytes()) != csv:
                sys.exit(f"{path} is not what its CSV file is")

    def check_json(self, expected):
        """Python's json can keep all digits."""

        def said(name, text):
            number = name not in self.entity.dimensions and text not in (None, "NaN", "Infinity", "-Infinity")
            return Decimal(text) if number else text

        found = []
        for path in self.files("jsonl"):
            # Not splitlines(): a text may hold other ends of lines.
            for line in pathlib.Path(path).read_text().split("\n")[:-1]:
                row = json.loads(line, parse_float=Decimal, parse_int=Decimal)
                if list(row) != self.names:
                    sys.exit(f"{path}: {list(row)}")
                found.append(row.values())
        same(f"jsonl of {self.what}", found, [[said(name, row[name]) for name in self.names] for row in expected])

    def said(self, name, text, kind):
        """What a column of a type is to have."""
        if text is None:
            return None
        if pyarrow.types.is_date(kind):
            return datetime.date.fromisoformat(text)
        if pyarrow.types.is_timestamp(kind):
            return datetime.datetime.fromisoformat(text)
        if pyarrow.types.is_float32(kind):
            return exact(pyarrow.scalar(float(text), pyarrow.float32()).as_py())
        if pyarrow.types.is_float64(kind):
            return exact(float(text))
        return text if pyarrow.types.is_string(kind) else exact(Decimal(text))

    def check_parquet(self, expected):
        """pyarrow: the same types in all files, statistics and dictionaries, and exact values."""
        schema, found = None, []
        for path in self.files("parquet"):
            file = pyarrow.parquet.ParquetFile(path)
            schema = schema or file.schema_arrow
            if file.schema_arrow != schema:
                sys.exit(f"{path} has other types: {file.schema_arrow}")
            group = file.metadata.row_group(0)
            for column in map(group.column, range(group.num_columns)):
                if not (column.is_stats_set and any("DICTIONARY" in one for one in column.encodings)):
                    sys.exit(f"{path}: {column.path_in_schema} has no statistics or no dictionary")
            found += [[exact(value) for value in row.values()] for row in file.read().to_pylist()]
        self.check_types(schema)
        kinds = dict(zip(schema.names, schema.types))
        rows = [[self.said(name, row[name], kinds[name]) for name in kinds] for row in expected]
        same(f"parquet of {self.what}", found, rows)
        self.schema = schema
        if self.layout == "hive":
            whole = pyarrow.dataset.dataset(self.root("parquet"), partitioning="hive").to_table()
            if whole.num_rows != len(expected):
                sys.exit(f"parquet of {self.what}: a data set of {whole.num_rows} rows")

    def check_types(self, schema):
        if schema.names != [*self.names, "period_start"]:
            sys.exit(f"{self.what}: {schema.names}")
        start = pyarrow.timestamp("ms") if self.level == "hour" else pyarrow.date32()
        if schema.field("period_start").type != start:
            sys.exit(f"{self.what}: period_start is {schema.field('period_start').type}")
        for name, kind, _ in self.entity.measures:
            found = schema.field(f"sum_{name}").type
            scale = int(kind.split(",")[1].strip(" )")) if "(" in kind else 0
            whole = kind in ("smallint", "integer", "bigint") or "(" in kind
            if found != (pyarrow.decimal128(38, scale) if whole else pyarrow.string()):
                sys.exit(f"{self.what}: the sum of a {kind} is {found}")

    def check_duckdb(self, expected):
        """DuckDB: the globs as they are, and its own sums."""
        hive = self.layout == "hive"
        types = ", ".join(f"'{folder}': INTEGER" for folder in self.folders)
        how = f", hive_partitioning = true, hive_types = {{{types}}}" if hive else ", hive_partitioning = false"
        path = self.glob("parquet").replace("'", "''")
        parquet = f"read_parquet('{path}'{how})"
        kinds = dict(zip(self.schema.names, self.schema.types))
        rows = [[self.said(name, row[name], kinds[name]) for name in kinds] for row in expected]
        names = ", ".join(f'"{name}"' for name in kinds)
        same(f"parquet of {self.what} in DuckDB", self.answers(f"SELECT {names} FROM {parquet}"), rows)

        sums = [name for name in self.names if name.startswith("sum_") and pyarrow.types.is_decimal(kinds[name])]
        # It guesses what is not said: it takes the mark against formulas for a quote, and an infinity for a date.
        csv_types = {name: "BIGINT" if name in self.keys else "VARCHAR" for name in self.names}
        csv_types |= {name: f"DECIMAL(38, {kinds[name].scale})" for name in sums}
        csv_types = ", ".join(f"'{name}': '{kind}'" for name, kind in csv_types.items())
        said = f""", header = true, delim = ',', quote = '"', escape = '"', types = {{{csv_types}}}"""
        for format in ["csv", "csv.gz"]:
            texts = self.glob(format).replace("'", "''")
            csv = f"read_csv('{texts}'{how}{said})"
            self.check_sums(f"{format} of {self.what}", csv, sums, expected)
        self.check_sums(f"parquet of {self.what}", parquet, sums, expected)

    def check_sums(self, what, table, sums, expected):
        totals = "".join(f', sum("{name}")' for name in sums)
        key = self.keys[0]
        found = self.answers(f'SELECT "{key}", count(*){totals} FROM {table} GROUP BY 1')
        groups = {}
        for row in expected:
            groups.setdefault(int(row[key]), []).append(row)

        def total(rows, name):
            values = [Decimal(row[name]) for row in rows if row[name] is not None]
            return exact(sum(values)) if values else None

        wanted = []
        for year, rows in groups.items():
            wanted.append([exact(year), exact(len(rows)), *(total(rows, name) for name in sums)])
        same(f"the sums of {what} in DuckDB", found, wanted)

    def check_the_page(self, rows, folder):
        """The queries of the page, from the folder that they are written for."""
        section = PAGE.read_text().split("### The layout of Hive")[1].split("\n### ")[0]
        code = "".join(re.findall(r"^    (.*\n)", section, re.M))
        queries = [query.strip() for query in code.split(";") if query.strip()]
        if len(queries) != 2:
            sys.exit(f"{PAGE} has {len(queries)} queries")
        os.chdir(folder)
        of = {name: at for at, name in enumerate(self.names)}
        january = [row for row in rows if row[of["month"]] == "1" and row[of["sum_amount"]] is not None]
        sums = Counter()
        for row in january:
            sums[tuple(row[of[name]] for name in self.keys)] += Decimal(row[of["sum_amount"]])
        same("the first query of the page", self.answers(queries[0]), [[exact(sum(sums.values()))]])
        # DuckDB takes a padded month for a text.
        days = []
        for (year, month, day), total in sums.items():
            days.append([exact(int(year)), f"{month:0>2}", exact(int(day)), exact(total)])
        found = [row for row in self.answers(queries[1]) if row[-1] is not None]
        same("the second query of the page", found, days)

    def answers(self, sql):
        with duckdb.connect() as database:
            return [[exact(value) for value in row] for row in database.sql(sql).fetchall()]


if __name__ == "__main__":
    main()
