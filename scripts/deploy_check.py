"""Deploy the built template to an emulator of AWS, make a booking through its API, and send it again.

Run `make deploy-check`. It needs no account and no Docker. The emulator is ministack. The stack is given an embedded
PostgreSQL as its existing database. The functions run in processes, from the packages that `sam build` made.

The template is the real one. Parameters leave out what the emulator lacks (firewall, API logging role), and `adapted`
removes three things that no parameter removes. Not proved here: the nested stacks, CodeDeploy, and TLS, because a
server on the same machine is reached without it.
"""

import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import psycopg
import yaml
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.issuer import Issuer
from local.postgres import Server, free_port

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / ".aws-sam" / "build" / "template.yaml"
REGION = "eu-central-1"
ACCESS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAM_CLI_TELEMETRY": "0",
}
LOGINS = ("public", "people", "service")
START_SECONDS_MAX = 60
DEPLOY_SECONDS_MAX = 900
CUSTOMER = "00000000-0000-7000-9000-000000000001"
EVENT = "00000000-0000-7000-a000-000000000001"
DATA = (
    """
    insert into organizations.organizations (id, slug, name, country, currency, time_zone)
    values ('00000000-0000-7000-8000-000000000001', 'studio', 'Studio', 'CH', 'CHF', 'Europe/Zurich')
    """,
    "insert into users.profiles (id, name) values ('00000000-0000-7000-9000-000000000001', 'Customer')",
    """
    insert into events.events (
        id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy
    )
    values (
        '00000000-0000-7000-a000-000000000001', now() + interval '10 days', now() + interval '10 days 1 hour',
        '00000000-0000-7000-8000-000000000001', 'Class', 'en', 'Europe/Zurich', 'CHF', '{}'
    )
    """,
    "insert into events.inventory (event_id, capacity) select t.event_id, 10 from events.terms as t",
)

Template = dict[str, Any]


class Failed(Exception):
    """The deployment or the booking did not work; the message says what happened."""


def adapted(template: Template) -> Template:
    """Remove from a built template what the emulator lacks and no parameter removes.

    - Gradual deployment: it has no CodeDeploy.
    - Alarms over expressions: its alarms watch one metric.
    - The folder of the SQL layer: layers are not mounted at /opt, so migrate reads the same files where they are.
    """
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if not (resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])
    }
    for resource in resources.values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"].pop("DeploymentPreference", None)
    resources["MigrateFunction"]["Properties"]["Environment"]["Variables"]["SQL_FOLDER"] = str(ROOT / "sql")
    return {**template, "Resources": resources}


