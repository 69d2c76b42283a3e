#!/usr/bin/env python3
"""The slots of random schedules beside two oracles that nobody here wrote together with them.

usage: test_slots.py PROGRAM [--seed N] [--expressions N] [--windows N]

PROGRAM is schedule-slots (slots.c). In UTC the oracle is python3-croniter. It differs, on purpose,
where these expressions are left to the other oracle:

  - a day or weekday that begins with * but has a step (*/2): by crontab(5) such a field is no
    restriction, so both must match; croniter lets one of them do;
  - a day or weekday written as all its values (1-31): by crontab(5) that is a restriction, so with
    another one either is enough; croniter takes it for *.

Of the others, croniter 1.3.5 misses some whose days reach past the end of a shorter month: after
24 February it gives 16 March for */15 (1, 16, 31). Such an answer counts as a slip of its own if it
is the later one and a walk over the days of the calendar agrees with the program.

In zones with daylight saving, where croniter has rules of its own, and for those expressions, the
oracle is a walk over every minute of real time with Python's zoneinfo: a slot is due in the first
minute at which the clocks have shown its time or a later one."""
import argparse
import calendar
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

def load_croniter():
    """Also from Debian's own Python, when another one comes first in the PATH."""
    try:
        import croniter
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")
        try:
            import croniter
        except ImportError:
            return None
    return croniter


croniter = load_croniter()

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
FIELDS = [(0, 59, None), (0, 23, None), (1, 31, None), (1, 12, MONTHS), (0, 6, WEEKDAYS)]

# A zone and a day around which its clocks change, or do something odd.
CHANGES = [("Europe/Berlin", (2024, 3, 31)), ("Europe/Berlin", (2024, 10, 27)),
           ("Europe/Berlin", (2061, 3, 27)), ("America/New_York", (2025, 3, 9)),
           ("America/New_York", (2025, 11, 2)), ("Australia/Lord_Howe", (2024, 4, 7)),
           ("Australia/Lord_Howe", (2024, 10, 6)), ("Pacific/Apia", (2011, 12, 30)),
           ("Africa/Casablanca", (2024, 3, 10)), ("Africa/Casablanca", (2024, 4, 14)),
           ("America/Sao_Paulo", (2018, 11, 4)), ("Asia/Gaza", (2023, 4, 29)),
           ("Asia/Kathmandu", (2024, 7, 1)), ("America/Nuuk", (2023, 3, 25)),
           ("America/Nuuk", (2024, 10, 26)), ("Antarctica/Troll", (2024, 3, 31)),
           ("Asia/Pyongyang", (2015, 8, 14)), ("Pacific/Kwajalein", (1993, 8, 21)),
           ("Europe/Dublin", (2024, 10, 27)), ("Asia/Tehran", (2022, 3, 21))]


