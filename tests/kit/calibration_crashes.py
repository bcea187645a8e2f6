"""Nights in processes of their own, killed or held at one statement, while batches come and go."""

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
"""Says in how many nights and batches, not what came of them."""


def calibrate(url: str, organization_id: UUID) -> None:
    """In the process: one night of one organization."""
    os.environ["DATABASE_URL"] = url
    calibration.calibrate(organization_id)
    database.disconnect()


class Nights:
    """An organization whose events are counted, before and after a night."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def counted(self, events: Sequence[rating_load.Event] = EVENTS) -> UUID:
        """A new organization that has counted these events."""
        organization_id = rating_results.stage(self.bench.db, events)
        self.bench.finish()
        return organization_id

    def pass_by(self, organization_id: UUID) -> None:
        """One undisturbed night, and what it marked is published."""
        rating_workers.finish(rating_workers.fork(calibrate, self.bench.url, organization_id))
        self.bench.finish()

    def clean(self, events: Sequence[rating_load.Event] = EVENTS) -> tuple[UUID, list[str]]:
        """An organization after an undisturbed night, and the statements that it sent."""
        organization_id = self.counted(events)
        with StatementProxy(self.bench.server.port) as wire:
            process = rating_workers.fork(calibrate, self._url(wire), organization_id)
            wire.aim(process.pid or 0)
            rating_workers.finish(process)
            statements = wire.statements
        self.bench.finish()
        return organization_id, statements

    def killed(self, sentence: Fault) -> UUID:
        """An organization whose night was killed."""
        organization_id = self.counted()
        with StatementProxy(self.bench.server.port, sentence) as wire:
            process = rating_workers.fork(calibrate, self._url(wire), organization_id)
            wire.aim(process.pid or 0)
            process.join(SECONDS_MAX)
            assert process.exitcode == -signal.SIGKILL
        return organization_id

    def held(self, sentence: Fault, meanwhile: Callable[[UUID], None]) -> UUID:
        """An organization whose night was held while something else happened."""
        organization_id = self.counted()
        with StatementProxy(self.bench.server.port, sentence) as wire:
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
        """What is not as it must be: counters, and ratings beside those of a clean night."""
        found = rating_results.miscounted(self.bench.db, organization_id, events)
        return found + rating_results.differences(self.state_of(organization_id), self.state_of(clean))

    def state_of(self, organization_id: UUID) -> rating_results.State:
        """What is known of items and voters, but for when."""
        state = rating_results.state_of(self.bench.db, organization_id)
        return {thing: {name: row[name] for name in row.keys() - COUNTED_IN} for thing, row in state.items()}

    def reports(self, organization_id: UUID) -> list[dict[str, Any]]:
        """Rows of rating.calibrations, in their order."""
        query = "select * from rating.calibrations where organization_id = %s order by id"
        return [dict(row) for row in self.bench.db.execute(query, [organization_id])]

    def _url(self, wire: StatementProxy) -> str:
        return url_of(self.bench.server, self.bench.name, wire.port)
