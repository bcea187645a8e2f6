"""The keys that seal webhook secrets on this machine: created once, kept beside the data that need them."""

import json
import os
import secrets
from pathlib import Path

NAME = "webhook-keys.json"


def kept(folder: Path) -> str:
    """Return the keys in the form of the stack's secret. WEBHOOK_KEYS replaces those in the folder."""
    given = os.environ.get("WEBHOOK_KEYS")
    if given:
        return given
    path = folder / NAME
    if not path.exists():
        # Written beside its place and then moved there, so that a file cut short is not taken for the keys.
        fresh = path.with_name(f".{NAME}.new")
        fresh.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"current": "k1", "k1": secrets.token_hex(32)}))
        fresh.replace(path)
    return path.read_text()
