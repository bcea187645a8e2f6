"""Refuse requests that a browser sends to the servers of this machine on behalf of a foreign page.

A page of any site can make a browser call 127.0.0.1: by a form, an image or a script (cross-site request forgery). It
can also use its own name that resolves to this machine (DNS rebinding). The browser shows it in Origin, in
Sec-Fetch-Site, and by the name in Host. Other clients send neither of the first two, and name the address in Host.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
OWN_SITE = ("none", "same-origin")
REFUSAL = "This server responds only to programs and pages of this machine."


def is_foreign(headers: Mapping[str, str], *, navigates: bool = False) -> bool:
    """Return whether a request may come from a page of another origin, by its headers (any case of their names).

    `navigates` admits requests to which other pages may link; use it never for a change.
    """
    given = {name.lower(): value.strip().lower() for name, value in headers.items()}
    host = given.get("host", "")
    if not _is_loopback(f"http://{host}"):
        return True
    if "origin" in given and given["origin"] != f"http://{host}":
        return True
    return not navigates and given.get("sec-fetch-site", "none") not in OWN_SITE


def _is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.hostname in LOOPBACK and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
