"""The AWS services that functions call: moto's server in a separate process, or an endpoint of the caller.

With AWS_ENDPOINT_URL in the environment no server is started, and that endpoint is used for all services; with
AWS_ENDPOINT_URL_<SERVICE> for that service. In both cases functions get the caller's AWS_* variables.
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
from local.resources import Account, Bucket, Queue, Secret

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

START_SECONDS_MAX = 60
THREADS_MAX = 64
LONG_POLL_SECONDS = 5

Result = TypeVar("Result")


class ServicesError(Exception):
    """The services do not start; the message names the log."""


class Services:
    """A server for SQS, S3, Secrets Manager, SES, Scheduler and moto's other services, with clients for it."""

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
        """The environment variables by which functions reach the services."""
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
        """Return a client of a service at the endpoint."""
        if service not in self._clients:
            # Imported here, so that commands without AWS do not wait for it.
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
        """Create queues, dead letters first. Returns URLs by planned ARN, and SQS's error for each refused queue."""
        urls, refused = {}, {}
        for queue in sorted(queues, key=lambda queue: "RedrivePolicy" in queue.attributes):
            try:
                made = self.sqs.create_queue(QueueName=queue.name, Attributes=dict(queue.attributes))  # type: ignore[arg-type]
                urls[queue.arn] = made["QueueUrl"]
            except (ClientError, ParamValidationError) as error:
                refused[queue.logical_id] = _said(error)
        return urls, refused

    def make_secrets(self, secrets: Iterable[Secret]) -> tuple[dict[str, str], dict[str, str]]:
        """Create secrets. Returns ARNs by planned ARN, and the service's error for each refused secret."""
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

    def make_buckets(self, buckets: Iterable[Bucket]) -> dict[str, str]:
        """Create buckets. Returns S3's error for each refused bucket."""
        client = self.client("s3")
        refused = {}
        for bucket in buckets:
            try:
                client.create_bucket(
                    Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": self.account.region}
                )
            except client.exceptions.BucketAlreadyOwnedByYou:
                continue
            except (ClientError, ParamValidationError) as error:
                refused[bucket.logical_id] = _said(error)
        return refused

    def verify_identities(self, identities: Iterable[str]) -> None:
        """Mark the mail identities as verified, which SES requires before it sends. Only at our own server."""
        if self.external:
            return
        for identity in identities:
            client = self.client("ses")
            if "@" in identity:
                client.verify_email_identity(EmailAddress=identity)
            else:
                client.verify_domain_identity(Domain=identity)

    def queue_url(self, arn: str) -> str:
        """Return the URL of a queue, by its ARN."""
        return self.sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]

    async def send(self, arn: str, body: Any, attributes: Mapping[str, str] | None = None) -> None:
        """Send a message to the queue with this ARN; a value that is not text is sent as JSON."""
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
    """Return a service's refusal in one line, without the page that a server adds."""
    return " ".join(str(error).partition("<")[0].split())
