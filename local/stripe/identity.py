"""Ids in Stripe's form: a prefix for the kind, and random letters and digits."""

import secrets
import string

LETTERS = string.ascii_letters + string.digits
LENGTH = 24


def new_id(prefix: str, length: int = LENGTH) -> str:
    """Return an id such as pi_3f…; the prefix has no underscore."""
    return f"{prefix}_{new_secret(length)}"


def new_secret(length: int = 32) -> str:
    """Return letters and digits that nobody can guess."""
    return "".join(LETTERS[byte % len(LETTERS)] for byte in secrets.token_bytes(length))
