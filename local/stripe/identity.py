"""Ids as Stripe makes them: a prefix that tells the kind, and letters and digits that tell nothing."""

import secrets
import string

LETTERS = string.ascii_letters + string.digits
LENGTH = 24


def new_id(prefix: str, length: int = LENGTH) -> str:
    """An id such as pi_3f…; the prefix has no underscore."""
    return f"{prefix}_{new_secret(length)}"


def new_secret(length: int = 32) -> str:
    """Letters and digits that nobody can guess."""
    return "".join(LETTERS[byte % len(LETTERS)] for byte in secrets.token_bytes(length))
