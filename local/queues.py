"""SQS event sources: polling, batches, windows, partial failures, as in Lambda's pollers.

Processed messages are deleted. Failed messages stay, return after their visibility time-out, and are moved to the dead
letters by SQS itself.
"""

import asyncio
import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import LONG_POLL_SECONDS, Services
from local.console import Console
from local.functions import Pool
from local.resources import Source
from local.runtime import Failure

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MESSAGES_PER_CALL = 10
PAUSE_SECONDS = 1.0
PAUSE_SECONDS_MAX = 60.0
NOTHING_FAILED: tuple[Any, ...] = (None, "", [])


class Poller:
    """Feeds one queue to one function."""

    def __init__(self, source: Source, pool: Pool, services: Services, console: Console) -> None:
        self._source = source
        self._pool = pool
        self._services = services
        self._console = console
        bound = min(source.concurrency_max or pool.instances_max, max(pool.instances_max, 1))
        self._slots = asyncio.Semaphore(bound)
        self._tasks: set[asyncio.Task[None]] = set()
        self._url = ""

    async def run(self) -> None:
        """Poll until cancelled. It calls SQS only if the function has room for another batch."""
        self._url = await self._services.call(self._services.queue_url, arn=self._source.queue_arn)
        pause = PAUSE_SECONDS
        while True:
            await self._slots.acquire()
            try:
                batch = await self._gather()
            except (BotoCoreError, ClientError) as error:
                self._slots.release()
                said = str(error).partition("\n")[0]
                self._console.say(f"{self._source.logical_id}: the queue does not respond: {said}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, PAUSE_SECONDS_MAX)
                continue
            pause = PAUSE_SECONDS
            if not batch:
                self._slots.release()
                continue
            task = asyncio.create_task(self._process(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel the batches in progress; they return after their visibility time-out."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _gather(self) -> "list[MessageTypeDef]":
        """Return a batch: available messages, and those that arrive within the window, up to the batch size."""
        size, window = self._source.batch_size, self._source.window_seconds
        batch = await self._receive(size, LONG_POLL_SECONDS)
        deadline = time.monotonic() + window
        while batch and len(batch) < size:
            left = deadline - time.monotonic()
            if window and left < 1:
                await asyncio.sleep(max(0.0, left))
                return batch + await self._receive(size - len(batch), 0)
            if not window and len(batch) % MESSAGES_PER_CALL:
                return batch
            more = await self._receive(size - len(batch), min(LONG_POLL_SECONDS, int(left)) if window else 0)
            if not more and not window:
                return batch
            batch += more
        return batch

    async def _receive(self, most: int, wait_seconds: int) -> "list[MessageTypeDef]":
        answer = await self._services.call(
            self._services.sqs.receive_message,
            QueueUrl=self._url,
            MaxNumberOfMessages=min(most, MESSAGES_PER_CALL),
            WaitTimeSeconds=wait_seconds,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    async def _process(self, batch: "Sequence[MessageTypeDef]") -> None:
        try:
            records = [_record(message, self._source, self._services.account.region) for message in batch]
            outcome = await self._pool.invoke(json.dumps({"Records": records}).encode())
            failed = failed_messages(outcome.result, {record["messageId"] for record in records}, self._source)
            done = [message for message in batch if message.get("MessageId") not in failed]
            await self._delete(done)
            queue = self._source.queue_arn.rpartition(":")[2]
            result = "ok" if not failed else f"{len(failed)} failed"
            self._console.invocation(self._pool.function, f"{queue} x {len(batch)}", result, outcome)
            self._console.failure(self._pool.function, outcome)
        except (BotoCoreError, ClientError) as error:
            self._console.say(f"{self._source.logical_id}: messages could not be deleted: {error}")
        finally:
            self._slots.release()

    async def _delete(self, messages: "Sequence[MessageTypeDef]") -> None:
        for start in range(0, len(messages), MESSAGES_PER_CALL):
            entries = [
                {"Id": str(number), "ReceiptHandle": message.get("ReceiptHandle", "")}
                for number, message in enumerate(messages[start : start + MESSAGES_PER_CALL])
            ]
            await self._services.call(self._services.sqs.delete_message_batch, QueueUrl=self._url, Entries=entries)


def _record(message: "MessageTypeDef", source: Source, region: str) -> dict[str, Any]:
    """Return a message in the form of Lambda's event."""
    attributes = {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()}
    record: dict[str, Any] = {
        "messageId": message.get("MessageId", ""),
        "receiptHandle": message.get("ReceiptHandle", ""),
        "body": message.get("Body", ""),
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": attributes,
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": source.queue_arn,
        "awsRegion": region,
    }
    if attributes:
        record["md5OfMessageAttributes"] = message.get("MD5OfMessageAttributes", "")
    return record


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value.get("DataType")}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return found


def failed_messages(result: bytes | Failure, ids: set[str], source: Source) -> set[str]:
    """Return the failed messages: none, those that the function named, or all if it named unknown ones."""
    if isinstance(result, Failure):
        return ids
    if not source.partial_failures:
        return set()
    try:
        document = json.loads(result)
    except ValueError:
        return ids
    if document in NOTHING_FAILED:
        return set()
    failures = document.get("batchItemFailures") if isinstance(document, dict) else "none of these"
    if failures in (None, []):
        return set()
    if not isinstance(failures, list):
        return ids
    named = {str(failure.get("itemIdentifier")) if isinstance(failure, dict) else "" for failure in failures}
    return ids if named - ids else named
