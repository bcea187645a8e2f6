"""Run calibrations in separate processes that are killed or held at one statement while batches run."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from marquee.core import database
from marquee.rating import calibration
from tests.kit import rating_load, rating_results, rating_workers
from tests.kit.rating_crashes import EVENTS, SECONDS_MAX, Bench, url_of
from tests.kit.statement_proxy import Fault, StatementProxy

COUNTED_IN = {"period"}
"""Columns that count calibrations and batches and do not describe the result."""


def calibrate(url: str, organization_id: UUID) -> None:
    """Calibrate one organization. Runs in its own process."""
    os.environ["DATABASE_URL"] = url
    calibration.calibrate(organization_id)
    database.disconnect()


class Nights:
    """Calibrates organizations whose events were counted."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def counted(self, events: Sequence[rating_load.Event] = EVENTS) -> UUID:
        """Create an organization and count these events."""
        organization_id = rating_results.stage(self.bench.db, events)
        self.bench.finish()
        return organization_id

    def pass_by(self, organization_id: UUID) -> None:
        """Run one undisturbed calibration and publish the marked items."""
        rating_workers.finish(rating_workers.fork(calibrate, self.bench.url, organization_id))
        self.bench.finish()

    def clean(self, events: Sequence[rating_load.Event] = EVENTS) -> tuple[UUID, list[str]]:
        """Run an undisturbed calibration. Return its organization and its statements."""
        organization_id = self.counted(events)
        with StatementProxy(self.bench.server.port) as wire:
            process = rating_workers.fork(calibrate, self._url(wire), organization_id)
            wire.aim(process.pid or 0)
            rating_workers.finish(process)
            statements = wire.statements
        self.bench.finish()
        return organization_id, statements

    def killed(self, fault: Fault) -> UUID:
        """Kill a calibration and return its organization."""
        organization_id = self.counted()
        with StatementProxy(self.bench.server.port, fault) as wire:
            process = rating_workers.fork(calibrate, self._url(wire), organization_id)
            wire.aim(process.pid or 0)
            process.join(SECONDS_MAX)
            assert process.exitcode == -signal.SIGKILL
        return organization_id

    def held(self, fault: Fault, meanwhile: Callable[[UUID], None]) -> UUID:
        """Hold a calibration during another action, and return its organization."""
        organization_id = self.counted()
        with StatementProxy(self.bench.server.port, fault) as wire:
            process = rating_workers.fork(calibrate, self._url(wire), organization_id)
            wire.aim(process.pid or 0)
            assert wire.carried_out.wait(SECONDS_MAX)
            other = threading.Thread(target=meanwhile, args=(organization_id,))
            other.start()
            other.join(SECONDS_MAX)
            assert not other.is_alive()
            wire.let_go.set()
            rating_workers.finish(process)
        self.bench.finish()
        return organization_id

    def faults(self, organization_id: UUID, clean: UUID, events: Sequence[rating_load.Event] = EVENTS) -> list[str]:
        """Return wrong counters and differences from the ratings of an undisturbed calibration."""
        found = rating_results.miscounted(self.bench.db, organization_id, events)
        return found + rating_results.differences(self.state_of(organization_id), self.state_of(clean))

    def state_of(self, organization_id: UUID) -> rating_results.State:
        """Return the state of items and voters without the calibration's period."""
        state = rating_results.state_of(self.bench.db, organization_id)
        return {thing: {name: row[name] for name in row.keys() - COUNTED_IN} for thing, row in state.items()}

    def reports(self, organization_id: UUID) -> list[dict[str, Any]]:
        """Return the rows of rating.calibrations in their order."""
        query = "select * from rating.calibrations where organization_id = %s order by id"
        return [dict(row) for row in self.bench.db.execute(query, [organization_id])]

    def _url(self, wire: StatementProxy) -> str:
        return url_of(self.bench.server, self.bench.name, wire.port)
