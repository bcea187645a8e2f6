"""Stripe's signature of a webhook: HMAC-SHA256 over its stamp and its raw body, in the header Stripe-Signature.

    Stripe-Signature: t=1760600498,v1=5257a869…,v1=6ffbb59b…,v0=…

During a rotation Stripe signs with both secrets, so both are accepted: any v1 signature may match any of the secrets.
Comparison takes constant time. A stamp may be five minutes off, in the past or in the future.
"""

import hmac
import re
from collections.abc import Sequence

TOLERANCE_SECONDS = 300
SIGNATURES_MAX = 16

_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


class NotSigned(Exception):
    """The body was not just signed by Stripe for us; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(
    body: bytes,
    header: str | None,
    secrets: Sequence[str],
    *,
    now: float,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> None:
    """Check that Stripe signed this body with one of the secrets, recently; `now` is in seconds since 1970.

    Raises NotSigned: signature_missing, signature_malformed, signature_mismatch, signature_stale, signature_future.
    """
    if not header:
        raise NotSigned("signature_missing")
    stamp, signatures = _parts(header)
    signed = f"{stamp}.".encode() + body
    expected = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets if secret]
    # Every pair is compared, so that the time taken does not show which one matched.
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]
    if not any(matches):
        raise NotSigned("signature_mismatch")
    age_seconds = now - int(stamp)
    if age_seconds > tolerance_seconds:
        raise NotSigned("signature_stale")
    if age_seconds < -tolerance_seconds:
        raise NotSigned("signature_future")


def header_of(body: bytes, secrets: Sequence[str], *, now: float) -> str:
    """Return the header as Stripe would send it, for rehearsals and tests."""
    stamp = int(now)
    signed = f"{stamp}.".encode() + body
    return ",".join([f"t={stamp}", *(f"v1={hmac.digest(each.encode(), signed, 'sha256').hex()}" for each in secrets)])


def _parts(header: str) -> tuple[str, list[str]]:
    """Return the stamp and the v1 signatures; other schemes are ignored."""
    stamps, signatures = [], []
    for item in header.split(","):
        name, _, value = item.strip().partition("=")
        if name == "t":
            stamps.append(value)
        elif name == "v1":
            signatures.append(value)
    well_formed = len(stamps) == 1 and _STAMP.fullmatch(stamps[0]) and 0 < len(signatures) <= SIGNATURES_MAX
    if not well_formed or not all(_SIGNATURE.fullmatch(each) for each in signatures):
        raise NotSigned("signature_malformed")
    return stamps[0], signatures
