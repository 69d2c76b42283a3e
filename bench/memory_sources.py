#!/usr/bin/env python3
"""Peak anonymous memory of `purser check` over the output of a command, at two numbers of rows.

usage: bench/memory_sources.py BIN_FOLDER [SMALL LARGE]

A command writes the rows; check spools them, renders every request and looks for duplicate keys. Of
a CSV, an NDJSON and a JSON array with LARGE rows each, RssAnon is sampled every 5 ms (mapped files do
not count). Goals: under 32 MiB, and no more than 8 MiB above that at SMALL. LARGE rows need 100 bytes
each in $TMPDIR.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

from memory import peak_until_end

SPEC = """purser: 1
name: memory
api: {{ environment: simulator }}
connections:
  shop: {{ platform: SHOPIFY }}
jobs:
  products:
    source:
      command: [python3, rows.py, "{count}", {form}]
      format: {form}
      key: ${{row.sku}}
    request: PATCH /products/${{row.sku}}
    body: {{ product: {{ name: "${{row.name}}", description: "${{row.text}}" }} }}
"""

ROWS = """import sys
count, form = int(sys.argv[1]), sys.argv[2]
head, row, between, tail = {
    "csv": ("sku,name,text\\n", "SKU-%d,Product number %d,some words\\n", "", ""),
    "ndjson": ("", '{"sku":"SKU-%d","name":"Product number %d","text":"words"}\\n', "", ""),
    "json": ("[", '{"sku":"SKU-%d","name":"Product number %d","text":"words"}', ",\\n", "]\\n"),
}[form]
sys.stdout.write(head)
for start in range(0, count, 1000):
    end = min(count, start + 1000)
    sys.stdout.write(between.join(row % (i, i) for i in range(start, end)))
    sys.stdout.write(between if end < count else tail)
"""


def peak_kib(binaries, form, count):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "rows.py").write_text(ROWS)
        pathlib.Path(folder, "spec.yaml").write_text(SPEC.format(form=form, count=count))
        begin = time.monotonic()
        purser = subprocess.Popen([binaries / "purser", "check", "spec.yaml"], cwd=folder,
                                  stdout=subprocess.PIPE, text=True)
        peak = peak_until_end(purser)
        said = purser.stdout.read()
        if purser.returncode != 0 or f" {count} items" not in said:
            sys.exit(f"purser ended with {purser.returncode}: {said}")
        return peak, time.monotonic() - begin


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(word) for word in sys.argv[2:4]] or [100_000, 10_000_000]
    good = True
    print(f"{'format':<8} {'rows':>10} {'peak RssAnon':>14} {'wall':>8}")
    for form in ("csv", "ndjson", "json"):
        peaks = []
        for count in sizes:
            peak, wall = peak_kib(binaries, form, count)
            peaks.append(peak)
            print(f"{form:<8} {count:>10} {peak / 1024:>10.1f} MiB {wall:>6.1f} s", flush=True)
        small, large = peaks
        good = good and large < 32 * 1024 and large - small < 8 * 1024
    print("within the goals" if good else "OVER the goals")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
