"""Refuse what a browser sends on behalf of a page from elsewhere to the servers of this machine.

A page of any site can have a browser ask 127.0.0.1: by a form, an image or a script (cross-site request forgery), or by
a name of its own that it makes lead here (DNS rebinding). The browser says so: in Origin, in Sec-Fetch-Site, and by the
name in Host. Clients that are no browsers send neither of the first two, and name the address in Host.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
OWN_SITE = ("none", "same-origin")
REFUSAL = "This server answers to programs and pages of this machine only."


def is_foreign(headers: Mapping[str, str], *, navigates: bool = False) -> bool:
    """Whether a request may come from a page of another origin, by its headers (any case of their names).

    `navigates` lets through what other pages may link to; never anything that changes something.
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
