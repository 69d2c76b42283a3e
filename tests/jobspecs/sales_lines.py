#!/usr/bin/env python3
"""Lines of sales as shops have them: ids written as 17850.0, empty customers, cancellations with
negative quantities, prices of zero, blanks at the end, one number with hundreds of lines.

usage: sales_lines.py DOCUMENTS SEED > sales-lines.csv
"""
import csv
import datetime
import random
import sys

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
          "CustomerID", "Country"]
THINGS = ["LANTERN", "COAT HANGER", "CAKE STAND", "HOT WATER BOTTLE", "LUNCH BOX", "DOORMAT",
          "ALARM CLOCK", 'TIN "HOME"', "NAPKINS, SET OF 20", "KÜCHENUHR"]
LOOKS = ["WHITE METAL", "RED RETROSPOT", "VINTAGE", "JUMBO", "SMALL WOODEN", "FELTCRAFT"]


def price(random_numbers):
    draw = random_numbers.random()
    if draw < 0.005:
        return "0.0"
    cents = random_numbers.randrange(10, 2000)
    if draw < 0.3:
        return f"{cents // 100}.{cents // 10 % 10}"
    return f"{cents // 100}.{cents % 100:02}"


def line(random_numbers, cancelled):
    quantity = random_numbers.choice([1, 2, 3, 6, 8, 12, 24, 48, 600])
    name = f"{random_numbers.choice(LOOKS)} {random_numbers.choice(THINGS)}"
    return [f"{random_numbers.randrange(10000, 90000)}{random_numbers.choice(['', '', 'A', 'b'])}",
            name + random_numbers.choice(["", "", " "]),
            -quantity if cancelled else quantity, price(random_numbers)]


def write(documents, seed, out):
    random_numbers = random.Random(seed)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    moment = datetime.datetime(2026, 1, 30, 8, 26)
    for number in range(536365, 536365 + documents):
        cancelled = random_numbers.random() < 0.084
        nobody = not cancelled and random_numbers.random() < 0.145
        customer = "" if nobody else f"{random_numbers.randrange(12000, 18300)}.0"
        longest = documents > 100 and number == 536365 + documents // 2
        count = 593 if longest else random_numbers.randrange(1, 38 if documents > 100 else 5)
        country = random_numbers.choice(["United Kingdom"] * 9 + ["France"])
        moment += datetime.timedelta(minutes=random_numbers.randrange(1, 15))
        for _ in range(1 if cancelled else count):
            stock, name, quantity, unit = line(random_numbers, cancelled)
            writer.writerow([("C" if cancelled else "") + str(number), stock, name, quantity,
                             moment, unit, customer, country])


if __name__ == "__main__":
    write(int(sys.argv[1]), int(sys.argv[2]), sys.stdout)
