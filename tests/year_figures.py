#!/usr/bin/env python3
"""Compares an export tree with figures computed here, byte for byte.

    year_figures.py YEAR CONTROLLER EXPORTS_FOLDER

The rows are drawn by Python's own `random`, as the original simulator drew them, and summed up in exact arithmetic;
nothing of Kalends is read but the files. Exits with 1 and names each file that is missing, differs or should not be.
"""

import datetime
import pathlib
import random
import sys
from collections import defaultdict
from fractions import Fraction

STATISTICS = "sum_values,min_values,max_values,mean_values"


def rows_of_month(year, month, controller):
    """Yields (time, value) in the order of time, as the original drew them."""
    pace = min(13 - month, month)
    shortest_gap = int(1 / pace * 10000 / controller)
    longest_gap = int(1 / pace * 10000 / controller * 2)
    if longest_gap == 0:
        sys.exit(f"controller {controller} is too large for month {month}")
    random.seed(year + month)
    time = datetime.datetime(year, month, 1)
    while time.month == month:
        weekend = 2 if time.weekday() >= 5 else 1
        yield time, random.randint(controller * pace * weekend, 2 * controller * pace * weekend)
        time += datetime.timedelta(seconds=random.randint(shortest_gap, longest_gap))


def mean(values):
    """The exact mean, rounded half away from zero to 6 decimals, all 6 written."""
    exact = Fraction(sum(values), len(values))
    millionths = int(abs(exact) * 10**6 + Fraction(1, 2))
    sign = "-" if exact < 0 and millionths else ""
    return f"{sign}{millionths // 10**6}.{millionths % 10**6:06}"


def file_of(header, key, values):
    figures = f"{sum(values)},{min(values)},{max(values)},{mean(values)}"
    return f"{header},{STATISTICS}\n{key},{figures}\n".encode()


def expected_files(year, controller):
    """Path below the export folder -> its bytes."""
    days, months = defaultdict(list), defaultdict(list)
    for month in range(1, 13):
        for time, value in rows_of_month(year, month, controller):
            days[month, time.day].append(value)
            months[month].append(value)

    files = {}
    base = f"year={year}"
    for (month, day), values in days.items():
        path = f"{base}/month={month}/day={day}/entity_stats_daily_{year}_{month}_{day}.csv"
        files[path] = file_of("year,month,day", f"{year},{month},{day}", values)
    for month, values in months.items():
        path = f"{base}/month={month}/entity_stats_monthly_{year}_{month}.csv"
        files[path] = file_of("year,month", f"{year},{month}", values)
    all_values = [value for values in months.values() for value in values]
    files[f"{base}/entity_stats_yearly_{year}.csv"] = file_of("year", f"{year}", all_values)
    return files, len(all_values), sum(all_values)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    year, controller, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    expected, rows, total = expected_files(year, controller)
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if not path.is_dir()}
    manifest = found.pop("_manifest.json", None)
    found.pop(".kalends_index", None)

    wrong = [f"missing: {path}" for path in expected if path not in found]
    wrong += [f"should not be there: {path}" for path in found if path not in expected]
    for path, content in expected.items():
        if path in found and found[path].read_bytes() != content:
            wrong.append(f"differs: {path}: {found[path].read_bytes()!r} instead of {content!r}")
    if manifest is None:
        wrong.append("missing: _manifest.json")
    if wrong:
        sys.exit("\n".join(sorted(wrong)))
    print(f"{len(expected)} files are exact: {rows} rows of {year} at controller {controller}, sum {total}")


if __name__ == "__main__":
    main()
