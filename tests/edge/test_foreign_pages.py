"""Test that browser headers decide whether a request comes from a page of another origin."""

import ast
from pathlib import Path

import pytest

from local import foreign_pages

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1:3000"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": HOST},
        {"host": HOST},
        {"Host": "localhost"},
        {"Host": "LOCALHOST:3000"},
        {"Host": "[::1]:3000"},
        {"Host": HOST, "Origin": f"http://{HOST}"},
        {"Host": HOST, "Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"},
        {"Host": HOST, "Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_request_from_this_machine_is_allowed(headers):
    assert not foreign_pages.is_foreign(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "rebound.example:3000"},
        {"Host": "127.0.0.1.rebound.example:3000"},
        {"Host": "127.0.0.1:80@rebound.example"},
        {"Host": "127.0.0.2"},
        {"Host": "[::1"},
        {"Host": HOST, "Origin": "https://evil.example"},
        {"Host": HOST, "ORIGIN": "https://evil.example"},
        {"Host": HOST, "Origin": "null"},
        {"Host": HOST, "Origin": ""},
        {"Host": HOST, "Origin": "http://127.0.0.1:3001"},
        {"Host": HOST, "Origin": "http://127.0.0.1:3000.evil.example"},
        {"Host": HOST, "Origin": "https://127.0.0.1:3000"},
        {"Host": HOST, "Origin": "http://localhost:3000"},
        {"Host": HOST, "Sec-Fetch-Site": "cross-site"},
        {"Host": HOST, "Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_request_from_a_foreign_page_is_refused(headers):
    assert foreign_pages.is_foreign(headers)


def test_link_from_a_foreign_page_is_allowed_for_navigation_only():
    link = {"Host": HOST, "Sec-Fetch-Site": "cross-site"}

    assert not foreign_pages.is_foreign(link, navigates=True)
    assert foreign_pages.is_foreign({**link, "Origin": "https://evil.example"}, navigates=True)
    assert foreign_pages.is_foreign({**link, "Host": "rebound.example"}, navigates=True)


SERVERS = {
    "local/aws_server.py": "refuses foreign pages before moto is called",
    "local/runtime.py": "refuses foreign pages",
    "local/stripe/server.py": "refuses foreign pages except links to pages",
    "local/gateway.py": "is the API, which any page can call as in AWS; pages.py refuses for its control routes",
    "local/postgres.py": "opens a port to find a free number, and closes it",
}


def test_every_server_of_the_local_stack_refuses_foreign_pages():
    found = {
        str(path.relative_to(ROOT)): "is_foreign" in path.read_text()
        for path in (ROOT / "local").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id)
        in ("create_server", "make_server", "start_server", "HTTPServer", "ThreadingHTTPServer", "TCPSite")
    }

    assert found.keys() == SERVERS.keys(), "List how a new server treats foreign pages."
    assert {name for name, asks in found.items() if not asks} == {"local/gateway.py", "local/postgres.py"}
    assert "is_foreign" in (ROOT / "local" / "pages.py").read_text()
