"""What the files of an entity must say by the calendar alone: Python's, which never saw a row of it.

Takes {"name", "years", "rows", "levels"} and prints one JSON object: path to content. The table has, with "ends" for rows, for each month of these years
a row in its final microsecond with a value of 12 times the year plus the month (1 to 12), and one in the first microsecond of the next month with
the negative of that; with "new years", for each of the fifteen days from 25 December before the year on a row with the year as its value.
"""

import json
import sys
from calendar import monthrange
from datetime import datetime, timedelta

HEADER = "sum_values,min_values,max_values,mean_values,count_values"


def mean(values):
    """Sum by count to 6 decimals, half away from zero, in whole numbers."""
    total, count = sum(values), len(values)
    digits = (2 * 10**6 * abs(total) + count) // (2 * count)
    return f"{'-' if total < 0 and digits else ''}{digits // 10**6}.{digits % 10**6:06d}"


def rows(asked):
    for year in asked["years"]:
        if asked["rows"] == "new years":
            for days in range(15):
                yield datetime(year - 1, 12, 25, 12) + timedelta(days=days), year
            continue
        for month in range(1, 13):
            final = datetime(year, month, monthrange(year, month)[1], 23, 59, 59, 999999)
            yield final, 12 * year + month
            yield final + timedelta(microseconds=1), -(12 * year + month)


def period(level, time, name):
    """Its path, its columns, and what stands in them."""
    y, m, d, h, q = time.year, time.month, time.day, time.hour, (time.month + 2) // 3
    iso_year, week, _ = time.isocalendar()
    year, month, day = f"year={y}", f"year={y}/month={m}", f"year={y}/month={m}/day={d}"
    folder, adverb, columns, key = {
        "hour": (f"{day}/hour={h}", "hourly", "year,month,day,hour", (y, m, d, h)),
        "day": (day, "daily", "year,month,day", (y, m, d)),
        "week": (f"iso_year={iso_year}/week={week}", "weekly", "iso_year,week", (iso_year, week)),
        "month": (month, "monthly", "year,month", (y, m)),
        "quarter": (f"{year}/quarter={q}", "quarterly", "year,quarter", (y, q)),
        "year": (year, "yearly", "year", (y,)),
    }[level]
    return f"{folder}/{name}_stats_{adverb}_{'_'.join(map(str, key))}.csv", columns, key


asked = json.loads(sys.argv[1])
kept = {}
for time, value in rows(asked):
    for level in asked["levels"]:
        kept.setdefault(period(level, time, asked["name"]), []).append(value)
found = {}
for (path, columns, key), values in kept.items():
    fields = [*key, sum(values), min(values), max(values), mean(values), len(values)]
    found[path] = f"{columns},{HEADER}\n{','.join(map(str, fields))}\n"
print(json.dumps(found))
