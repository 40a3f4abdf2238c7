"""What the original simulator would write, told by Python's own random numbers.

Reads lines `year month controller`, writes for each `year month controller rows sum min max sha256`: the count of the
month's rows, the sum, the smallest and the largest of their values, and the hash of the lines `seconds,value` of all
rows, each ended by a newline, where seconds count from the first of the month, 00:00:00.

Python 3.8 or later, standard library only. Shares no code with Kalends, so that the two can be compared.
"""

import calendar
import hashlib
import random
import sys
from datetime import date

SECONDS_PER_DAY = 86400


def month_rows(year, month, controller):
    """Yields (seconds, value) as the original draws them, by the facts of the pretend production system."""
    random.seed(year + month)
    p = min(13 - month, month)
    gap_from = int(1 / p * 10000 / controller)
    gap_to = int(1 / p * 10000 / controller * 2)
    if gap_to == 0:
        raise ValueError(f"controller {controller} is too large for month {month}: time would never advance")

    days = calendar.monthrange(year, month)[1]
    weekend = [date(year, month, day).weekday() >= 5 for day in range(1, days + 1)]
    seconds = 0
    while seconds < days * SECONDS_PER_DAY:
        if weekend[seconds // SECONDS_PER_DAY]:
            value = random.randint(2 * controller * p, 4 * controller * p)
        else:
            value = random.randint(controller * p, 2 * controller * p)
        yield seconds, value
        seconds += random.randint(gap_from, gap_to)


def figures(rows):
    """The count of rows, the sum, minimum and maximum of their values, and the hash of them all."""
    count = total = 0
    smallest = largest = None
    digest = hashlib.sha256()
    for seconds, value in rows:
        count += 1
        total += value
        smallest = value if smallest is None or value < smallest else smallest
        largest = value if largest is None or value > largest else largest
        digest.update(b"%d,%d\n" % (seconds, value))
    return count, total, smallest, largest, digest.hexdigest()


def main():
    """Answers line by line."""
    for line in sys.stdin:
        year, month, controller = map(int, line.split())
        print(year, month, controller, *figures(month_rows(year, month, controller)), flush=True)


if __name__ == "__main__":
    main()