def check(folder: Path) -> None:
    """Check a deployment: deploy, book, and book again with the same key. Raises Failed."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    issuer = Issuer(folder / "issuer")
    server = Server(folder / "postgres", durable=False)
    server.start()
    try:
        with _emulator(folder, port), _keys(issuer) as issuer_url:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("create database marquee")
            owner = make_conninfo(server.url("postgres"), dbname="marquee")
            _deploy(folder, endpoint, _parameters(endpoint, owner, issuer_url))
            with psycopg.connect(owner, autocommit=True) as connection:
                for statement in DATA:
                    connection.execute(statement.encode())
            token = issuer.token(issuer_url, audience="marquee", sub=CUSTOMER, role="authenticated")
            _book_twice(endpoint, token)
            with psycopg.connect(owner) as connection:
                booked = connection.execute("select count(*) from events.bookings as b").fetchone()
            if booked != (1,):
                raise Failed(f"The database has {booked} bookings instead of one.")
    finally:
        server.stop("immediate")


def _book_twice(endpoint: str, token: str) -> None:
    client: Any = boto3.client("apigateway", endpoint_url=endpoint, **_access())
    api = client.get_rest_apis()["items"][0]["id"]
    headers = {"Host": f"{api}.execute-api.localhost", "Content-Type": "application/json"}
    refused = _post(endpoint, headers)
    if refused[0] != 401:
        raise Failed(f"A booking without a token got {refused}.")
    headers |= {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}
    first, second = (_post(endpoint, headers) for _ in range(2))
    if first[0] != 201 or first != second:
        raise Failed(f"The booking got {first}, and its retry {second}.")
    print(f"Booked: {first[1]}")


def _post(endpoint: str, headers: Mapping[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=60)
    try:
        connection.request("POST", "/v1/bookings", json.dumps({"event_id": EVENT}), dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _deploy(folder: Path, endpoint: str, parameters: Mapping[str, str]) -> None:
    template = BUILT.with_name("emulated.yaml")  # beside the packages, whose paths are relative
    template.write_text(yaml.safe_dump(adapted(yaml.safe_load(BUILT.read_text())), sort_keys=False))
    settings = folder / "samconfig.toml"
    settings.write_text("version = 0.1\n")
    command = [".venv-aws/bin/sam", "deploy", "--stack-name=marquee", f"--region={REGION}", "--resolve-s3"]
    command += ["--no-confirm-changeset", "--language-extensions", f"--template-file={template}"]
    command += [f"--config-file={settings}", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(AWS_ENDPOINT_URL=endpoint),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=DEPLOY_SECONDS_MAX,
    )
    if done.returncode != 0:
        raise Failed(f"sam deploy failed:\n{done.stdout[-4000:]}\n{(folder / 'emulator.log').read_text()[-2000:]}")


def _parameters(endpoint: str, conninfo: str, issuer_url: str) -> dict[str, str]:
    """Create the four secrets of an existing database, and return the parameters of the stack."""
    client: Any = boto3.client("secretsmanager", endpoint_url=endpoint, **_access())
    owner: Mapping[str, Any] = conninfo_to_dict(conninfo)
    database = {"host": owner["host"], "port": int(owner["port"]), "dbname": "marquee"}
    arns = {}
    for name in ("owner", *LOGINS):
        user, password = (owner["user"], owner["password"]) if name == "owner" else (f"marquee_{name}", _password())
        secret = json.dumps({**database, "username": user, "password": password})
        arns[f"Database{name.title()}SecretArn"] = client.create_secret(Name=name, SecretString=secret)["ARN"]
    return {
        **arns,
        "PythonRuntime": f"python{sys.version_info[0]}.{sys.version_info[1]}",
        "Architecture": "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64",
        "TokenIssuer": issuer_url,
        "TokenJwksUrl": f"{issuer_url}/jwks.json",
        "DeploymentType": "AllAtOnce",
        "WebAcl": "false",
        "Watch": "false",
        "ManageApiLogging": "false",
    }


@contextlib.contextmanager
def _emulator(folder: Path, port: int) -> Iterator[None]:
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            [ROOT / ".venv-emulator/bin/ministack"],
            cwd=folder,
            # Functions run with the Python that is first on the path.
            env=_environment(
                BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), PATH=f"{ROOT}/.venv/bin:{os.environ['PATH']}"
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"The emulator did not start:\n{(folder / 'emulator.log').read_text()}") from None
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _keys(issuer: Issuer) -> Iterator[str]:
    """Serve the issuer's keys; return its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.keys()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DATABASE_"))}
    return {**kept, **ACCESS, **variables}


def _access() -> dict[str, Any]:
    return {"region_name": REGION, "aws_access_key_id": "local", "aws_secret_access_key": "local"}


def _password() -> str:
    return secrets.token_urlsafe(36)


def main() -> int:
    """Run the check in a temporary folder; return the process's exit status."""
    with tempfile.TemporaryDirectory(prefix="marquee-deploy-") as folder:
        began = time.monotonic()
        try:
            check(Path(folder))
        except Failed as failure:
            print(failure)
            return 1
        print(f"Deployed, booked and retried in {time.monotonic() - began:.0f} s.")
        return 0


if __name__ == "__main__":
    sys.exit(main())
