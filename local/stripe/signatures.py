"""The header that proves the sender of a webhook: `t=…,v1=…`, the HMAC of the stamp and the body."""

import hashlib
import hmac
from collections.abc import Iterable


def signature(body: bytes, secrets: Iterable[str], stamp: int) -> str:
    """Return the header's value; one v1 for each secret (two while a secret is being replaced)."""
    signed = str(stamp).encode() + b"." + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={stamp}", *(f"v1={mark}" for mark in marks)])
