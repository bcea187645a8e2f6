"""python -m local.stripe --port 12111 --folder .local/stripe --webhook URL=SECRET."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from local.stripe.server import Webhook, serve
from local.stripe.store import InUse


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.stripe", description="A stand-in for Stripe on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=12111, help="0 takes a free one (12111)")
    parser.add_argument("--folder", default=".local/stripe", help="where its state is kept; :memory: keeps nothing")
    parser.add_argument(
        "--webhook",
        action="append",
        default=[],
        metavar="URL=SECRET",
        type=_pair,
        help="send events to; may come again",
    )
    parser.add_argument(
        "--connect-webhook", action="append", default=[], metavar="URL=SECRET", type=_pair,
        help="send events of connected accounts to; may come again",
    )  # fmt: skip
    parser.add_argument("--key", action="append", default=[], help="a valid secret key (default: any sk_test_…)")
    given = parser.parse_args(arguments)
    webhooks = [Webhook(url, secret) for url, secret in given.webhook]
    webhooks += [Webhook(url, secret, connect=True) for url, secret in given.connect_webhook]
    try:
        asyncio.run(_serve(given.port, given.folder, webhooks, given.key))
    except (InUse, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _serve(port: int, folder: str, webhooks: list[Webhook], keys: list[str]) -> None:
    where = folder if folder == ":memory:" else Path(folder)
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    stand_in = await serve(port, where, webhooks=webhooks, keys=keys)
    print(f"The Stripe stand-in is ready: {stand_in.url}", flush=True)
    await ended.wait()
    await stand_in.stop()


def _pair(text: str) -> tuple[str, str]:
    url, equals, secret = text.rpartition("=")
    if not equals or not url or not secret:
        raise argparse.ArgumentTypeError(f"{text!r} is not URL=SECRET")
    return url, secret


if __name__ == "__main__":
    sys.exit(main())
