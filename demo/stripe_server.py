"""Stripe for a Marquee on this machine: the stand-in in a separate process, or Stripe's test mode with your key.

STRIPE_API_KEY=sk_test_… in the environment selects Stripe itself. Its webhooks arrive by `stripe listen --forward-to
http://127.0.0.1:3000/webhooks/stripe`, which prints the secret for STRIPE_SIGNING_SECRETS.
"""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.database import ROOT, NotReady
from local.console import Console
from local.instances import CHILD

PORT = 12111
KEY = "sk_test_of_this_machine"
TEST_KEY = re.compile(r"(sk|rk)_test_\w{8,}")
PASSED_ON = ("STRIPE_API_KEY", "STRIPE_API_BASE", "STRIPE_SIGNING_SECRETS")
END_SECONDS_MAX = 5


class StripeSide:
    """The Stripe of the functions; `start`, then `stop`. The stand-in keeps its state in `folder`/stripe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self, webhook: str, console: Console, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Start the stand-in, which sends its events to `webhook`, unless there is a key for Stripe's test mode.

        Returns the environment variables for the functions. Raises NotReady.
        """
        key = environment.get("STRIPE_API_KEY")
        if key:
            if not TEST_KEY.fullmatch(key):
                raise NotReady("STRIPE_API_KEY is no test key (sk_test_…): nothing here is paid with real money.")
            console.say("  Stripe's own test mode, by STRIPE_API_KEY.")
            if not environment.get("STRIPE_SIGNING_SECRETS"):
                console.say(f"  Its webhooks want STRIPE_SIGNING_SECRETS: stripe listen --forward-to {webhook}")
            return {name: environment[name] for name in PASSED_ON if environment.get(name)}
        with console.step("Stripe's stand-in") as step:
            secret = f"whsec_{secrets.token_hex(16)}"
            # Another process may get the usual port at this moment.
            url = step.note = self._launch(_port(), webhook, secret) or self._launch(0, webhook, secret)
            if not url:
                raise NotReady(f"Stripe's stand-in did not start. See {self._log}.")
            (self._folder / "stripe" / "url").write_text(url)
        return {"STRIPE_API_BASE": url, "STRIPE_API_KEY": KEY, "STRIPE_SIGNING_SECRETS": secret}

    def stop(self) -> None:
        """End the stand-in, if it is ours and runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS_MAX)
        process.kill()
        process.communicate()

    @property
    def _log(self) -> Path:
        return self._folder / "logs" / "stripe.log"

    def _launch(self, port: int, webhook: str, secret: str) -> str:
        """Return the stand-in's address once it responds there; empty if it ended instead."""
        folder = self._folder / "stripe"
        folder.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", str(CHILD), "local.stripe", "--folder", str(folder), "--port", str(port)]
        command += ["--webhook", f"{webhook}={secret}", "--connect-webhook", f"{webhook}={secret}"]
        with self._log.open("ab") as errors:
            # Its standard input is a pipe that closes when this process ends in any way; Ctrl-C is handled only here.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                text=True,
                start_new_session=True,
            )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if "is ready" not in line:
            self.stop()
            return ""
        return line.split()[-1]


def _port() -> int:
    """Return the usual port, so that bookmarks stay valid, or any other one if it is taken."""
    with socket.socket() as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            end.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT
