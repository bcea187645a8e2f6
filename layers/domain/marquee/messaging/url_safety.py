"""Allowed destinations of webhooks: the URLs that an endpoint can have, and the addresses that are connected to.

A URL comes from a stranger, and so do the addresses of its name. Only public addresses are called, and never one of
ours, of the cloud or of this machine, in any spelling. `allow_private` (for development) allows every URL of a server.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marquee.core import urls

URL_LENGTH_MAX = urls.LENGTH_MAX
PORTS = frozenset({443, 8443})

_NAMES_NOT_PUBLIC = ("localhost", "localdomain", "local", "internal", "home.arpa", "onion", "test", "invalid")

# In addition to the non-global addresses of `ipaddress`, which differ between releases of Python; and one public
# address that is a cloud's own server for every machine in it.
_IPV4_REFUSED = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Only global unicast, without documentation ranges and ranges that carry an IPv4 address for others to unpack.
_IPV6_ALLOWED = ipaddress.IPv6Network("2000::/3")
_IPV6_REFUSED = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class NotAllowed(Exception):
    """A URL or an address to which webhooks are not sent; the message gives the reason to the URL's sender."""


class NotResolved(Exception):
    """The name has no address at the moment."""


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a URL, parsed once so that all code sees the same; `path` includes the query."""

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
    """A checked address, in the form that the socket accepts."""

    family: socket.AddressFamily
    place: tuple[str, int] | tuple[str, int, int, int]


Resolve = Callable[[str, int], Sequence[Address]]


def target(url: str, *, allow_private: bool = False) -> Target:
    """Return a URL that an endpoint can have. Raises NotAllowed."""
    try:
        parts = urls.parse(url)
    except urls.NotAUrl as error:
        raise NotAllowed(str(error)) from error
    if parts.scheme != "https" and not allow_private:
        raise NotAllowed("A webhook URL must use https.")
    if "#" in url:
        raise NotAllowed("A webhook URL must not have a fragment.")
    if parts.port not in PORTS and not allow_private:
        raise NotAllowed(f"The port of a webhook URL must be {' or '.join(map(str, sorted(PORTS)))}.")
    if not allow_private:
        _check_public(parts)
    return Target(parts.scheme == "https", parts.host, parts.port, parts.path)


def resolve(host: str, port: int) -> list[Address]:
    """Return all addresses of a name, as the system resolves it. Raises NotResolved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotResolved from error
    # Without IPv6 in the interpreter the place would be another kind of pair, without an address to call.
    return [Address(family, place) for family, _, _, _, place in found if isinstance(place[0], str)]


def check(found: Sequence[Address]) -> None:
    """Check that every address is public: one private address refuses all. Raises NotAllowed."""
    if not found:
        raise NotResolved
    if not all(is_public(address.place[0]) for address in found):
        raise NotAllowed("The name resolves to an address that is not public. Use a public server.")


def is_public(text: str) -> bool:
    """Return whether an address in its plain form is public on the internet."""
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
            raise NotAllowed("The host name is not public. Use a public server.")
    elif not is_public(parts.host):
        raise NotAllowed("The address is not public. Use a public server.")
