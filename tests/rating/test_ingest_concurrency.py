"""Concurrent producers, workers and retries: no event is lost or counted twice, and nothing deadlocks."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait

import psycopg
import pytest

from tests.kit.rating_events import become, claim, finish, fire, ingest, names, organization, slider, vote

PRODUCERS, WORKERS, REQUESTS, EVENTS = 8, 3, 25, 20


@pytest.fixture
def gallery(db):
    made = organization(db)
    become(db)
    return made


def some_events(chance):
    """Create events over few items in random order, so that concurrent requests overlap."""
    items = [f"item-{number}" for number in range(12)]
    made = []
    for _ in range(EVENTS):
        first, second = chance.sample(items, 2)
        voter = f"voter-{chance.randrange(30)}"
        made.append(chance.choice([vote(first, second, voter), slider(first, 50, voter), fire(first, voter)]))
    return made


def count_batch(connection, counted):
    """Process a batch like a worker, without arithmetic: claim items, take their events, count them, finish."""
    claimed = connection.execute("select * from rating.claim_dirty_items(most => 5, lease_seconds => 1)").fetchall()
    if not claimed:
        return False
    arrays = [[row["organization_id"] for row in claimed], names(claimed)]
    with connection.transaction():
        taken = connection.execute("select * from rating.take_events(%s, %s)", arrays).fetchone()
        got = list(zip(taken["event_ids"] or [], (names(claimed)[n - 1] for n in taken["numbers"] or []), strict=True))
        finish(connection, claimed)
    counted.update(got)
    return True


def test_events_of_8_producers_are_counted_once_by_3_workers(db, gallery, connect):
    producing = threading.Event()
    counted = [Counter() for _ in range(WORKERS)]

    def produce(number, connection):
        chance = random.Random(number)
        become(connection)
        sent = []
        for _ in range(REQUESTS):
            events = some_events(chance)
            if sent and chance.random() < 0.2:
                events += chance.sample(sent, 5)
            sent += events
            ingest(connection, gallery, *events)

    def work(number, connection):
        while count_batch(connection, counted[number]) or not producing.is_set():
            pass

    connections = [connect() for _ in range(PRODUCERS + WORKERS)]
    with ThreadPoolExecutor(PRODUCERS + WORKERS) as pool:
        workers = [pool.submit(work, number, connections[PRODUCERS + number]) for number in range(WORKERS)]
        producers = [pool.submit(produce, number, connections[number]) for number in range(PRODUCERS)]
        try:
            for producer in producers:
                producer.result()
        finally:
            producing.set()
        for worker in workers:
            worker.result()

    # Another worker takes the items that a worker left leased.
    db.execute("update rating.dirty_items set available_at = now() - interval '1 s'")
    last = Counter()
    while count_batch(db, last):
        pass

    total = sum(counted, last)
    laid = db.execute(
        "select event_id, item_a as item from rating.votes union all select event_id, item_b from rating.votes"
        " union all select event_id, item_id from rating.sliders union all select event_id, item_id from rating.fires"
    ).fetchall()
    assert total == Counter((row["event_id"], row["item"]) for row in laid)
    assert len(laid) > PRODUCERS * REQUESTS * EVENTS / 2
    assert db.execute("select count(*) as n from rating.inbox").fetchone() == {"n": 0}
    assert claim(db) == []


def test_concurrent_requests_with_the_same_events_write_them_once(db, gallery, connect):
    events = [vote("a", "b", key=f"k{n}") for n in range(40)] + [fire("c", key=f"f{n}") for n in range(20)]
    orders = [random.Random(number).sample(events, len(events)) for number in range(8)]
    connections = [connect() for _ in orders]

    def send(connection, order):
        become(connection)
        return Counter(result["status"] for result in ingest(connection, gallery, *order))

    with ThreadPoolExecutor(len(orders)) as pool:
        total = sum(pool.map(send, connections, orders), Counter())

    assert total["accepted"] == 41
    assert total["refused"] == 0
    assert db.execute("select (select count(*) from rating.votes) as v, (select count(*) from rating.fires) as f"
                      ).fetchone() == {"v": 40, "f": 1}  # fmt: skip


@pytest.mark.parametrize(
    "named", [lambda name: vote(key=name), lambda name: fire(item=name)], ids=["the same keys", "the same fires"]
)
def test_concurrent_requests_in_opposite_orders_do_not_deadlock(db, gallery, connect, named):
    first, *rivals = [connect(autocommit=number > 0) for number in range(3)]
    for connection in (first, *rivals):
        become(connection)
    ingest(first, gallery, named("b"))

    with ThreadPoolExecutor(2) as pool:
        sent = [
            pool.submit(ingest, rival, gallery, *map(named, order))
            for rival, order in zip(rivals, ("abc", "cba"), strict=True)
        ]
        wait(sent, timeout=0.5)  # if requests took events in the given order, both would now hold a key before "b"
        first.commit()
        fates = Counter(result["status"] for one in sent for result in one.result(timeout=30))

    assert fates == {"accepted": 2, "duplicate": 4}


def test_items_are_marked_in_order_by_one_statement_per_request(db, gallery):
    db.execute("create table marks (number bigint generated always as identity, statement bigint, item text)")
    db.execute("create sequence statements")
    db.execute("""
        create function count_statement() returns trigger language plpgsql as $$
        begin perform nextval('public.statements'); return null; end $$;
        create trigger counted before insert on rating.dirty_items execute function count_statement();
        create function note_mark() returns trigger language plpgsql as $$
        begin
            insert into public.marks (statement, item) values (currval('public.statements'), new.item_id);
            return new;
        end $$;
        create trigger noted before insert on rating.dirty_items for each row execute function note_mark()
    """)
    chance = random.Random(1)

    for _ in range(2):
        ingest(db, gallery, *some_events(chance))

    marks = db.execute("select statement, item from marks order by number").fetchall()
    assert {row["statement"] for row in marks} == {1, 2}
    for statement in (1, 2):
        items = [row["item"] for row in marks if row["statement"] == statement]
        assert items == sorted(set(items))


def test_uncommitted_mark_survives_the_finish_of_its_item(db, gallery, connect):
    ingest(db, gallery, slider("a"))
    claimed = db.execute("select * from rating.claim_dirty_items()").fetchall()
    producer, worker = connect(autocommit=False), connect()
    become(producer)
    ingest(producer, gallery, slider("a"))

    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(finish, worker, claimed)
        with pytest.raises(TimeoutError):
            finishing.result(timeout=0.3)  # the finish waits for the producer
        producer.commit()
        assert finishing.result(timeout=10) == 0

    assert db.execute("select lease_until from rating.dirty_items").fetchall() == [{"lease_until": None}]


def test_claim_skips_locked_items(db, gallery, connect):
    ingest(db, gallery, slider("a"), slider("b"))
    holder = connect(autocommit=False)
    holder.execute("select from rating.dirty_items where item_id = 'a' for update")

    db.execute("set lock_timeout = '1s'")
    assert names(db.execute("select * from rating.claim_dirty_items()").fetchall()) == ["b"]
    holder.rollback()


def test_open_snapshot_does_not_block_processing(db, gallery, connect):
    reader = connect(autocommit=False)
    reader.execute("set transaction isolation level repeatable read")
    reader.execute("select count(*) from rating.inbox")
    counted = Counter()

    for _ in range(30):
        ingest(db, gallery, *(slider(f"i{n}") for n in range(20)))
        while count_batch(db, counted):
            pass

    assert len(counted) == 600
    reader.rollback()


def test_marks_in_opposite_orders_deadlock(db, gallery, connect):
    """Two callers mark the same items in opposite orders; one ordered statement avoids this deadlock."""
    one, other = connect(autocommit=False), connect(autocommit=False)
    call = "select rating.mark_dirty(%s, array[%s])"
    one.execute(call, [gallery, "a"])
    other.execute(call, [gallery, "b"])

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(one.execute, call, [gallery, "b"]), pool.submit(other.execute, call, [gallery, "a"])]
        errors = [type(future.exception(timeout=30)) for future in waiting]

    assert errors.count(psycopg.errors.DeadlockDetected) == 1
