"""Sends webhooks to subscribers: messages of the relay at once, due retries each minute."""

from typing import Any

import delivering
from marquee.edge import dispatch
from marquee.edge.observability import LambdaContext, observed


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the queue or by the schedule."""
    return dispatch.by_trigger(event, context, queue=delivering.receive, schedule=delivering.run)
