"""Commands other than `up`, and the pages of the stack."""

import contextlib
import http.client
import json
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest

from local import foreign_pages
from local.issuer import Issuer
from tests.kit.local_stack import ROOT, LocalStack


def test_function_is_invoked_with_a_file(stack: LocalStack, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"job": "by hand"}')

    done = stack.run("invoke", "TickFunction", str(tmp_path / "event.json"))

    assert (done.returncode, json.loads(done.stdout)) == (0, {"ticked": "by hand"})


def test_function_is_invoked_without_a_running_stack(tmp_path: Path) -> None:
    alone = LocalStack(tmp_path)

    done = alone.run(
        "invoke", "--template", str(alone.template), *alone.parameters(), "tick", "-", input='{"job": "alone"}'
    )

    assert (done.returncode, json.loads(done.stdout)) == (0, {"ticked": "alone"}), done.stderr


def test_command_ends_quietly_when_its_reader_closes_the_pipe(stack: LocalStack) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(stack.command("schedules"), stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, b"")


def test_unknown_function_is_refused_with_the_known_names(stack: LocalStack) -> None:
    done = stack.run("invoke", "nobody", "-", input="{}")

    assert done.returncode == 1
    assert "TickFunction" in done.stderr


@pytest.mark.parametrize("command", ["fire", "schedules", "invoke"])
def test_commands_say_how_to_start_a_stopped_stack(tmp_path: Path, command: str) -> None:
    idle = LocalStack(tmp_path)
    if command == "invoke":
        done = idle.run("fire", "x", "--url", "http://127.0.0.1:9")
    else:
        done = idle.run(command, *(["x"] if command == "fire" else []))

    assert done.returncode == 1
    assert "make up" in done.stderr


def test_token_is_printed_alone_and_verifies_against_the_keys(stack: LocalStack) -> None:
    done = stack.run("token", "--sub", "somebody", "--org", "lakeside", "--role", "service_role", "--name", "Ana")
    keys = jwt.PyJWKSet.from_dict(stack.get("/.well-known/jwks.json").json)
    header = jwt.get_unverified_header(done.stdout.strip())

    claims = jwt.decode(
        done.stdout.strip(), keys[header["kid"]].key, algorithms=["RS256"], audience="local", issuer=stack.url
    )

    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    assert (claims["sub"], claims["org_id"], claims["role"], claims["name"]) == (
        "somebody",
        "lakeside",
        "service_role",
        "Ana",
    )
    assert "email" not in claims
    assert 11.9 < (claims["exp"] - time.time()) / 3600 < 12.1


def test_token_with_an_email_address_marks_it_as_verified(stack: LocalStack) -> None:
    done = stack.run("token", "--sub", "somebody", "--email", "ana@example.org")

    claims = jwt.decode(done.stdout.strip(), options={"verify_signature": False})
    assert (claims["email"], claims["email_verified"]) == ("ana@example.org", True)


def test_mails_from_an_allowed_identity_are_sent_and_shown(stack: LocalStack) -> None:
    done = stack.run("invoke", "tick", "-", input='{"job": "mail"}')
    shown = stack.run("mails")

    assert done.returncode == 0, done.stdout
    assert "To:      ana@example.org" in shown.stdout
    assert "A place is free." in shown.stdout


def test_issuer_publishes_its_configuration(stack: LocalStack) -> None:
    found = stack.get("/.well-known/openid-configuration").json

    assert found["issuer"] == stack.url
    assert found["jwks_uri"] == f"{stack.url}/.well-known/jwks.json"


def test_issuer_key_is_kept_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first, second = Issuer(tmp_path), Issuer(tmp_path)

    assert first.key_id == second.key_id
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"\0" * 1704, b"-----BEGIN PRIVATE KEY-----\nMII"])
def test_damaged_issuer_key_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.pem").write_bytes(content)

    first, second = Issuer(tmp_path), Issuer(tmp_path)

    assert first.key_id == second.key_id
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0


def test_api_document_is_browsable_without_a_network(stack: LocalStack) -> None:
    page, script = stack.get("/docs"), stack.get("/docs/swagger-ui-bundle.min.js")

    assert page.status == 200
    assert b"https://" not in page.body
    assert (script.status, len(script.body) > 500_000) == (200, True)
    assert stack.get("/openapi.json").json["servers"] == [{"url": stack.url}], (
        "the page sends its requests to this stack"
    )


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/.local/schedules/sample-tick", {}),
        ("POST", "/.local/schedules/sample-tick", {"X_Local_Stack": "1", "Host": "evil.example"}),
        ("GET", "/.local/status", {"Origin": "https://evil.example"}),
        ("GET", "/.local/status", {"X_Local_Stack": "1", "Origin": "https://evil.example"}),
        ("GET", "/.local/status", {"X_Local_Stack": "1", "Sec_Fetch_Site": "cross-site"}),
    ],
)
def test_browser_page_cannot_control_the_stack(
    stack: LocalStack, method: str, path: str, headers: dict[str, str]
) -> None:
    before = len(stack.noted("ticked.jsonl"))

    assert stack.request(method, path, **{"Host": f"127.0.0.1:{stack.port}", **headers}).status == 403
    assert len(stack.noted("ticked.jsonl")) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebound.example"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/.local/mails"), ("POST", "/"), ("GET", "/?Action=ListQueues"), ("GET", "/moto-api/data.json")],
)
def test_browser_page_cannot_reach_the_services(
    stack: LocalStack, method: str, path: str, headers: dict[str, str]
) -> None:
    services = urlsplit(json.loads((stack.state / "stack.json").read_text())["aws"])
    connection = http.client.HTTPConnection(services.hostname or "", services.port)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()

        assert (answer.status, answer.read()) == (403, foreign_pages.REFUSAL.encode())


def test_failing_before_command_stops_the_start(tmp_path: Path) -> None:
    running = LocalStack(tmp_path)

    done = running.run("up", "--template", str(running.template), "--before", "sh -c 'echo no disk >&2; exit 3'")

    assert done.returncode == 1
    assert "no disk" in done.stdout
    assert "failed with exit status 3" in done.stdout
