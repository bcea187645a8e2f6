"""The AWS services that functions call: moto's server in a process of its own, or an endpoint that the caller names.

With AWS_ENDPOINT_URL in the environment no server is started and that endpoint is used for everything; with
AWS_ENDPOINT_URL_<SERVICE> just that service is. Either way functions get the caller's AWS_* variables.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError, ParamValidationError

from local.instances import CHILD
from local.resources import Account, Queue, Secret

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

START_SECONDS_MAX = 60
THREADS_MAX = 64
LONG_POLL_SECONDS = 5

Result = TypeVar("Result")


class ServicesError(Exception):
    """The services do not start; the message says where to look."""


class Services:
    """A server for SQS, Secrets Manager, SES, Scheduler and whatever else moto has, and clients for it."""

    def __init__(self, account: Account, logs: Path, environment: Mapping[str, str] = os.environ) -> None:
        self.account = account
        self.endpoint = environment.get("AWS_ENDPOINT_URL", "")
        self.external = bool(self.endpoint)
        self._log = logs / "aws.log"
        self._given = {name: value for name, value in environment.items() if name.startswith("AWS_")}
        self._process: asyncio.subprocess.Process | None = None
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="aws")
        self._clients: dict[str, Any] = {}

    @property
    def pid(self) -> int | None:
        """The process of the server, if it is ours."""
        return self._process.pid if self._process else None

    @property
    def variables(self) -> dict[str, str]:
        """What functions need in their environment to reach the services."""
        if self.external:
            return self._given
        fake = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        some_are_real = any(name.startswith("AWS_ENDPOINT_URL_") for name in self._given)
        return {**(self._given if some_are_real else fake), "AWS_ENDPOINT_URL": self.endpoint}

    async def start(self) -> None:
        """Start the server, unless the caller named an endpoint. Raises ServicesError."""
        if self.external:
            return
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(CHILD),
                "local.aws_server",
                env={**os.environ, "PYTHONPATH": str(CHILD.parents[1]), "MOTO_ACCOUNT_ID": self.account.id},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        output = self._process.stdout
        if output is None:
            raise ServicesError("The AWS services have no output.")
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                line = await output.readline()
        except TimeoutError:
            line = b""
        if not line.strip().isdigit():
            raise ServicesError(f"The AWS services did not start. See {self._log}.")
        self.endpoint = f"http://127.0.0.1:{line.decode().strip()}"

    async def stop(self) -> None:
        """Stop the server; calls that wait for it fail at once."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def call(self, function: Callable[..., Result], **arguments: Any) -> Result:
        """Run a client's method in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(**arguments))

    def client(self, service: str) -> Any:
        """A client of a service at the endpoint."""
        if service not in self._clients:
            # Imported here: commands that need no AWS should not wait for it.
            import boto3
            from botocore.config import Config

            retries = {"total_max_attempts": 2, "mode": "standard"}
            fake = None if self.external else "local"
            session = boto3.Session(fake, fake, region_name=self.account.region)
            config = Config(retries=retries, connect_timeout=2, read_timeout=30, max_pool_connections=THREADS_MAX)  # type: ignore[arg-type]
            self._clients[service] = session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]
        return self._clients[service]

    @property
    def sqs(self) -> "SQSClient":
        """The client of SQS."""
        client: SQSClient = self.client("sqs")
        return client

    def make_queues(self, queues: Iterable[Queue]) -> tuple[dict[str, str], dict[str, str]]:
        """Make queues, dead letters first. Return URLs by planned ARN, and what SQS says of each queue it refuses."""
        urls, refused = {}, {}
        for queue in sorted(queues, key=lambda queue: "RedrivePolicy" in queue.attributes):
            try:
                made = self.sqs.create_queue(QueueName=queue.name, Attributes=dict(queue.attributes))  # type: ignore[arg-type]
                urls[queue.arn] = made["QueueUrl"]
            except (ClientError, ParamValidationError) as error:
                refused[queue.logical_id] = _said(error)
        return urls, refused

    def make_secrets(self, secrets: Iterable[Secret]) -> tuple[dict[str, str], dict[str, str]]:
        """Make secrets. Return ARNs by planned ARN, and what the service says of each secret it refuses."""
        client = self.client("secretsmanager")
        arns, refused = {}, {}
        for secret in secrets:
            try:
                arns[secret.arn] = client.create_secret(Name=secret.name, SecretString=secret.value)["ARN"]
            except client.exceptions.ResourceExistsException:
                arns[secret.arn] = client.describe_secret(SecretId=secret.name)["ARN"]
            except (ClientError, ParamValidationError) as error:
                refused[secret.logical_id] = _said(error)
        return arns, refused

    def verify_identities(self, identities: Iterable[str]) -> None:
        """Let the mail identities count as verified, which SES wants before it sends. Only at our own server."""
        if self.external:
            return
        for identity in identities:
            client = self.client("ses")
            if "@" in identity:
                client.verify_email_identity(EmailAddress=identity)
            else:
                client.verify_domain_identity(Domain=identity)

    def queue_url(self, arn: str) -> str:
        """The URL of a queue, by its ARN."""
        return self.sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]

    async def send(self, arn: str, body: Any, attributes: Mapping[str, str] | None = None) -> None:
        """Send a message to the queue with this ARN; what is no text goes as JSON."""
        await self.call(
            self.sqs.send_message,
            QueueUrl=await self.call(self.queue_url, arn=arn),
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in (attributes or {}).items()
                if value
            },
        )


def _said(error: Exception) -> str:
    """A service's refusal in one line, without the page that a server adds."""
    return " ".join(str(error).partition("<")[0].split())
