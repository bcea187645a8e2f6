"""Deletes everything that Marquee keeps on this machine: the database, the issuer's keys, the logs."""

import shutil
import sys

from local import state
from local.postgres import Server, ServerError

FOLDER = state.FOLDER


def main() -> int:
    """Delete the data. Returns 1 while the system is running, or if they cannot be deleted."""
    try:
        state.claim(FOLDER)
        Server(FOLDER / "postgres", durable=True).stop("immediate")  # of a stack that was killed
        shutil.rmtree(FOLDER)
    except (state.Claimed, ServerError) as error:
        print(str(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.strerror}: {error.filename}. Did another user make it (root, by sudo)?", file=sys.stderr)
        return 1
    print("Clean. `make up` starts over.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
