"""Secrets at rest: sealed by AES-256-GCM under a key of a ring, and opened by the key that the sealed text names.

    sealed = ring.seal("whsec_…", context)       # v1.<key id>.<nonce and ciphertext in base64url>
    secret = ring.open(sealed, context)

The context says whose secret it is. It is authenticated and not stored, so a sealed text that is copied to another row
cannot be opened there. The keys come from outside the database.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = "v1"
NONCE_BYTES = 12
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
MATERIAL_LENGTH_MIN = 32
_PURPOSE = b"marquee sealing v1"


class Unreadable(Exception):
    """A sealed text cannot be opened: its key is not in the ring, or it was changed or moved."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The current key, which seals, and older ones, which only open."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def seal(self, text: str, context: str) -> str:
        """Return the text sealed by the current key."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + _cipher(self.keys[self.current]).encrypt(nonce, text.encode(), context.encode())
        return f"{VERSION}.{self.current}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def open(self, sealed: str, context: str) -> str:
        """Return the text that was sealed. Raises Unreadable."""
        from cryptography.exceptions import InvalidTag

        key_id = key_id_of(sealed)
        if key_id not in self.keys:
            raise Unreadable(f"The key ring has no key {key_id!r}. Put it back, or replace the secret.")
        try:
            content = base64.urlsafe_b64decode(sealed.rpartition(".")[2] + "==")
            return (
                _cipher(self.keys[key_id])
                .decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], context.encode())
                .decode()
            )
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise Unreadable(
                f"The key {key_id!r} does not open the text: the key, the text or its place was changed."
            ) from error


def key_ring(current: str, material: Mapping[str, str]) -> KeyRing:
    """Return a ring of keys derived from random texts of 32 characters or more. Raises ValueError."""
    if current not in material:
        raise ValueError("The current key is not in the key ring.")
    for key_id, text in material.items():
        if not KEY_ID.fullmatch(key_id):
            raise ValueError("A key's id has 1 to 32 letters, digits, hyphens and underscores.")
        if len(text) < MATERIAL_LENGTH_MIN:
            raise ValueError(f"The key {key_id} has fewer than {MATERIAL_LENGTH_MIN} characters.")
    return KeyRing(current, {key_id: _derived(text) for key_id, text in material.items()})


def key_id_of(sealed: str) -> str:
    """Return the id of the key that sealed a text. Raises Unreadable for a text that is not sealed."""
    version, _, rest = sealed.partition(".")
    key_id, dot, _content = rest.partition(".")
    if version != VERSION or not dot:
        raise Unreadable("The text is not sealed.")
    return key_id


def _derived(material: str) -> bytes:
    # Imported here and below, because few functions seal anything.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(material.encode())


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
