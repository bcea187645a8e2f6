"""The keys that seal the secrets of webhooks on this machine: made once, kept beside the data that they belong to."""

import json
import os
import secrets
from pathlib import Path

NAME = "webhook-keys.json"


def kept(folder: Path) -> str:
    """Return the keys as the secret of the stack holds them. WEBHOOK_KEYS takes the place of those in the folder."""
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
