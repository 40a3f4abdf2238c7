#!/usr/bin/env python3
"""Compares the files of all formats with the warehouse, exactly, through readers that are not ours.

    check.py KALENDS FOLDER SEED

Draws entities with random columns and rows, publishes them in all formats and in both layouts, and reads each level
back with DuckDB, pyarrow and Python's own gzip and json, and those of the layout of Hive with Spark, if there is
pyspark. What is compared are exact decimals, never floats, and the sums that DuckDB and Spark make of them. The
examples of docs/reference/files.md are run as they are written. Exits with 1 and says what differs.
"""

import datetime
import glob
import gzip
import importlib.util
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

from entities import ENTITIES, FORMATS, LEVELS, Entity

Spark = None
if importlib.util.find_spec("pyspark"):
    from spark import Spark

getcontext().prec = 400

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference" / "files.md"


def main():
    kalends, folder, seed = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    print(f"seed {seed}")
    # The examples of the page name files from here.
    os.chdir(folder)
    spark = Spark() if Spark else print("Spark is not tried: there is no pyspark")
    draw = random.Random(seed)
    entities = [*(Entity(draw, number) for number in range(ENTITIES)), Entity.of_the_page(draw)]

    def run(*arguments):
        done = subprocess.run([kalends, *arguments], capture_output=True, text=True)
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
                files.check(rows, spark, compared)
                if (entity.name, level, layout) == ("orders", "day", "hive"):
                    files.check_the_page(rows, spark)
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


def plain(rows):
    return [[exact(value) for value in row] for row in rows]


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

    def check(self, rows, spark, compared):
        self.what = f"{self.entity.name}, {self.level}, {self.layout}"
        expected = [dict(zip([*self.names, "period_start"], row)) for row in rows]
        counted = {format: len(self.files(format)) for format in FORMATS}
        if len(set(counted.values())) != 1:
            sys.exit(f"{self.what}: {counted}")
        self.check_gzip()
        self.check_json(expected)
        self.check_parquet(expected)
        self.check_duckdb(expected)
        if spark and self.layout == "hive":
            self.check_spark(spark, expected)
            compared["lines, also in Spark"] += len(expected)
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
        self.kinds, self.rows = kinds, rows
        self.sums = [name for name in self.names if name.startswith("sum_") and pyarrow.types.is_decimal(kinds[name])]
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
        names = ", ".join(f'"{name}"' for name in self.kinds)
        same(f"parquet of {self.what} in DuckDB", self.answers(f"SELECT {names} FROM {parquet}"), self.rows)

        # It guesses what is not said: it takes the mark against formulas for a quote, and an infinity for a date.
        csv_types = ", ".join(f"'{name}': '{kind}'" for name, kind in self.csv_types("VARCHAR").items())
        said = f""", header = true, delim = ',', quote = '"', escape = '"', types = {{{csv_types}}}"""
        for format in ["csv", "csv.gz"]:
            texts = self.glob(format).replace("'", "''")
            csv = f"read_csv('{texts}'{how}{said})"
            self.check_sums(f"{format} of {self.what} in DuckDB", expected, csv, self.answers)
        self.check_sums(f"parquet of {self.what} in DuckDB", expected, parquet, self.answers)

    def check_spark(self, spark, expected):
        """Spark: the folder of a level, with the periods that its paths have, and the glob, with those of the files."""

        def check_sums(format, figures):
            what = f"{format} of {self.what} in Spark"
            self.check_sums(what, expected, "figures", lambda sql: plain(spark.answers(sql, figures)))

        names = ", ".join(f'"{name}"' for name in self.kinds)
        found = spark.answers(f"SELECT {names} FROM figures", spark.parquet(self.root("parquet")))
        same(f"parquet of {self.what} in Spark", plain(found), self.rows)
        check_sums("parquet", spark.parquet(self.glob("parquet")))
        # Of a folder, types would be taken for those of the columns that its paths do not have.
        texts = spark.csv(self.root("csv"))
        check_sums("csv", texts.withColumns({name: texts[name].cast(self.decimal(name)) for name in self.sums}))
        check_sums("csv.gz", spark.csv(self.glob("csv.gz"), self.csv_types("STRING")))

    def decimal(self, name):
        return f"DECIMAL(38, {self.kinds[name].scale})"

    def csv_types(self, text):
        types = {name: "BIGINT" if name in self.keys else text for name in self.names}
        return types | {name: self.decimal(name) for name in self.sums}

    def check_sums(self, what, expected, table, answers):
        totals = "".join(f', sum("{name}")' for name in self.sums)
        key = self.keys[0]
        found = answers(f'SELECT "{key}", count(*){totals} FROM {table} GROUP BY 1')
        groups = {}
        for row in expected:
            groups.setdefault(int(row[key]), []).append(row)

        def total(rows, name):
            values = [Decimal(row[name]) for row in rows if row[name] is not None]
            return exact(sum(values)) if values else None

        wanted = []
        for year, rows in groups.items():
            wanted.append([exact(year), exact(len(rows)), *(total(rows, name) for name in self.sums)])
        same(f"the sums of {what}", found, wanted)

    def check_the_page(self, rows, spark):
        """The queries of the page, and its examples in Python."""
        section = PAGE.read_text().split("### The layout of Hive")[1].split("\n### ")[0]
        code = "".join(re.findall(r"^    (.*\n)", section, re.M))
        queries = [query.strip() for query in code.split(";") if query.strip()]
        if len(queries) != 2:
            sys.exit(f"{PAGE} has {len(queries)} queries")
        of = {name: at for at, name in enumerate(self.names)}
        january = [row for row in rows if row[of["month"]] == "1" and row[of["sum_amount"]] is not None]
        sums = Counter()
        for row in january:
            sums[tuple(row[of[name]] for name in self.keys)] += Decimal(row[of["sum_amount"]])
        total = [[exact(sum(sums.values()))]]
        same("the first query of the page", self.answers(queries[0]), total)
        examples = "".join(re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S)).split("\n\n")
        if len(examples) != 2:
            sys.exit(f"{PAGE} has {len(examples)} examples in Python")
        for at, example in enumerate(examples if spark else []):
            same(f"example {at + 1} of the page in Spark", plain(spark.january(example)), total)
        # DuckDB takes a padded month for a text.
        days = []
        for (year, month, day), total in sums.items():
            days.append([exact(int(year)), f"{month:0>2}", exact(int(day)), exact(total)])
        found = [row for row in self.answers(queries[1]) if row[-1] is not None]
        same("the second query of the page", found, days)

    def answers(self, sql):
        with duckdb.connect() as database:
            return plain(database.sql(sql).fetchall())


if __name__ == "__main__":
    main()