class Schedule:
    """A random expression, and what its fields mean, worked out apart from the program."""

    def __init__(self, dice, often=False):
        self.texts, self.sets = [], []
        for index, (low, high, names) in enumerate(FIELDS):
            text, values = self.field(dice, low, high, names, index, often)
            self.texts.append(text)
            self.sets.append(values)
        self.text = " ".join(self.texts)

    def field(self, dice, low, high, names, index, often):
        kind = dice.random()
        if kind < (0.4 if index < 2 and not often else 0.6):
            return "*", set(range(low, high + 1))
        if kind < 0.7:
            step = dice.randint(1, max(2, (high - low) // 2))
            return f"*/{step}", set(range(low, high + 1, step))
        texts, values = [], set()
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            a, b = sorted((dice.randint(low, high), dice.randint(low, high)))
            if dice.random() < 0.6:
                b = a
            step = dice.randint(1, 5) if b > a and dice.random() < 0.5 else 1
            values |= set(range(a, b + 1, step))
            first, last = (self.word(dice, number, low, names) for number in (a, b))
            texts.append(first if a == b else f"{first}-{last}" + (f"/{step}" if step > 1 else ""))
        return ",".join(texts), values

    @staticmethod
    def word(dice, number, low, names):
        if names is not None and dice.random() < 0.3:
            name = names[number - low]
            return name.upper() if dice.random() < 0.3 else name
        return str(number)

    def for_croniter(self):
        """Whether croniter reads it as crontab(5) says, see above."""
        days, weekdays = self.texts[2], self.texts[4]
        if days == "*" or weekdays == "*":
            return True
        return not (days.startswith("*") or weekdays.startswith("*") or
                    len(self.sets[2]) == 31 or len(self.sets[4]) == 7)

    def matches(self, civil):
        minute, hour, days, months, weekdays = self.sets
        if civil.minute not in minute or civil.hour not in hour or civil.month not in months:
            return False
        day = civil.day in days
        weekday = (civil.weekday() + 1) % 7 in weekdays
        if self.texts[2].startswith("*") or self.texts[4].startswith("*"):
            return day and weekday
        return day or weekday

    def comes(self):
        """Whether any day of any year matches."""
        if not (self.texts[2].startswith("*") or self.texts[4].startswith("*")):
            return True
        return any(day <= calendar.monthrange(2000, month)[1]
                   for month in self.sets[3] for day in self.sets[2])


def ask(program, questions):
    text = "".join(f"{zone}\t{start}\t{count}\t{expression}\n"
                   for zone, start, count, expression in questions)
    answer = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    lines = answer.stdout.splitlines()
    assert len(lines) == len(questions)
    return lines


def times_of(line):
    return [int(word.split(":")[0]) for word in line.split()]


def walk_days(schedule, start, count):
    """The next slots in UTC, by looking at every day."""
    slots, day = [], start // 86400
    while True:
        date = datetime.fromtimestamp(day * 86400, timezone.utc)
        probe = date.replace(hour=min(schedule.sets[1]), minute=min(schedule.sets[0]))
        if schedule.matches(probe):
            for hour in sorted(schedule.sets[1]):
                for minute in sorted(schedule.sets[0]):
                    moment = day * 86400 + hour * 3600 + minute * 60
                    if moment > start:
                        slots.append(moment)
                    if len(slots) == count:
                        return slots
        day += 1


def is_slip(schedule, start, times, expected):
    later = next(b > a for a, b in zip(times, expected) if a != b)
    return later and max(schedule.sets[2]) > 28 and times == walk_days(schedule, start, len(times))


def against_croniter(program, dice, count):
    schedules, questions = [], []
    while len(schedules) < count:
        schedule = Schedule(dice)
        if schedule.for_croniter():
            schedules.append(schedule)
            questions.append(("UTC", dice.randint(0, 4102444800), 3, schedule.text))
    slips = 0
    for schedule, question, line in zip(schedules, questions, ask(program, questions)):
        if not schedule.comes():
            assert line.startswith("error "), (question, line)
            continue
        walk = croniter.croniter(schedule.text, datetime.fromtimestamp(question[1], timezone.utc))
        expected = [int(walk.get_next(float)) for _ in range(3)]
        times = times_of(line)
        if times != expected and is_slip(schedule, question[1], times, expected):
            slips += 1
            continue
        assert times == expected, (question, line, expected)
    assert slips <= count // 100, slips
    return count, slips


def walk_minutes(schedule, zone, start, minutes):
    """The slots in (start, start + minutes], by looking at every minute of real time."""
    place, slots = ZoneInfo(zone), []

    def shown(moment):
        return datetime.fromtimestamp(moment, place).replace(tzinfo=None)

    latest = max(shown(start - 60 * back) for back in range(2 * 1440))
    for number in range(1, minutes + 1):
        moment, due = start + 60 * number, False
        civil = shown(moment)
        while latest < civil:
            latest += timedelta(minutes=1)
            due = due or schedule.matches(latest)
        if due:
            slots.append(moment)
    return slots


def against_minutes(program, dice, count):
    cases, questions = [], []
    for _ in range(count):
        zone, day = dice.choice(CHANGES)
        start = calendar.timegm((*day, 0, 0, 0)) + 60 * dice.randint(-2160, 720)
        schedule = Schedule(dice, often=True)
        minutes = dice.randint(600, 3600)
        expected = walk_minutes(schedule, zone, start, minutes)
        cases.append((expected, start + 60 * minutes))
        questions.append((zone, start, len(expected) + 1, schedule.text))
    for (expected, end), question, line in zip(cases, questions, ask(program, questions)):
        if line.startswith("error "):
            assert expected == [], (question, line)
            continue
        times = times_of(line)
        assert times[:-1] == expected and times[-1] > end, (question, line, expected)
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--expressions", type=int, default=2000)
    parser.add_argument("--windows", type=int, default=300)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    windows = against_minutes(options.program, random.Random(options.seed), options.windows)
    print(f"{windows} schedules in zones: as a walk over every minute says")
    if croniter is None:
        print("python3-croniter is not installed: its part is skipped")
        return 77
    expressions, slips = against_croniter(options.program, random.Random(options.seed),
                                          options.expressions)
    print(f"{expressions} schedules in UTC: as croniter says, but for {slips} that it misses")
    return 0


if __name__ == "__main__":
    sys.exit(main())
