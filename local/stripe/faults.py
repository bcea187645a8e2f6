"""Faults on request: the next matching requests get a late, wrong or missing response."""

import re
from dataclasses import dataclass, field

from local.stripe.errors import Refused, broken, too_many

KINDS = ("rate_limit", "lock_timeout", "error", "unavailable", "delay", "drop_before", "drop_after")


@dataclass(slots=True)
class Fault:
    """A fault for requests whose "METHOD /path" matches the pattern, so many times."""

    kind: str
    matches: str = ".*"
    times: int = 1
    seconds: float = 0.0
    met: int = 0

    def refusal(self) -> Refused | None:
        """Return the response that replaces the real one, if the fault has one."""
        match self.kind:
            case "rate_limit":
                return too_many("Too many requests hit the API too quickly.", "rate_limit")
            case "lock_timeout":
                return too_many(
                    "This object cannot be accessed right now because another API request or Stripe process is "
                    "currently accessing it.",
                    "lock_timeout",
                )
            case "error":
                return broken(500, begun=True)
            case "unavailable":
                return broken(503, begun=False)
            case _:
                return None


@dataclass(slots=True)
class Faults:
    """The pending faults, in the order in which they were added."""

    waiting: list[Fault] = field(default_factory=list)

    def next(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, and use it up by one."""
        for fault in self.waiting:
            if re.search(fault.matches, f"{method} {path}"):
                fault.met += 1
                if fault.met >= fault.times:
                    self.waiting.remove(fault)
                return fault
        return None
