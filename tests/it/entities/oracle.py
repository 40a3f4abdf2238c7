"""What the files of an entity must say, computed from production's rows by other means: fractions and zoneinfo.

Reads one JSON document a line: {"name", "zone" or its file or null, "levels": [level], "statistics": [statistic],
"measures": [[name, type]], "dimensions": [[name, type]], "rows": [[time, measure, ..., dimension, ...]]}, all values
as PostgreSQL prints them under TimeZone UTC, NULL as null. Writes one JSON object a line: path to content.
"""

import json
import sys
from datetime import date, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from math import isqrt
from zoneinfo import ZoneInfo

NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
PERIODS = {"year", "month", "day", "hour", "iso_year", "week", "quarter"}


def zone_of(name):
    if not name.startswith("/"):
        return ZoneInfo(name)
    with open(name, "rb") as file:
        return ZoneInfo.from_file(file)


def local(time, zone):
    if zone:
        return datetime.fromisoformat(time).astimezone(zone)
    return datetime.fromisoformat(time) if len(time) > 10 else date.fromisoformat(time)


def period(level, at, n):
    """Path, columns and their fields."""
    y, m, d = at.year, at.month, at.day
    if level == "hour":
        path = f"year={y}/month={m}/day={d}/hour={at.hour}/{n}_stats_hourly_{y}_{m}_{d}_{at.hour}.csv"
        return path, ["year", "month", "day", "hour"], [y, m, d, at.hour]
    if level == "day":
        return f"year={y}/month={m}/day={d}/{n}_stats_daily_{y}_{m}_{d}.csv", ["year", "month", "day"], [y, m, d]
    if level == "week":
        iso, week, _ = at.isocalendar()
        return f"iso_year={iso}/week={week}/{n}_stats_weekly_{iso}_{week}.csv", ["iso_year", "week"], [iso, week]
    if level == "month":
        return f"year={y}/month={m}/{n}_stats_monthly_{y}_{m}.csv", ["year", "month"], [y, m]
    if level == "quarter":
        q = (m + 2) // 3
        return f"year={y}/quarter={q}/{n}_stats_quarterly_{y}_{q}.csv", ["year", "quarter"], [y, q]
    return f"year={y}/{n}_stats_yearly_{y}.csv", ["year"], [y]


def plain(value):
    """A decimal without an exponent and without zeros behind its last digit."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def endless(number):
    return "NaN" if number.is_nan() else ("Infinity" if number > 0 else "-Infinity")


def mean(count, total):
    """Sum by count, half away from zero, 6 decimals."""
    if not total.is_finite():
        return endless(total)
    exact = Fraction(total) / count * 10**6
    rounded = int(abs(exact) + Fraction(1, 2))
    sign = "-" if exact < 0 and rounded else ""
    return f"{sign}{rounded // 10**6}.{rounded % 10**6:06d}"


def stddev(numbers):
    """Of a sample, from the distances to the mean, half up, 6 decimals."""
    if len(numbers) < 2:
        return ""
    if not all(number.is_finite() for number in numbers):
        return "NaN"
    exact = [Fraction(number) for number in numbers]
    middle = sum(exact) / len(exact)
    square = sum((number - middle) ** 2 for number in exact) / (len(exact) - 1)
    # The nearest whole number of millionths r is the one with (2r - 1)^2 <= 4 * 10^12 * square < (2r + 1)^2.
    rounded = (isqrt(int(4 * 10**12 * square)) + 1) // 2
    return f"{rounded // 10**6}.{rounded % 10**6:06d}"


def total_of(numbers):
    if any(n.is_nan() for n in numbers) or {Decimal("Infinity"), Decimal("-Infinity")} <= set(numbers):
        return Decimal("NaN")
    return sum(numbers, Decimal(0))


def shown(number, text, kind):
    if not number.is_finite():
        return endless(number)
    if kind == "numeric":
        return plain(number)
    return "0" if number == 0 else text


def statistics(texts, kind, asked):
    values = [(Decimal(text), text) for text in texts if text is not None]
    if not values:
        return ["0" if statistic == "count" else "" for statistic in asked]
    numbers = [number for number, _ in values]
    # To PostgreSQL NaN is greater than all numbers.
    key = lambda value: (value[0].is_nan(), Decimal(0) if value[0].is_nan() else value[0])
    total = total_of(numbers)
    of = {
        "sum": lambda: plain(total) if total.is_finite() else endless(total),
        "min": lambda: shown(*min(values, key=key), kind),
        "max": lambda: shown(*max(values, key=key), kind),
        "mean": lambda: mean(len(values), total),
        "count": lambda: str(len(values)),
        "stddev": lambda: stddev(numbers),
    }
    return [of[statistic]() for statistic in asked]


def safe(text):
    """A text in which a spreadsheet finds no formula."""
    return "'" + text if text[:1] in tuple("=+-@\t\r\n'＝＋－＠") else text


def field(text):
    if text is None:
        return ""
    quoted = text == "" or any(character in text for character in ',"\n\r')
    return '"' + text.replace('"', '""') + '"' if quoted else text


def header(asked, columns):
    measures = [name for name, _ in asked["measures"]]
    labels = ["values"] if measures == ["value"] else measures
    of_statistics = [f"{statistic}_{label}" for label in labels for statistic in asked["statistics"]]
    taken = PERIODS | set(of_statistics)
    dimensions = [f"dimension_{name}" if name in taken else name for name, _ in asked["dimensions"]]
    return [field(safe(name)) for name in columns + dimensions + of_statistics]


def lines(asked, key, rows):
    split = 1 + len(asked["measures"])
    combinations = {}
    for row in rows:
        combinations.setdefault(tuple(row[split:]), []).append(row[1:split])
    order = lambda combination: [(text is not None, (text or "").encode()) for text in combination]
    for combination in sorted(combinations, key=order):
        fields = [str(part) for part in key]
        for text, (_, kind) in zip(combination, asked["dimensions"]):
            fields.append(field(text if text is None or kind in NUMBERS else safe(text)))
        for at, (_, kind) in enumerate(asked["measures"]):
            fields += statistics([values[at] for values in combinations[combination]], kind, asked["statistics"])
        yield ",".join(fields)


def files(asked):
    periods, zone = {}, asked["zone"] and zone_of(asked["zone"])
    for row in asked["rows"]:
        at = local(row[0], zone)
        for level in asked["levels"]:
            path, columns, key = period(level, at, asked["name"])
            periods.setdefault(path, (columns, key, []))[2].append(row)
    return {
        path: "\n".join([",".join(header(asked, columns)), *lines(asked, key, rows)]) + "\n"
        for path, (columns, key, rows) in periods.items()
    }


with localcontext() as context:
    context.prec = 2000
    context.Emax, context.Emin = 10**6, -(10**6)
    for line in sys.stdin:
        print(json.dumps(files(json.loads(line))), flush=True)
