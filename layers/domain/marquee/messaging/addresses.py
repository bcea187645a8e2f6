"""Where a webhook may go: which URLs an endpoint can have, and which addresses are ever connected to.

A URL comes from a stranger, and so does what its name resolves to. Only addresses that are reachable by everybody are
called; nothing of ours, of the cloud's or of this machine, however it is written. `allow_private` (for development)
lets everything through but what is no URL of a server at all.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marquee.core import urls

URL_LENGTH_MAX = urls.LENGTH_MAX
PORTS = frozenset({443, 8443})

_NAMES_NOT_PUBLIC = ("localhost", "localdomain", "local", "internal", "home.arpa", "onion", "test", "invalid")

# Beside what `ipaddress` takes to be not global, which differs between releases of Python; and one public address that
# is a cloud's own server to every machine in it.
_IPV4_REFUSED = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Global unicast only; in it, what is documentation, or carries an IPv4 address that somebody else unpacks.
_IPV6_ALLOWED = ipaddress.IPv6Network("2000::/3")
_IPV6_REFUSED = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class NotAllowed(Exception):
    """A URL or an address that webhooks do not go to; the message says why, for whoever gave the URL."""


class NotResolved(Exception):
    """The name has no address just now."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart once, so that everybody who looks at it sees the same; `path` has its query."""

    is_secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address, as the socket takes it."""

    family: socket.AddressFamily
    place: tuple[str, int] | tuple[str, int, int, int]


Resolve = Callable[[str, int], Sequence[Address]]


def target(url: str, *, allow_private: bool = False) -> Target:
    """A URL that an endpoint can have. Raises NotAllowed."""
    try:
        parts = urls.parse(url)
    except urls.NotAUrl as error:
        raise NotAllowed(str(error)) from error
    if parts.scheme != "https" and not allow_private:
        raise NotAllowed("Webhooks go over https.")
    if "#" in url:
        raise NotAllowed("The URL has no fragment.")
    if parts.port not in PORTS and not allow_private:
        raise NotAllowed(f"Webhooks go to the ports {' and '.join(map(str, sorted(PORTS)))}.")
    if not allow_private:
        _check_public(parts)
    return Target(parts.scheme == "https", parts.host, parts.port, parts.path)


def resolve(host: str, port: int) -> list[Address]:
    """All addresses of a name, as the system resolves it. Raises NotResolved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotResolved from error
    # Without IPv6 in the interpreter the place would be a pair of other things; there is no such address to call.
    return [Address(family, place) for family, _, _, _, place in found if isinstance(place[0], str)]


def check(found: Sequence[Address]) -> None:
    """Every address must be reachable by everybody: one that is not refuses them all. Raises NotAllowed."""
    if not found:
        raise NotResolved
    if not all(is_public(address.place[0]) for address in found):
        raise NotAllowed("The name leads to an address that is not public.")


def is_public(text: str) -> bool:
    """Whether an address in its plain form is one that everybody reaches over the internet."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _IPV4_REFUSED)
    if address.scope_id is not None or address not in _IPV6_ALLOWED:
        return False
    return not any(address in network for network in _IPV6_REFUSED)


def _check_public(parts: urls.Url) -> None:
    if parts.is_name:
        is_known_private = any(f".{parts.host}".endswith(f".{name}") for name in _NAMES_NOT_PUBLIC)
        if "." not in parts.host or is_known_private:
            raise NotAllowed("The name is not a public one.")
    elif not is_public(parts.host):
        raise NotAllowed("The address is not public.")
