"""What the domain says when it cannot or will not do a thing: typed, with a stable code, free of HTTP machinery.

A *refusal* is an answer: the caller asked for something that the rules do not allow. A *fault* is anything else and is
left to raise, so that alarms and roll-back work.
"""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The rules do not allow what was asked; `code` is stable, `status` is the HTTP status it answers with.

    raise Refused(409, "sold_out", "3 of 20 seats are left.", waitlist=True)

    Whatever is given by name becomes a member of the problem document.
    """

    def __init__(self, status: int, code: str, detail: str | None = None, /, **extensions: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.extensions: Mapping[str, Any] = extensions


class Unavailable(Exception):
    """Marquee cannot do this just now; the same request, with the same Idempotency-Key, may be sent again."""

    def __init__(self, detail: str, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
