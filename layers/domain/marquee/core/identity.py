"""Who calls: the verified identity that every database session carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

Role = Literal["anon", "authenticated", "service_role"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller: `id` is a profile's id (none for anonymous callers and for services of our own)."""

    id: UUID | None
    role: Role
    org_id: UUID | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)

    def database_claims(self) -> dict[str, Any]:
        """The claims that row security and routines see; the fields of this object win over `claims`."""
        claims = {**self.claims, "role": self.role}
        for name, value in (("sub", self.id), ("org_id", self.org_id)):
            claims.pop(name, None)
            if value is not None:
                claims[name] = str(value)
        return claims


_ANONYMOUS = Caller(None, "anon")
_SERVICE = Caller(None, "service_role")


def anonymous() -> Caller:
    """The caller of public routes, about whom nothing is known."""
    return _ANONYMOUS


def service() -> Caller:
    """The caller of schedules, queues and deployments: Marquee itself."""
    return _SERVICE
