"""A token issuer for one machine: an RSA key of its own, JWTs signed with it, and the documents that verify them.

    issuer = Issuer(Path(".local/issuer"))
    token = issuer.token("http://127.0.0.1:3000", audience="shop", sub="…", role="authenticated")

The key never leaves the folder; whoever can read it can sign, so it is for local use alone.
"""

import base64
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KEY_BITS = 2048
HOURS_VALID = 12


class Issuer:
    """Signs tokens with the key in `folder`, which is created on first use."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "key.pem"
        self._key = self._load()
        numbers = self._key.public_key().public_numbers()
        members = {"e": _encoded(numbers.e), "kty": "RSA", "n": _encoded(numbers.n)}
        canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
        self.key_id = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).decode().rstrip("=")
        self._members = members

    def keys(self) -> dict[str, Any]:
        """Return the JWKS document: the public key."""
        return {"keys": [{**self._members, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def configuration(self, url: str) -> dict[str, Any]:
        """Return the OpenID configuration of the issuer at this URL."""
        return {
            "issuer": url,
            "jwks_uri": f"{url}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        }

    def token(
        self, url: str, *, audience: str, sub: str, seconds: int = HOURS_VALID * 3600, **claims: str | bool | None
    ) -> str:
        """Return a JWT of the issuer at `url`, valid for `seconds`; claims that are None are omitted."""
        now = int(time.time())
        given = {name: value for name, value in claims.items() if value is not None}
        document = {"iss": url, "aud": audience, "sub": sub, "iat": now, "nbf": now, "exp": now + seconds, **given}
        return jwt.encode(document, self._key, algorithm="RS256", headers={"kid": self.key_id})

    def _load(self) -> rsa.RSAPrivateKey:
        try:
            loaded = serialization.load_pem_private_key(self._file.read_bytes(), password=None)
        except (FileNotFoundError, ValueError):  # missing, or truncated by a crash
            self._make()
            loaded = serialization.load_pem_private_key(self._file.read_bytes(), password=None)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise TypeError(f"{self._file} is not an RSA key. Delete it, and another one is created.")
        return loaded

    def _make(self) -> None:
        key = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        partial.replace(self._file)


def _encoded(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
