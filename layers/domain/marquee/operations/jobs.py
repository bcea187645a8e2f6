"""Runs of jobs, written down: that one began, how it ended, what it answered."""

import contextlib
from collections.abc import Callable
from typing import Any

from marquee.core import database
from marquee.core.errors import Unavailable


def recorded(job: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do a job's work and write its run into ops.job_runs; answers what the work answered, raises what it raised.

    A run that never ends, because its worker was killed, stays without an end; health checks miss its success.
    """
    with database.single(database.service()) as session:
        run_id: int = session.value("select ops.begin_job(job => %s)", [job])
    try:
        result = work()
    except BaseException as error:
        with contextlib.suppress(Unavailable):
            _finish(run_id, None, f"{type(error).__name__}: {error}")
        raise
    _finish(run_id, result, None)
    return result


def _finish(run_id: int, result: dict[str, Any] | None, error: str | None) -> None:
    with database.single(database.service()) as session:
        session.value("select ops.finish_job(run_id => %s, result => %s, error => %s)", [run_id, result, error])
