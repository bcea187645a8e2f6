"""Loads exports of an earlier system into the local database, or into the one that DATABASE_OWNER_URL names.

    python -m demo.legacy --from folder        (or: make import FROM=folder)

The embedded database is started for it if it is not running.
"""

import argparse
import os
import sys
from pathlib import Path

import psycopg

from local.postgres import Server, ServerError
from marquee.operations import legacy_import

DATA = Path(".local/postgres")
DATABASE = "marquee"


def main() -> int:
    """Load them; the exit status of the import."""
    parser = argparse.ArgumentParser(prog="make import", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--from", dest="folder", required=True, help="the folder with the CSV files")
    folder = parser.parse_args().folder
    if not folder:
        print("Name the folder with the exports: make import FROM=demo/import", file=sys.stderr)
        return 2
    url = os.environ.get("DATABASE_OWNER_URL")
    if url is not None:
        return legacy_import.main(["--from", folder, "--url", url])
    if not (DATA / "PG_VERSION").exists():
        print("There is no local database yet: run `make up` once, or set DATABASE_OWNER_URL.", file=sys.stderr)
        return 1
    server = Server(DATA, durable=True)
    was_running = server.pid is not None
    try:
        server.start()
        return legacy_import.main(["--from", folder, "--url", server.url(DATABASE)])
    except (ServerError, psycopg.OperationalError) as error:
        print(str(error), file=sys.stderr)
        return 1
    finally:
        if not was_running:
            server.stop()


if __name__ == "__main__":
    raise SystemExit(main())
