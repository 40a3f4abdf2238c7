"""Entities with random columns and rows, to be published in all formats."""

import datetime
import json

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
