"""Each night: compare the ratings of each organization with a fit of all its votes at once, and correct them."""

from typing import Any

import nightly
from marquee.edge import dispatch
from marquee.edge.observability import LambdaContext, observed


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by the schedule, or by a message for each organization."""
    return dispatch.by_trigger(event, context, queue=nightly.receive, schedule=nightly.run)
