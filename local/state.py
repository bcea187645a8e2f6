"""The state that a running stack leaves for the other commands: its address and its identity.

A killed stack leaves its file behind; the stack itself is asked whether it still runs.
"""

import fcntl
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(".local")
HEADER = "X-Local-Stack"
STATUS_SECONDS_MAX = 3
CALL_SECONDS_MAX = 960


class NotRunning(Exception):
    """No stack runs here; the message says how to start one."""


class Claimed(Exception):
    """Another process runs the stack of this folder; the message says which."""


class Refused(Exception):
    """The running stack refused; the message is its own."""


@dataclass(frozen=True, slots=True)
class State:
    """A stack: its process, its address, its AWS services and the audience of its tokens."""

    pid: int
    url: str
    aws: str
    template: str
    audience: str
    started_at: str


def claim(folder: Path) -> None:
    """Claim the folder for this process, until the process ends in any way. Raises Claimed.

    Two stacks in one folder would share a database and its files.
    """
    if folder.absolute() in _claims:
        return
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        state = running(folder)
        where = f"on {state.url} (process {state.pid})" if state else "or is just starting or stopping"
        raise Claimed(f"The stack runs already, {where}. Stop it with Ctrl-C there.") from error
    _claims[folder.absolute()] = descriptor


def release(folder: Path) -> None:
    """Release the folder."""
    descriptor = _claims.pop(folder.absolute(), None)
    if descriptor is not None:
        os.close(descriptor)


_claims: dict[Path, int] = {}


def write(folder: Path, state: State) -> None:
    """Write the state for other commands."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "stack.json.part"
    partial.write_text(json.dumps(asdict(state), indent=2) + "\n")
    partial.replace(folder / "stack.json")


def clear(folder: Path) -> None:
    """Delete the state, if it is this process's."""
    state = last(folder)
    if state is not None and state.pid == os.getpid():
        (folder / "stack.json").unlink(missing_ok=True)


def last(folder: Path) -> State | None:
    """Return the state that was written last, whether or not that stack still runs."""
    try:
        return State(**json.loads((folder / "stack.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(folder: Path) -> State | None:
    """Return the stack that runs now, or None. It runs if its process exists and responds with its own id."""
    state = last(folder)
    if state is None:
        return None
    try:
        os.kill(state.pid, 0)
        answer = call(state.url, "GET", "/.local/status", seconds=STATUS_SECONDS_MAX)
    except (ProcessLookupError, NotRunning, Refused):
        return None
    except PermissionError:
        return None
    return state if answer.get("pid") == state.pid else None


def call(url: str, method: str, path: str, body: bytes | None = None, *, seconds: float = CALL_SECONDS_MAX) -> Any:
    """Call a stack. Raises NotRunning, Refused."""
    request = urllib.request.Request(  # noqa: S310  # the URL is the stack's own
        url.rstrip("/") + urllib.parse.quote(path), data=body, method=method, headers={HEADER: "1"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=seconds) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        try:
            message = json.loads(text)["message"]
        except (ValueError, KeyError, TypeError):
            message = f"{url} responded with {error.code}."
        raise Refused(message) from error
    except (OSError, ValueError) as error:
        raise NotRunning(f"No stack responds at {url}. Start it with `make up` (or `python -m local up`).") from error
