"""Crashes of PostgreSQL under load lose no acknowledged event and count none twice."""

import time

import psycopg
from psycopg.rows import dict_row

from local.postgres import Server
from tests.kit import rating_clients, rating_crashes, rating_load, rating_results, rating_workers

SENDERS, CRASHES = 4, 3


def connected(server: Server) -> psycopg.Connection:
    return psycopg.connect(server.url(), autocommit=True, row_factory=dict_row)


def test_crashes_under_load_lose_no_event_and_count_none_twice(durable, tmp_path):
    events = rating_load.made_up(1600, items=30, voters=20)
    shares = [events[number::SENDERS] for number in range(SENDERS)]
    files = [tmp_path / f"heard-{number}" for number in range(SENDERS)]
    with connected(durable) as db:
        organization_id = rating_results.stage(db)
    url = rating_crashes.url_of(durable, "postgres")

    senders = [
        rating_workers.fork(rating_clients.send, durable.url(), organization_id, file, share)
        for file, share in zip(files, shares, strict=True)
    ]
    with rating_workers.working(rating_workers.PRODUCT, url, 2) as workers:
        for crash in range(1, CRASHES + 1):
            deadline = time.monotonic() + 60
            while len(rating_clients.acknowledged_keys(files)) < len(events) * crash // (CRASHES + 2):
                assert time.monotonic() < deadline
                assert None in [sender.exitcode for sender in senders]
                time.sleep(0.005)
            workers.pop(0).kill()  # one worker dies for good, and another starts
            durable.stop("immediate")
            durable.start()
            workers.append(rating_workers.start(rating_workers.PRODUCT, url))
        rating_workers.finish(*senders)

    with connected(durable) as db:
        rating_crashes.expire_leases(db)
        rating_workers.finish(rating_workers.start(rating_workers.PRODUCT, url))
        assert rating_clients.acknowledged_keys(files) == {event["key"] for event in events}
        assert rating_results.miscounted(db, organization_id, events) == []
        alone = rating_results.stage(db, events)
        rating_workers.finish(rating_workers.start(rating_workers.PRODUCT, url))
        assert (
            rating_results.differences(rating_results.state_of(db, organization_id), rating_results.state_of(db, alone))
            == []
        )
        assert rating_results.left_over(db) == {"uncounted": 0, "marked": 0}
