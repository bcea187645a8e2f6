"""Measure Marquee, write the results and print them as a table.

    python -m bench                     every part
    python -m bench booking --quick     one part with rougher figures, in a minute and a half
    python -m bench booking --report    the table of the last full run, without measuring

The parts are the modules of bench/parts. docs/operate/benchmarks.md explains their rows.
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
from bench.runs import FOLDER, MeasurementFailed, log, start_run
from local.postgres import ServerError

PARTS = sorted(module.name for module in pkgutil.iter_modules(parts.__path__))


def main(arguments: list[str] | None = None) -> int:
    """Measure the requested parts and return the exit status.

    A missed target is no failure. A measurement that did not work is one.
    """
    given = _parser().parse_args(arguments)
    chosen = [given.part] if given.part else PARTS
    if given.report:
        return _print_results(chosen)
    try:
        for part in chosen:
            _measure(part, quick=given.quick)
    except (MeasurementFailed, ServerError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired as error:
        print(f"\nA process took too long and was stopped: {error}", file=sys.stderr)
        return 1
    except psycopg.Error as error:
        print(f"\nThe database reported an error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. No results were written.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure how fast Marquee is, and compare it with floors that are measured in the same run. "
        "docs/operate/benchmarks.md explains each row of the table.",
        epilog="A full run writes bench/results/PART.json and its table in bench/results/README.md. "
        "A quick run writes .local/bench/PART.json.",
    )
    parser.add_argument("part", nargs="?", choices=PARTS, help="the part to measure (default: all parts)")
    parser.add_argument("--quick", action="store_true", help="measure fewer and shorter runs: rougher figures, sooner")
    parser.add_argument("--report", action="store_true", help="print the table of the last full run without measuring")
    return parser


def _measure(part: str, *, quick: bool) -> None:
    module = importlib.import_module(f"bench.parts.{part}")
    began = time.monotonic()
    log(f"{part}, {'quick' if quick else 'full'} run")
    with start_run(quick=quick) as run:
        rows = list(module.rows(run))
    shown = report.table(machine.described(), rows, module.TARGETS)
    file = (FOLDER if quick else report.RESULTS) / f"{part}.json"
    report.write(file, report.document(machine.described(), rows))
    if not quick:
        report.renew(report.PAGE, part, shown)
    log(f"done in {time.monotonic() - began:.0f} s; written to {os.path.relpath(file)}")
    print(shown)


def _print_results(chosen: list[str]) -> int:
    for part in chosen:
        file = report.RESULTS / f"{part}.json"
        if not file.exists():
            print(f"There are no results of {part} yet. Run `make bench PART={part}`.", file=sys.stderr)
            return 1
        print(report.table(*report.read(file), importlib.import_module(f"bench.parts.{part}").TARGETS))
    return 0


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    raise SystemExit(main())
