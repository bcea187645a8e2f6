"""Deletes everything that Marquee keeps on this machine: the database, the issuer's keys, the logs."""

import json
import os
import shutil
import sys
from pathlib import Path

FOLDER = Path(".local")


def main() -> int:
    """Delete it; 1 while the system is running."""
    state = FOLDER / "stack.json"
    if state.exists():
        pid = json.loads(state.read_text()).get("pid")
        if pid and _runs(int(pid)):
            print(f"The system is running (process {pid}). Stop it with Ctrl-C first.", file=sys.stderr)
            return 1
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    print("Clean. `make up` starts over.")
    return 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    raise SystemExit(main())
