"""Errors of the domain: typed, with a stable code, independent of HTTP libraries.

A *refusal* is a regular result: the rules do not allow the request. A *fault* is any other error and is raised, so that
alarms and roll-back work.
"""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The rules do not allow the request; `code` is stable, `status` is the HTTP status of the response.

    raise Refused(409, "sold_out", "3 of 20 seats are left.", waitlist=True)

    Named arguments become members of the problem document.
    """

    def __init__(self, status: int, code: str, detail: str | None = None, /, **extensions: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.extensions: Mapping[str, Any] = extensions


class Unavailable(Exception):
    """Marquee cannot do this at the moment; the same request with the same Idempotency-Key can be sent again."""

    def __init__(self, detail: str, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
