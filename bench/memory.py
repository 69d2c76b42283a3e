#!/usr/bin/env python3
"""Peak anonymous memory of purser at two numbers of items, against the simulator.

usage: bench/memory.py BIN_FOLDER [SMALL LARGE]

Prints RssAnon (the ledger's mapped pages do not count) sampled every 5 ms, as a table. Goals: under
32 MiB at the large number, and no more than 8 MiB above the small one.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

SPEC = """purser: 1
name: memory
api:
  environment: {url}
  version: "2024-08-31"
  limits: {{ rate: unlimited, in_flight: 64, outstanding: 4096 }}
connections:
  shop:
    access_token: {{ env: BENCH_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 64 }}
jobs:
  products:
    connection: shop
    source:
      csv: rows.csv
      key: ${{row.sku}}
    request: POST /products
    body:
      product:
        name: ${{row.name}}
        description: ${{row.text}}
        variants:
          - sku: ${{row.sku}}
            price: 12.34
            option_values:
              - {{ name: size, value: one }}
"""


def anonymous_kib(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def peak_until_end(process):
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous_kib(process.pid))
        time.sleep(0.005)
    return peak


def start_simulator(binaries, *options):
    """The process and the URL that a spec gives as its environment."""
    simulator = subprocess.Popen(
        [binaries / "rutter-sim", "--port", "0", "--profile", "clean", "--job-time", "50",
         "--exit-with-parent", *options], stdout=subprocess.PIPE, text=True)
    return simulator, simulator.stdout.readline().strip() + "/versioned"


def peak_and_wall(binaries, folder, *arguments):
    """Of one purser, which must end well."""
    environment = dict(os.environ, RUTTER_CLIENT_ID="sim-client", RUTTER_CLIENT_SECRET="sim-secret",
                       BENCH_TOKEN="00000000-0000-4000-8000-000000000001")
    begin = time.monotonic()
    purser = subprocess.Popen([binaries / "purser", *arguments], cwd=folder, env=environment,
                              stdout=subprocess.DEVNULL)
    peak = peak_until_end(purser)
    if purser.returncode != 0:
        sys.exit(f"purser {arguments[0]} ended with {purser.returncode}")
    return peak, time.monotonic() - begin


def peak_kib(binaries, count):
    with tempfile.TemporaryDirectory() as folder:
        rows = pathlib.Path(folder, "rows.csv")
        with rows.open("w") as out:
            out.write("sku,name,text\n")
            for i in range(count):
                out.write(f"SKU-{i},Product number {i},{'some words ' * 60}\n")
        simulator, url = start_simulator(binaries)
        pathlib.Path(folder, "spec.yaml").write_text(SPEC.format(url=url))
        result = peak_and_wall(binaries, folder, "run", "spec.yaml", "--state", "state", "--quiet")
        simulator.terminate()
        simulator.wait()
        return result


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(word) for word in sys.argv[2:4]] or [20000, 200000]
    peaks = []
    print(f"{'items':>10} {'peak RssAnon':>14} {'wall':>8}")
    for count in sizes:
        peak, wall = peak_kib(binaries, count)
        peaks.append(peak)
        print(f"{count:>10} {peak / 1024:>10.1f} MiB {wall:>6.1f} s", flush=True)
    small, large = peaks
    good = large < 32 * 1024 and large - small < 8 * 1024
    print("within the goals" if good else "OVER the goals")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
