"""What the files of an entity must say, computed from production's rows by other means: fractions and zoneinfo.

Reads one JSON document a line: {"name", "zone" or null, "measures": [[name, type]], "rows": [[time, value, ...]]}, all
values as PostgreSQL prints them under TimeZone UTC, NULL as null. Writes one JSON object a line: path to content.
"""

import json
import sys
from datetime import date, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

STATISTICS = ["sum", "min", "max", "mean", "count"]


def day_of(time, zone):
    if zone:
        return datetime.fromisoformat(time).astimezone(ZoneInfo(zone)).date()
    return date.fromisoformat(time[:10])


def plain(value):
    """A decimal without an exponent and without zeros behind its last digit."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def mean(values, total):
    """Sum by count, half away from zero, 6 decimals."""
    if not total.is_finite():
        return "NaN" if total.is_nan() else ("Infinity" if total > 0 else "-Infinity")
    exact = Fraction(total) / len(values) * 10**6
    rounded = int(abs(exact) + Fraction(1, 2))
    sign = "-" if exact < 0 and rounded else ""
    return f"{sign}{rounded // 10**6}.{rounded % 10**6:06d}"


def total_of(numbers):
    if any(n.is_nan() for n in numbers) or {Decimal("Infinity"), Decimal("-Infinity")} <= set(numbers):
        return Decimal("NaN")
    return sum(numbers, Decimal(0))


def shown(number, text, kind):
    if not number.is_finite():
        return "NaN" if number.is_nan() else ("Infinity" if number > 0 else "-Infinity")
    if kind == "numeric":
        return plain(number)
    return "0" if number == 0 else text


def statistics(texts, kind):
    values = [(Decimal(text), text) for text in texts if text is not None]
    if not values:
        return ["", "", "", "", "0"]
    numbers = [number for number, _ in values]
    # To PostgreSQL NaN is greater than all numbers.
    key = lambda value: (value[0].is_nan(), Decimal(0) if value[0].is_nan() else value[0])
    total = total_of(numbers)
    smallest, largest = min(values, key=key), max(values, key=key)
    text = plain(total) if total.is_finite() else shown(total, "", kind)
    return [text, shown(*smallest, kind), shown(*largest, kind), mean(values, total), str(len(values))]


def files(asked):
    periods = {}
    for time, *values in asked["rows"]:
        day = day_of(time, asked["zone"])
        y, m, d, n = day.year, day.month, day.day, asked["name"]
        for path, head, key in [
            (f"year={y}/{n}_stats_yearly_{y}.csv", "year", [y]),
            (f"year={y}/month={m}/{n}_stats_monthly_{y}_{m}.csv", "year,month", [y, m]),
            (f"year={y}/month={m}/day={d}/{n}_stats_daily_{y}_{m}_{d}.csv", "year,month,day", [y, m, d]),
        ]:
            periods.setdefault(path, (head, key, []))[2].append(values)
    found = {}
    for path, (head, key, rows) in periods.items():
        header, fields = [head], [str(part) for part in key]
        for at, (name, kind) in enumerate(asked["measures"]):
            header += [f"{statistic}_{name}" for statistic in STATISTICS]
            fields += statistics([row[at] for row in rows], kind)
        found[path] = ",".join(header) + "\n" + ",".join(fields) + "\n"
    return found


with localcontext() as context:
    context.prec = 2000
    context.Emax, context.Emin = 10**6, -(10**6)
    for line in sys.stdin:
        print(json.dumps(files(json.loads(line))), flush=True)
