"""The terminal output of the stack: steps with durations, one line per invocation, failures in full."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from local.events import Call
from local.functions import Outcome
from local.resources import Function
from local.runtime import Failure

TRACE_LINES_MAX = 12
LABEL_WIDTH = 16


class Step:
    """A step in progress; `note` is shown at its end."""

    def __init__(self) -> None:
        self.note = ""


class Console:
    """Writes to one stream. `quiet` omits the lines of successful invocations."""

    def __init__(self, stream: TextIO = sys.stdout, *, quiet: bool = False, logs: Path = Path(".local/logs")) -> None:
        self._stream = stream
        self._logs = logs
        self._quiet = quiet
        self._colours = stream.isatty()
        self._told: dict[str, Failure] = {}

    def say(self, text: str = "") -> None:
        """Write a line unchanged."""
        self._stream.write(text + "\n")
        self._stream.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show that a step is running, and then its duration."""
        began = time.perf_counter()
        if self._colours:
            self._stream.write(f"  {name:<{LABEL_WIDTH}} …")
            self._stream.flush()
        step = Step()
        try:
            yield step
        except BaseException:
            if self._colours:
                self.say()
            raise
        start = "\r" if self._colours else ""
        self.say(f"{start}  {name:<{LABEL_WIDTH}} {step.note:<62} {time.perf_counter() - began:5.1f} s")

    def request(
        self, call: Call, status: int, seconds: float, function: Function | None, outcome: Outcome | None
    ) -> None:
        """Write one line for a request."""
        title = function.title if function else "-"
        cold = outcome.cold_seconds if outcome else None
        self._line(title, f"{call.method} {call.path}", str(status), seconds, cold, call.request_id, bad=status >= 500)

    def invocation(self, function: Function, what: str, result: str, outcome: Outcome) -> None:
        """Write one line for an invocation that is not a request."""
        bad = isinstance(outcome.result, Failure)
        self._line(function.title, what, result, outcome.seconds, outcome.cold_seconds, outcome.request_id, bad=bad)

    def failure(self, function: Function, outcome: Outcome) -> None:
        """Show the failure of a function and its log; in full unless it equals the last one."""
        if not isinstance(outcome.result, Failure):
            return
        failure = outcome.result
        known = self._told.get(function.title) == failure
        self._told[function.title] = failure
        message = failure.message.partition("\n")[0] + " (as before)" if known else failure.message
        self.say(self._coloured(f"{function.title:<12} {failure.kind}: {message}", "31"))
        if known:
            return
        for line in "".join(failure.trace).rstrip().splitlines()[-TRACE_LINES_MAX:]:
            self.say(f"    {line}")
        self.say(f"    see {self._logs / function.title}.log")

    def _line(
        self, title: str, what: str, result: str, seconds: float, cold: float | None, request_id: str, *, bad: bool
    ) -> None:
        if self._quiet and not bad:
            return
        start = f"  cold {cold * 1000:.0f} ms" if cold is not None else ""
        text = f"{title:<12} {what:<52} {result:<4} {seconds * 1000:6.0f} ms{start}  {request_id}"
        self.say(self._coloured(text, "31") if bad else text)

    def _coloured(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colours else text
