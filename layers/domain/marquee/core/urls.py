"""Parse callers' URLs once and strictly, so that all code sees the same parts.

Browsers, Stripe and Python read sloppy URLs in different ways: http://127.0.0.1@evil.example/ is a page of
evil.example, and some treat a backslash as a slash. So a URL with a user, a backslash, a control character or an odd
host is refused, and rules compare its parts and never its first characters.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

LENGTH_MAX = 2000
PORTS = {"https": 443, "http": 80}
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_PRINTABLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


class NotAUrl(ValueError):
    """The text is not a URL of a page or a server; the message gives the reason to its sender."""


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL: scheme and host in lower case, an IPv6 address without brackets, `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str
    fragment: str
    is_name: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """The origin as browsers compare it: scheme, host and port."""
        return self.scheme, self.host, self.port


def parse(url: str) -> Url:
    """Return the parts of an absolute URL over http or https. Raises NotAUrl."""
    if len(url) > LENGTH_MAX or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise NotAUrl("A URL must have at most 2000 visible ASCII characters and no backslash.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAUrl("This is not a URL.") from error
    if parts.scheme not in PORTS:
        raise NotAUrl("A URL must start with https:// or http://.")
    if "@" in parts.netloc:
        raise NotAUrl("A URL must not have a user or a password.")
    if port == 0:
        raise NotAUrl("The port must not be 0.")
    host = (parts.hostname or "").lower()
    is_name = _is_name(host, is_bracketed="[" in parts.netloc)
    path = parts.path or "/"
    return Url(
        scheme=parts.scheme,
        host=host,
        port=PORTS[parts.scheme] if port is None else port,
        path=f"{path}?{parts.query}" if parts.query else path,
        fragment=parts.fragment,
        is_name=is_name,
    )


def page(url: str) -> str:
    """Return the URL of a page, which uses https, or on this machine http. Raises NotAUrl."""
    parts = parse(url)
    if parts.scheme != "https" and parts.host not in LOOPBACK:
        raise NotAUrl("A page must use https.")
    return url


def _is_name(host: str, *, is_bracketed: bool) -> bool:
    """Return whether a host is a name and not an address. Raises NotAUrl if it is neither."""
    if is_bracketed or ":" in host:
        if not _is(ipaddress.IPv6Address, host) or "%" in host:
            raise NotAUrl("This is not an IPv6 address.")
        return False
    if not _NAME.fullmatch(host):
        raise NotAUrl("This is not a host name. Write international names in their ASCII form (xn--).")
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return True
    if not _is(ipaddress.IPv4Address, host):  # 2130706433, 0177.0.0.1 and 0x7f.1 are loopback to some resolvers
        raise NotAUrl("An IPv4 address must be written as four decimal numbers.")
    return False


def _is(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
