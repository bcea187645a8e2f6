"""Random codes that prove a right, of which the database stores the hash alone."""

import hashlib
import secrets

CODE_LENGTH = 43


def new_code() -> str:
    """Return 256 random bits in base64url."""
    return secrets.token_urlsafe(32)


def hash_of(code: str) -> bytes:
    """Return what the database stores of a code: its 256 random bits need no slow hash."""
    return hashlib.sha256(code.encode()).digest()
