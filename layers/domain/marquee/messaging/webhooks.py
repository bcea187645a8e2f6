"""The contents of a webhook and the times of its retries, by the Standard Webhooks specification.

The signed text is `id.timestamp.body`. Each valid secret of the endpoint gives a signature of HMAC-SHA256, so that a
receiver can change its secret within a day. The id is the delivery's and stays the same in every retry.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of every secret
USER_AGENT = "Marquee-Webhooks/1"

MINUTE, HOUR = 60, 3600
PAUSES_SECONDS = (5, 5 * MINUTE, 30 * MINUTE, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)))
"""The pauses after the first, second, … attempt: ten attempts in a little over three days."""
TRIES_MAX = len(PAUSES_SECONDS) + 1
JITTER = 0.1
RETRY_AFTER_SECONDS_MAX = 24 * HOUR
RETRY_AFTER_STATUSES = frozenset({429, 503})


def body(topic: str, occurred_at: datetime, data: Mapping[str, Any]) -> bytes:
    """Return the message, byte for byte the same at every attempt."""
    timestamp = occurred_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = {"type": topic, "timestamp": timestamp, "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def headers(webhook_id: str, sent_at: datetime, content: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of one attempt; `secrets` are the valid ones, the current one first."""
    timestamp = str(int(sent_at.timestamp()))
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(sign(secret, webhook_id, timestamp, content) for secret in secrets),
    }


def sign(secret: str, webhook_id: str, timestamp: str, content: bytes) -> str:
    """Return one signature: v1, a comma, and the HMAC in base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = f"{webhook_id}.{timestamp}.".encode() + content
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def pause_seconds(tries: int, jitter: float, retry_after_seconds: float | None = None) -> float | None:
    """Return the pause after so many attempts, or None after the last one.

    `jitter` (0–1) spreads it by a tenth either way. A longer pause that the receiver asked for has precedence, up to a
    day.
    """
    if tries >= TRIES_MAX:
        return None
    pause = PAUSES_SECONDS[tries - 1] * (1 - JITTER + 2 * JITTER * jitter)
    return max(pause, min(retry_after_seconds or 0, RETRY_AFTER_SECONDS_MAX))


def retry_after_seconds(status_code: int, value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header (seconds, or a date) asks for, for statuses that may ask."""
    if value is None or status_code not in RETRY_AFTER_STATUSES:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - now).total_seconds(), 0.0)
