"""Take URLs of callers apart, once and strictly, so that everyone who looks at one sees the same.

Browsers, Stripe and Python read sloppy URLs each in their own way: http://127.0.0.1@evil.example/ is a page of
evil.example, and a backslash is a slash to some. So a URL with a user, a backslash, a control character or an odd host
is refused, and rules compare its parts and never its beginning.
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
    """The text is no URL of a page or a server; the message says why, for whoever gave it."""


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL: scheme and host in lower case, an address of IPv6 without brackets, `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str
    fragment: str
    is_name: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """What browsers compare: scheme, host and port."""
        return self.scheme, self.host, self.port


def parse(url: str) -> Url:
    """Return the parts of an absolute URL over http or https. Raises NotAUrl."""
    if len(url) > LENGTH_MAX or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise NotAUrl("A URL has at most 2000 visible ASCII characters and no backslash.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAUrl("This is no URL.") from error
    if parts.scheme not in PORTS:
        raise NotAUrl("A URL begins with https:// or http://.")
    if "@" in parts.netloc:
        raise NotAUrl("The URL has no user and no password.")
    if port == 0:
        raise NotAUrl("There is no port 0.")
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
    """Return the URL of a page, which is over https, or on this machine over http. Raises NotAUrl."""
    parts = parse(url)
    if parts.scheme != "https" and parts.host not in LOOPBACK:
        raise NotAUrl("A page is at https.")
    return url


def _is_name(host: str, *, is_bracketed: bool) -> bool:
    """Whether a host is a name and no address. Raises NotAUrl for what is neither."""
    if is_bracketed or ":" in host:
        if not _is(ipaddress.IPv6Address, host) or "%" in host:
            raise NotAUrl("This is no address of IPv6.")
        return False
    if not _NAME.fullmatch(host):
        raise NotAUrl("This is no name of a host; write international names in their ASCII form (xn--).")
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return True
    if not _is(ipaddress.IPv4Address, host):  # 2130706433, 0177.0.0.1 and 0x7f.1 are loopback to some resolvers
        raise NotAUrl("An address of IPv4 is written as four decimal numbers.")
    return False


def _is(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
