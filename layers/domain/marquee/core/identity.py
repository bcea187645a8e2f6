"""The caller: the verified identity that every database session carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

Role = Literal["anon", "authenticated", "service_role"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller: `id` is a profile's id (None for anonymous callers and for our own services)."""

    id: UUID | None
    role: Role
    org_id: UUID | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)

    def database_claims(self) -> dict[str, Any]:
        """Return the claims for row security and routines; the fields of this object override `claims`."""
        claims = {**self.claims, "role": self.role}
        for name, value in (("sub", self.id), ("org_id", self.org_id)):
            claims.pop(name, None)
            if value is not None:
                claims[name] = str(value)
        return claims


_ANONYMOUS = Caller(None, "anon")
_SERVICE = Caller(None, "service_role")


def anonymous() -> Caller:
    """Return the caller of public routes, who is unknown."""
    return _ANONYMOUS


def service() -> Caller:
    """Return the caller of schedules, queues and deployments: Marquee itself."""
    return _SERVICE
