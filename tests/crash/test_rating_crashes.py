"""PostgreSQL crashes while people rate and workers count: nothing acknowledged is lost, nothing counts twice."""

import time

import psycopg
import pytest
from psycopg.rows import dict_row

from local.postgres import Server
from marquee.core import migrations
from tests.concurrency import crew, raters, standings
from tests.conftest import SQL, set_passwords
from tests.crash import rating_kills, rating_senders

SENDERS, CRASHES = 4, 3


@pytest.fixture
def durable(tmp_path):
    """A server with fsync and a migrated database, as real data have it."""
    server = Server(tmp_path / "postgres", durable=True)
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        migrations.migrate(connection, SQL)
        set_passwords(connection)
    yield server
    server.stop("immediate")


def connected(server: Server) -> psycopg.Connection:
    return psycopg.connect(server.url(), autocommit=True, row_factory=dict_row)


def test_postgres_crashing_under_load_loses_nothing_acknowledged_and_counts_nothing_twice(durable, tmp_path):
    events = raters.made_up(1600, items=30, voters=20)
    shares = [events[number::SENDERS] for number in range(SENDERS)]
    files = [tmp_path / f"heard-{number}" for number in range(SENDERS)]
    with connected(durable) as db:
        organization_id = standings.stage(db)
    url = rating_kills.url_of(durable, "postgres")

    senders = [
        crew.fork(rating_senders.send, durable.url(), organization_id, file, share)
        for file, share in zip(files, shares, strict=True)
    ]
    with crew.working(crew.PRODUCT, url, 2) as workers:
        for crash in range(1, CRASHES + 1):
            deadline = time.monotonic() + 60
            while len(rating_senders.heard(files)) < len(events) * crash // (CRASHES + 2):
                assert time.monotonic() < deadline
                assert None in [sender.exitcode for sender in senders]
                time.sleep(0.005)
            workers.pop(0).kill()  # one of them dies for good, and another comes
            durable.stop("immediate")
            durable.start()
            workers.append(crew.start(crew.PRODUCT, url))
        crew.finish(*senders)

    with connected(durable) as db:
        rating_kills.run_out(db)
        crew.finish(crew.start(crew.PRODUCT, url))
        assert rating_senders.heard(files) == {event["key"] for event in events}
        assert standings.miscounted(db, organization_id, events) == []
        alone = standings.stage(db, events)
        crew.finish(crew.start(crew.PRODUCT, url))
        assert standings.differences(standings.state_of(db, organization_id), standings.state_of(db, alone)) == []
        assert standings.left_over(db) == {"uncounted": 0, "marked": 0}
