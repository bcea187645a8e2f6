"""Records of job runs: start, end, and result."""

import contextlib
from collections.abc import Callable
from typing import Any

from marquee.core import database
from marquee.core.errors import Unavailable


def record_run(job: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do a job's work and record its run in ops.job_runs. Returns the work's result, and raises its exceptions.

    A run whose worker was killed has no end; health checks notice the missing success.
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
