"""Starts Marquee on this machine: the embedded PostgreSQL, migrated and filled with the demo, then the whole template.

    python -m demo.up            (or: make up)

PORT is the gateway's port. DATABASE_URL replaces the embedded database by another one. It is migrated only if
DATABASE_OWNER_URL names its owner, and never filled with the demo. AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_SES and
similar variables, replace the local services by real ones. STRIPE_API_KEY=sk_test_… replaces the stand-in by Stripe's
test mode.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from typing import NoReturn

import psycopg
from psycopg.conninfo import conninfo_to_dict

from demo import database, webhook_keys
from demo.database import NotReady
from demo.stripe_server import StripeSide
from local import cli, state
from local.console import Console
from local.postgres import Server, ServerError
from local.stack import Options, StackError, refuse_taken

ROOT = database.ROOT
FOLDER = state.FOLDER
FREE_BYTES_MIN = 500 * 1024 * 1024
WELCOME = """Marquee is ready on {url}          (Ctrl-C stops it; the data stays in .local)

  API and documentation   {url}/docs
  Token of a person       make token USER=ben          ana and gina work at lakeside; ben, chloe, … are customers
  Demo                    make demo                    in another terminal
  Logs of a function      tail -f .local/logs/book.log
  Sent e-mails            .venv/bin/python -m local mails
  Stripe                  a stand-in, at the address in .local/stripe/url

  curl '{url}/events?limit=3'
  TOKEN=$(make -s token USER=ben)
  curl -X POST {url}/bookings -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
       -H "Idempotency-Key: $(date +%s)" -d '{"event_id": "EVENT", "seats": 1}'
  curl {url}/bookings -H "Authorization: Bearer $TOKEN"
"""
BOOKABLE = """
select d.id
from events.event_details as d
where
    d.booking_open
    and d.price_cents = 0
    and d.seats_left > 2
    and d.waitlisted = 0
    and not exists (
        select from events.bookings as b
        inner join users.profiles as p on b.customer_id = p.id
        where b.event_id = d.id and p.name = 'Ben'
    )
order by d.starts_at
limit 1
"""


def main() -> int:
    """Start, serve until a signal, stop. Returns the exit status."""
    console = Console()
    os.chdir(ROOT)
    _on_early_end()
    server = None
    stripe = StripeSide(FOLDER)
    try:
        port = _port()
        refuse_taken(port, FOLDER)
        _require_space()
        if "DATABASE_URL" not in os.environ:  # only now, so that the end never stops another stack's server
            server = Server(FOLDER / "postgres", durable=True)
        console.say("Marquee")
        if server is None:
            url = _given(console)
        else:
            database.prepare(server, console)
            url = database.login(server)
        stripe_environment = stripe.start(f"http://127.0.0.1:{port}/webhooks/stripe", console)
        return cli.serve(
            _options(port, url, stripe_environment),
            console,
            lambda: _welcome(f"http://127.0.0.1:{port}", None if server is None else server.url(database.DATABASE)),
            force=lambda: _abandon(server),
        )
    except (NotReady, StackError, ServerError) as error:
        console.say(str(error))
        return 1
    except psycopg.Error as error:
        console.say(
            f"The database does not work as it should: {error}\nIf this persists, start again with `make reset`."
        )
        return 1
    except OSError as error:
        console.say(
            f"{error.strerror}: {error.filename or FOLDER}. Is the folder yours to write, and the disk not full?"
        )
        return 1
    except KeyboardInterrupt:
        console.say("Stopped.")
        return 130
    finally:
        stripe.stop()
        if server is not None:
            _on_last_end(server)
            server.stop()


def _port() -> int:
    text = os.environ.get("PORT", "3000")
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise NotReady(f"PORT={text} is no port. Choose one from 1024 to 65535: PORT=3001 make up.")
    return int(text)


def _require_space() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < FREE_BYTES_MIN:
        raise NotReady(f"The disk has {free // 1024**2} MB left; the database needs 500 MB. Free some and try again.")


def _given(console: Console) -> str:
    """Return the caller's own database: if its owner is named, it is migrated and its logins get the URL's password."""
    url, owner = os.environ["DATABASE_URL"], os.environ.get("DATABASE_OWNER_URL")
    if not owner:
        console.say("  DATABASE_URL is used as it is (DATABASE_OWNER_URL=… would migrate it first).")
        return url
    database.migrate(owner, console)
    given = conninfo_to_dict(url)
    if not given.get("user") and given.get("password"):
        database.set_passwords(owner, str(given["password"]))
    return url


def _options(port: int, database_url: str, stripe_environment: Mapping[str, str]) -> Options:
    # A subscriber of webhooks that is tried out here is on this machine too.
    environment = {
        "DATABASE_URL": database_url,
        "WEBHOOKS_ALLOW_PRIVATE": "true",
        "WEBHOOK_KEYS": webhook_keys.kept(FOLDER),
        **stripe_environment,
    }
    return Options(
        template=ROOT / "template.yaml",
        port=port,
        name="marquee",
        region=os.environ.get("AWS_REGION", "eu-central-1"),
        parameters={"TokenIssuer": "{url}", "TokenJwksUrl": "{url}/.well-known/jwks.json"},
        environment=environment,
        docs=ROOT / "docs" / "openapi.json",
        folder=FOLDER,
        audience="marquee",
    )


def _welcome(url: str, owner: str | None) -> str:
    event = "…"
    if owner is not None:
        with psycopg.connect(owner) as connection:
            row = connection.execute(BOOKABLE).fetchone()
            event = str(row[0]) if row else event
    return WELCOME.replace("{url}", url).replace("EVENT", event)


def _abandon(server: Server | None) -> None:
    """Stop PostgreSQL as in a crash after the second signal; it recovers at the next start."""
    pid = server.pid if server is not None else None
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)


def _on_last_end(server: Server) -> None:
    """Exit at once when interrupted while PostgreSQL stops."""

    def end(_number: int, _frame: object) -> NoReturn:
        _abandon(server)
        os._exit(130)

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, end)


def _on_early_end() -> None:
    """Treat SIGTERM before the gateway is up like Ctrl-C, so that the database is stopped."""

    def end(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


if __name__ == "__main__":
    raise SystemExit(main())
