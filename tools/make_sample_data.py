#!/usr/bin/env python3
"""Writes the sample data of jobspecs/: the same bytes on every run.

    tools/make_sample_data.py           writes jobspecs/data/*.csv
    tools/make_sample_data.py --check   says whether the files are what it would write
"""
import csv
import io
import random
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "jobspecs" / "data"

MATERIALS = ["Linen", "Oak", "Walnut", "Merino", "Cotton", "Enamel", "Brass", "Cork", "Felt",
             "Stoneware", "Copper", "Bamboo", "Canvas", "Glass", "Leather"]
THINGS = [("Apron", "kitchen", 24), ("Tray", "kitchen", 32), ("Throw", "living", 79),
          ("Cushion", "living", 38), ("Lamp", "living", 119), ("Mug", "kitchen", 14),
          ("Bowl", "kitchen", 22), ("Coat Hook", "hall", 9), ("Door Mat", "hall", 29),
          ("Basket", "living", 45), ("Notebook", "office", 12), ("Pen Pot", "office", 18),
          ("Side Table", "living", 189), ("Candle", "living", 16), ("Shelf", "office", 99),
          ("Carafe", "kitchen", 34), ("Café au Lait Bowl", "kitchen", 19),
          ("Kuchenständer", "kitchen", 42), ("Smörgås Board", "kitchen", 36),
          ("Jalapeño Planter", "garden", 27)]
COLOURS = ["Sand", "Ink", "Moss", "Rust", "Chalk", "Plum", "Sky", "Coal", "Crème", "Grün"]
SIZES = ["XS", "S", "M", "L", "XL"]
PRODUCTS = 1000


def price(generator, base):
    """Money is counted in cents and never passes through a float."""
    cents = base * 100 + generator.randrange(-base * 20, base * 30)
    cents = cents - cents % 100 + generator.choice([0, 49, 50, 90, 95, 99])
    return f"{cents // 100}.{cents % 100:02d}"


def products():
    generator = random.Random(20261126)
    rows = [["sku", "name", "description", "size", "price", "stock", "tags", "barcode"]]
    combinations = [(m, t, c) for m in MATERIALS for t in THINGS for c in COLOURS]
    generator.shuffle(combinations)
    for number, (material, (thing, room, base), colour) in enumerate(combinations[:PRODUCTS], 1):
        size = generator.choice(SIZES)
        name = f"{material} {thing}, {colour}" if number % 3 == 0 else f"{colour} {material} {thing}"
        description = generator.choice([
            f"{thing} of {material.lower()}, made to be used every day.",
            f'The "{colour}" edition, {size}: {material.lower()} and nothing else.',
            f"For the {room}. Wipe clean; do not soak.",
            f"A {thing.lower()} in {colour.lower()}, {material.lower()}, size {size}.",
        ])
        tags = [room, material.lower()] + (["new"] if number % 7 == 0 else [])
        rows.append([f"PRS-{number:05d}", name, description, size, price(generator, base),
                     str(generator.randrange(0, 400)), "|".join(tags),
                     f"00{generator.randrange(10**9, 10**10)}"])
    return rows


SHOPIFY = [
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Option1 Name",
    "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value",
    "Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty",
    "Variant Inventory Policy", "Variant Fulfillment Service", "Variant Price",
    "Variant Compare At Price", "Variant Requires Shipping", "Variant Taxable", "Variant Barcode",
    "Image Src", "Image Position", "Image Alt Text", "Gift Card", "SEO Title", "SEO Description",
    "Google Shopping / Google Product Category", "Google Shopping / Gender",
    "Google Shopping / Age Group", "Google Shopping / MPN", "Google Shopping / AdWords Grouping",
    "Google Shopping / AdWords Labels", "Google Shopping / Condition",
    "Google Shopping / Custom Product", "Google Shopping / Custom Label 0",
    "Google Shopping / Custom Label 1", "Google Shopping / Custom Label 2",
    "Google Shopping / Custom Label 3", "Google Shopping / Custom Label 4", "Variant Image",
    "Variant Weight Unit", "Variant Tax Code", "Cost per item", "Status"]

