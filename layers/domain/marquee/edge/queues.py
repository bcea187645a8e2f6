"""Messages between functions: typed, sent in batches, received with partial failures.

A message is a model; its class is the contract between sender and receiver:

    class GenerateSlice(queues.Message):
        series_ids: list[UUID]

    queues.send(settings.current().require("generate_queue_url"), GenerateSlice(series_ids=ids), delay_seconds=10)

    def generate(message: GenerateSlice, delivery: queues.Delivery) -> None: …

    def receive(event, context):
        return queues.receive(event, context, GenerateSlice, generate)

Delivery is at-least-once, so `generate` is idempotent. SQS retries a message whose handler raises, and parks it in the
dead letters after its last attempt. The other messages of its batch are processed.
"""

import functools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, ValidationError

from marquee.core.errors import Unavailable
from marquee.edge.observability import MetricUnit, count, logger, metrics

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ENTRIES_PER_CALL = 10
BYTES_PER_CALL = 256 * 1024
ATTEMPTS_MAX = 4
PAUSE_SECONDS = 0.1


class Message(BaseModel):
    """The base of all messages.

    Unknown members are refused, so that sender and receiver cannot drift apart unnoticed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NotSent(Exception):
    """The queue did not accept some messages after all attempts; `messages` holds them."""

    def __init__(self, messages: Sequence[BaseModel], code: str) -> None:
        super().__init__(f"{len(messages)} messages were not accepted: {code}")
        self.messages = messages
        self.code = code


@dataclass(frozen=True, slots=True)
class Delivery:
    """The queue's data about a message: `attempt` counts from 1."""

    message_id: str
    attempt: int
    correlation_id: str | None


Kind = TypeVar("Kind", bound=BaseModel)


def send(queue_url: str, message: BaseModel, *, delay_seconds: int = 0) -> None:
    """Send one message. Raises NotSent."""
    send_batch(queue_url, [message], delay_seconds=delay_seconds)


def send_batch(queue_url: str, messages: Sequence[BaseModel], *, delay_seconds: int = 0) -> None:
    """Send messages in as few calls as SQS allows, and retry those that it did not accept (at most 4 attempts).

    Raises NotSent with the messages that were not accepted; all others were. The caller decides about sending them
    again.
    """
    entries = [_entry(number, message, delay_seconds) for number, message in enumerate(messages)]
    code = ""
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            time.sleep(PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))
        failed: set[str] = set()
        for call in _calls(entries):
            answer = _client().send_message_batch(QueueUrl=queue_url, Entries=call)
            for failure in answer.get("Failed", []):
                failed.add(failure["Id"])
                code = failure["Code"]
        entries = [entry for entry in entries if entry["Id"] in failed]
        if not entries:
            return
        logger.warning("messages_not_taken", count=len(entries), code=code, attempt=attempt + 1)
    raise NotSent([messages[int(entry["Id"])] for entry in entries], code)


def receive(
    event: dict[str, Any],
    context: LambdaContext,
    kind: type[Kind],
    handle: Callable[[Kind, Delivery], None],
) -> PartialItemFailureResponse:
    """Pass each message of a batch to `handle` and report those that failed.

    Raises BatchProcessingError if all failed, so that Lambda's Errors metric rises. SQS retries them in any case.
    """

    def handle_record(record: SQSRecord) -> None:
        correlation = record["messageAttributes"].get("correlation_id", {})
        delivery = Delivery(
            message_id=record.message_id,
            attempt=int(record.attributes.approximate_receive_count),
            correlation_id=correlation.get("stringValue"),
        )
        logger.set_correlation_id(delivery.correlation_id or record.message_id)
        handle(kind.model_validate_json(record.body), delivery)
        count("MessageProcessed")

    return process_partial_response(
        event=event, record_handler=handle_record, processor=_Processor(EventType.SQS), context=context
    )


def receive_together(
    event: dict[str, Any], kind: type[Kind], handle: Callable[[Sequence[Kind]], Mapping[int, str]]
) -> PartialItemFailureResponse:
    """Pass all messages of a batch to `handle` at once, which returns the places of failed ones and the reasons.

    A message of another kind fails alone. Raises Unavailable as `handle` does; SQS then redelivers all of them.
    """
    records = event["Records"]
    messages: dict[int, Kind] = {}
    failed: dict[int, str] = {}
    for place, record in enumerate(records):
        try:
            messages[place] = kind.model_validate_json(record["body"])
        except ValidationError:
            failed[place] = "no_message_of_this_queue"
    places = list(messages)
    try:
        answered = handle(list(messages.values())) if messages else {}
    except Unavailable:
        metrics.add_metric(name="MessageFailed", unit=MetricUnit.Count, value=len(records))
        raise
    failed |= {places[number]: reason for number, reason in answered.items()}
    for place, reason in sorted(failed.items()):
        logger.error("message_failed", message_id=records[place]["messageId"], reason=reason)
    for name, value in (("MessageProcessed", len(records) - len(failed)), ("MessageFailed", len(failed))):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    return {"batchItemFailures": [{"itemIdentifier": records[place]["messageId"]} for place in sorted(failed)]}


class _Processor(BatchProcessor):
    """Logs and counts each failure, without the contents of the message."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        logger.error(
            "message_failed",
            exc_info=exception,
            message_id=record.message_id,
            attempt=record.attributes.approximate_receive_count,
        )
        count("MessageFailed")
        return super().failure_handler(record, exception)


def _entry(number: int, message: BaseModel, delay_seconds: int) -> "SendMessageBatchRequestEntryTypeDef":
    entry: SendMessageBatchRequestEntryTypeDef = {
        "Id": str(number),
        "MessageBody": message.model_dump_json(),
        "DelaySeconds": delay_seconds,
    }
    # A message that carries the request that caused it continues under that request's correlation id.
    correlation_id = getattr(message, "correlation_id", None) or logger.get_correlation_id()
    if correlation_id:
        entry["MessageAttributes"] = {"correlation_id": {"DataType": "String", "StringValue": correlation_id}}
    return entry


def _calls(
    entries: Sequence["SendMessageBatchRequestEntryTypeDef"],
) -> "list[list[SendMessageBatchRequestEntryTypeDef]]":
    """Split entries into calls of at most ten entries and at most 256 KB."""
    calls: list[list[SendMessageBatchRequestEntryTypeDef]] = []
    size = 0
    for entry in entries:
        length = len(entry["MessageBody"].encode()) + 200
        if not calls or len(calls[-1]) == ENTRIES_PER_CALL or size + length > BYTES_PER_CALL:
            calls.append([])
            size = 0
        calls[-1].append(entry)
        size += length
    return calls


@functools.cache
def _client() -> "SQSClient":
    """Create the client on first use, because boto3 costs more than the rest of the start-up."""
    import boto3

    return boto3.client("sqs")
