"""URLs from callers: parsed strictly, and checked by their parts."""

import ast
from pathlib import Path

import pytest

from marquee.core import urls

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]

GOOD = [
    "https://shop.example.com",
    "https://shop.example.com/done?booking=1#/paid",
    "HTTPS://Shop.Example.COM/Done",
    "https://shop.example.com:8443/done",
    "https://xn--mller-kva.example/",
    "https://192.0.2.7/",
    "https://[2001:db8::1]:444/",
    "http://127.0.0.1:3000/done",
    "http://localhost/done",
    "http://LOCALHOST:3000",
    "http://[::1]:3000/done",
    "https://shop.example.com/@ana",
]

BAD = [
    "http://127.0.0.1@evil.example/",
    "http://127.0.0.1:80@evil.example/",
    "http://localhost:3000@evil.example/",
    "http://127.0.0.1.evil.example/",
    "http://localhost.evil.example/",
    "http://localhostevil.example/",
    "http://127.0.0.1\\@evil.example/",
    "http://evil.example\\@127.0.0.1/",
    "https://user@shop.example.com/",
    "https://user:word@shop.example.com/",
    "https://@shop.example.com/",
    "https://shop.example.com\\.evil.example/",
    "https:\\\\shop.example.com/",
    "https:/shop.example.com/",
    "https:shop.example.com",
    "https:///shop.example.com",
    "https://",
    "//shop.example.com/",
    "/done",
    "shop.example.com",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/hosts",
    "ftp://shop.example.com/",
    "http://shop.example.com/",
    "http://127.0.0.2/",
    "http://[::2]/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0x7f.1/",
    "http://127.1/",
    "https://shop.example.com:0/",
    "https://shop.example.com:65536/",
    "https://shop.example.com:x/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://sh op.example.com/",
    " https://shop.example.com/",
    "https://shop.example.com/\n",
    "https://shop.example.com/\r\nSet-Cookie: a=b",
    "https://shop.exa\tmple.com/",
    "https://shop.example.com/\x00",
    "https://shop.example.com/\x7f",
    "https://shöp.example.com/",
    "https://shop.example.com/\u202e",
    "https://shop。example.com/",
    "https://%73hop.example.com/",
    "https://shop..example.com/",
    "https://-.example.com/",
    "https://shop.example.com/" + "x" * 2000,
    "",
]


@pytest.mark.parametrize("url", GOOD)
def test_https_or_local_page_is_accepted_unchanged(url):
    assert urls.page(url) == url


@pytest.mark.parametrize("url", BAD)
def test_any_other_url_is_refused(url):
    with pytest.raises(urls.NotAUrl):
        urls.page(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Shop.Example.com", ("https", "shop.example.com", 443)),
        ("HTTP://localhost:3000/x", ("http", "localhost", 3000)),
        ("http://[::1]/", ("http", "::1", 80)),
    ],
)
def test_origin_is_lower_case_with_its_port(url, origin):
    assert urls.parse(url).origin == origin


def test_no_code_checks_a_url_by_its_prefix():
    """Find prefix checks, because `startswith("http…")` accepts http://127.0.0.1@evil.example/."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("layers/domain", "functions", "local", "demo")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith"
        if any(
            isinstance(text, ast.Constant) and isinstance(text.value, str) and "://" in text.value
            for argument in node.args
            for text in ast.walk(argument)
        )
    ]

    assert found == []
