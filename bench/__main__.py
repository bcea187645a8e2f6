"""Measures Marquee and prints a table.

python -m bench                     every part
python -m bench booking --quick     one part, roughly, in a minute and a half
python -m bench booking --report    the table of the last full run, without measuring
"""

import argparse
import importlib
import os
import pkgutil
import signal
import subprocess
import sys
import time
from typing import NoReturn

import psycopg

from bench import machine, parts, report
from bench.runs import FOLDER, Broken, begun, say
from local.postgres import ServerError

PARTS = sorted(module.name for module in pkgutil.iter_modules(parts.__path__))


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts asked for; the exit status. A target that is missed is no failure, a broken run is."""
    given = _parser().parse_args(arguments)
    chosen = [given.part] if given.part else PARTS
    if given.report:
        return _tell(chosen)
    try:
        for part in chosen:
            _measure(part, quick=given.quick)
    except (Broken, ServerError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired as error:
        print(f"\nToo slow to be measured: {error}", file=sys.stderr)
        return 1
    except psycopg.Error as error:
        print(f"\nThe database does not do what it must: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Nothing was written.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures how fast Marquee is, against floors measured in the same run. "
        "docs/operate/benchmarks.md explains each row.",
        epilog="A full run writes bench/results/PART.json, a quick one .local/bench/PART.json.",
    )
    parser.add_argument("part", nargs="?", choices=PARTS, help="the part to measure; all of them without it")
    parser.add_argument("--quick", action="store_true", help="less of everything: rougher figures, sooner")
    parser.add_argument("--report", action="store_true", help="print the table of the last full run, measure nothing")
    return parser


def _measure(part: str, *, quick: bool) -> None:
    module = importlib.import_module(f"bench.parts.{part}")
    began = time.monotonic()
    say(f"{part}, {'quick' if quick else 'full'} run")
    with begun(quick=quick) as run:
        rows = list(module.rows(run))
    shown = report.table(machine.described(), rows, module.TARGETS)
    file = (FOLDER if quick else report.RESULTS) / f"{part}.json"
    report.write(file, report.document(machine.described(), rows))
    if not quick:
        report.renew(report.PAGE, part, shown)
    say(f"done in {time.monotonic() - began:.0f} s; written to {os.path.relpath(file)}")
    print(shown)


def _tell(chosen: list[str]) -> int:
    for part in chosen:
        file = report.RESULTS / f"{part}.json"
        if not file.exists():
            print(f"There are no results of {part} yet: run `make bench PART={part}`.", file=sys.stderr)
            return 1
        print(report.table(*report.read(file), importlib.import_module(f"bench.parts.{part}").TARGETS))
    return 0


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    raise SystemExit(main())