SHOPIFY_PRODUCTS = [
    ("linen-apron", "Linen Apron", "<p>Washed linen.<br>\nTwo pockets, \"cross\" straps.</p>",
     "apron, linen", "TRUE", "Colour", [("Sand", "APR-SAND", "39.00", 12),
                                        ("Ink", "APR-INK", "39.00", 4),
                                        ("Moss", "APR-MOSS", "41.50", 0)], 4),
    ("oak-tray", "Oak Tray", "<p>Oiled oak, 40 × 30 cm</p>", "tray, oak", "TRUE", "Title",
     [("Default Title", "TRAY-OAK", "54.90", 20)], 2),
    ("cafe-au-lait-bowl", "Café au Lait Bowl", "<p>Stoneware, 0.5 l</p>", "bowl", "TRUE", "Size",
     [("Small", "BOL-S", "16.00", 40), ("Large", "BOL-L", "22.00", 35)], 1),
    ("merino-throw", "Merino Throw", "<p>Woven in Wales</p>", "throw, wool, new", "FALSE",
     "Colour", [("Chalk", "THR-CHALK", "129.00", 3), ("Coal", "THR-COAL", "129.00", 5)], 3),
    ("brass-hook", "Brass Hook", "<p>Solid brass</p>", "", "TRUE", "Pack",
     [("1", "HOOK-1", "9.50", 100), ("3", "HOOK-3", "25.00", 60), ("10", "HOOK-10", "79.00", 9)],
     0),
]


def shopify():
    rows = [SHOPIFY]
    for handle, title, body, tags, published, option, variants, pictures in SHOPIFY_PRODUCTS:
        for line in range(max(len(variants), pictures)):
            row = dict.fromkeys(SHOPIFY, "")
            row["Handle"] = handle
            if line == 0:
                row.update({"Title": title, "Body (HTML)": body, "Vendor": "Purser Goods",
                            "Type": "Home", "Tags": tags, "Published": published,
                            "Option1 Name": option, "Gift Card": "FALSE",
                            "Status": "active" if published == "TRUE" else "draft"})
            if line < len(variants):
                value, sku, cost, stock = variants[line]
                row.update({"Option1 Value": value, "Variant SKU": sku, "Variant Grams": "350",
                            "Variant Inventory Tracker": "shopify",
                            "Variant Inventory Qty": str(stock),
                            "Variant Inventory Policy": "deny",
                            "Variant Fulfillment Service": "manual", "Variant Price": cost,
                            "Variant Requires Shipping": "TRUE", "Variant Taxable": "TRUE",
                            "Variant Weight Unit": "kg"})
            if line < pictures:
                row["Image Src"] = f"https://cdn.example.com/{handle}-{line + 1}.jpg"
                row["Image Position"] = str(line + 1)
            rows.append([row[name] for name in SHOPIFY])
    return rows


def invoices():
    generator = random.Random(7)
    rows = [["number", "customer_id", "issue_date", "due_date", "currency", "memo", "item_id",
             "description", "quantity", "unit_amount", "amount"]]
    customers = [f"cus_{n:04d}" for n in range(1, 13)]
    for number in range(1, 41):
        day = (number - 1) % 27 + 1
        customer = generator.choice(customers)
        memo = "" if number % 4 else f"Order {generator.randrange(10000, 99999)}, thank you"
        for _ in range(generator.randrange(1, 6)):
            thing, _, base = generator.choice(THINGS)
            quantity = generator.randrange(1, 13)
            unit = price(generator, base)
            cents = quantity * int(unit.replace(".", ""))
            rows.append([f"INV-2026-{number:04d}", customer, f"2026-11-{day:02d}",
                         f"2026-12-{day:02d}", "EUR" if number % 5 else "GBP", memo,
                         f"item_{generator.randrange(1, 60):03d}", thing, str(quantity), unit,
                         f"{cents // 100}.{cents % 100:02d}"])
    return rows


def three_bad_rows():
    rows = [line[:] for line in products()[:31]]
    for line, outcome in ((5, "sim:400"), (17, "sim:450"), (26, "sim:450")):
        rows[line][2] += f" ({outcome} stands here to be refused: delete it)"
    return rows


FILES = {"products.csv": products, "shopify-products.csv": shopify, "invoices.csv": invoices,
         "products-three-bad-rows.csv": three_bad_rows}


def text_of(rows):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    wrong = []
    for name, make in FILES.items():
        wanted = text_of(make())
        if check:
            wrong += [name] if (DATA / name).read_bytes() != wanted else []
        else:
            (DATA / name).write_bytes(wanted)
    if wrong:
        sys.exit("not as made by tools/make_sample_data.py: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
