"""Loads exports of an earlier system into the local database, or into the one that DATABASE_OWNER_URL names.

    python -m demo.legacy --from folder        (or: make import FROM=folder)

The embedded database is made and started for it if it is not running.
"""

import argparse
import os
import sys
from pathlib import Path

import psycopg

from demo import database
from local import state
from local.console import Console
from local.postgres import Server, ServerError
from marquee.operations import legacy_import

DATA = state.FOLDER / "postgres"


def main() -> int:
    """Load the exports. Returns the exit status of the import."""
    parser = argparse.ArgumentParser(prog="make import", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--from", dest="folder", required=True, help="the folder with the CSV files")
    folder = parser.parse_args().folder
    if not folder:
        print("Name the folder with the exports: make import FROM=demo/import", file=sys.stderr)
        return 2
    url = os.environ.get("DATABASE_OWNER_URL")
    if url is not None:
        return legacy_import.main(["--from", folder, "--url", url])
    if not Path(folder).is_dir():
        print(f"There is no folder {folder}.", file=sys.stderr)
        return 2
    server = Server(DATA, durable=True)
    alone = _alone()
    try:
        if alone:
            database.prepare(server, Console())
        else:
            server.start()  # which is there already, and finds its port
        return legacy_import.main(["--from", folder, "--url", server.url(database.DATABASE)])
    except (database.NotReady, ServerError, psycopg.OperationalError) as error:
        print(str(error), file=sys.stderr)
        return 1
    finally:
        if alone:
            server.stop()


def _alone() -> bool:
    """Return whether no stack runs here; then none can start before this process ends."""
    try:
        state.claim(state.FOLDER)
    except state.Claimed:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
