"""Custom resources: requests of CloudFormation during a deployment, and the responses that it waits for.

    def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
        return deployments.carry_out(event, migrate)

CloudFormation waits for a response at the ResponseURL. A failure is therefore both sent there, so that the deployment
rolls back at once, and raised, so that alarms and logs show it.
"""

import contextlib
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from marquee.edge.observability import count, logger

ATTEMPTS_MAX = 5
PAUSE_SECONDS = 0.5
ANSWER_SECONDS_MAX = 10
REASON_CHARACTERS_MAX = 1000
RESERVE_SECONDS = 60.0
CANCEL_EVERY_SECONDS = 1.0

Work = Callable[[], Mapping[str, str]]


class NotAnswered(Exception):
    """CloudFormation did not receive the response. It gives up by itself after the resource's ServiceTimeout."""


def carry_out(event: Mapping[str, Any], work: Work, *, pause_seconds: float = PAUSE_SECONDS) -> dict[str, str]:
    """Do the work of a Create or an Update, nothing for a Delete, and respond to CloudFormation in any case.

    Returns the work's result (names and values of at most 4 KB). Raises the work's exception after the response FAILED,
    and NotAnswered if the response was not accepted in five attempts.
    """
    kind = event["RequestType"]
    try:
        data = dict(work()) if kind in ("Create", "Update") else {}
    except BaseException as failure:
        reason = f"{type(failure).__name__}: {failure}"[:REASON_CHARACTERS_MAX]
        logger.error("deployment_failed", request=kind, exc_info=failure)
        count("DeploymentFailed")
        _answer(event, {"Status": "FAILED", "Reason": reason}, pause_seconds)
        raise
    _answer(event, {"Status": "SUCCESS", "Data": data}, pause_seconds)
    count("DeploymentCarriedOut")
    return data


@contextlib.contextmanager
def in_time(
    context: LambdaContext, cancel: Callable[[], None], *, reserve_seconds: float = RESERVE_SECONDS
) -> Iterator[None]:
    """Call `cancel` from another thread when the invocation is nearly over, so that a response can be sent.

    It is called again every second while the work continues, because after a cancelled statement the next one may
    start.
    """
    over = threading.Event()
    seconds = max(context.get_remaining_time_in_millis() / 1000 - reserve_seconds, 0.0)

    def watch() -> None:
        pause = seconds
        while not over.wait(pause):
            cancel()
            pause = CANCEL_EVERY_SECONDS

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _answer(event: Mapping[str, Any], outcome: Mapping[str, Any], pause_seconds: float) -> None:
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    # The id never changes: a different one would make CloudFormation delete the resource with the first.
    answer["PhysicalResourceId"] = event.get("PhysicalResourceId") or event["LogicalResourceId"]
    body = json.dumps({**answer, **outcome}).encode()
    # The URL is signed for a request without a content type.
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX):  # noqa: S310
                return
        except OSError as error:  # HTTPError and URLError are OSErrors too
            logger.warning("answer_not_taken", attempt=attempt, error=type(error).__name__)
            if attempt == ATTEMPTS_MAX:
                raise NotAnswered(f"CloudFormation did not accept the response in {attempt} attempts.") from error
        time.sleep(pause_seconds * 2 ** (attempt - 1))
