"""Dispatch the events of a function with several triggers.

The handler of such a function is one line:

    @observed
    def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
        return dispatch.by_trigger(event, context, http=app.resolve, queue=receive, schedule=run)
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

Receiver = Callable[[dict[str, Any], LambdaContext], Any]


class UnknownTrigger(Exception):
    """The event comes from no trigger of this function."""


def by_trigger(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    http: Receiver | None = None,
    queue: Receiver | None = None,
    schedule: Receiver | None = None,
) -> Any:
    """Pass the event to the receiver of its trigger: a request, a batch of SQS records, a schedule's {"job": …}.

    Raises UnknownTrigger for an event of any other kind.
    """
    receiver = None
    if "httpMethod" in event:
        receiver = http
    elif "Records" in event:
        receiver = queue
    elif "job" in event:
        receiver = schedule
    if receiver is None:
        raise UnknownTrigger(f"No receiver for an event with the members {sorted(event)[:10]}.")
    return receiver(event, context)
