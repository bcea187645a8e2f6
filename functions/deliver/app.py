"""Sends webhooks to subscribers: at once what the relay brings, each minute what has come due."""

from typing import Any

import delivering
from marquee.edge import triggers
from marquee.edge.observability import LambdaContext, observed


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the queue or by the schedule."""
    return triggers.dispatch(event, context, queue=delivering.receive, schedule=delivering.run)
