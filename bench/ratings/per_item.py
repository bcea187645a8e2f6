"""The floor for batches: a worker that reads and writes for each item and each of its events separately.

It has its own tables, with every index that its queries can use. The arithmetic is Elo with a running mean of sliders.
It runs in two ways:

- by request: each statement sets claims and commits in our session, like a worker that uses a database over an API
- prepared, its best case: prepared statements and one transaction for each item
"""

import contextlib
import math
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from bench import databases
from marquee.core import database as sessions

_TABLES: LiteralString = """
create table public.votes_events as
select g.id, g.voter, g.item as item_a, g.other as item_b, case g.value when 1 then g.item else g.other end as winner
from public.given as g where g.kind = 'vote';
create unique index on public.votes_events (id);
create index on public.votes_events (item_a, id);
create index on public.votes_events (item_b, id);
create table public.sliders_events as
select g.id, g.voter, g.item, g.value from public.given as g where g.kind = 'slider';
create index on public.sliders_events (item, id);
create table public.fires_events as
select g.id, g.voter, g.item from public.given as g where g.kind = 'fire';
create index on public.fires_events (item, id);
create table public.users (
    voter text primary key, votes integer not null default 0, sliders integer not null default 0,
    mean double precision not null default 50, square double precision not null default 0,
    reliability double precision not null default 1
) with (fillfactor = 50);
insert into public.users (voter) select distinct g.voter from public.given as g;
create table public.nft_stats (
    item text primary key, mean double precision not null default 1200, sigma double precision not null default 350,
    votes integer not null default 0, slider_sum double precision not null default 0,
    sliders integer not null default 0, fires integer not null default 0, last_event bigint not null default 0
) with (fillfactor = 50);
insert into public.nft_stats (item) select distinct g.item from public.given as g;
create table public.nft_scores (item text primary key, score double precision not null, confidence double precision);
create table public.score_log (item text not null, score double precision not null, at timestamptz default now());
create table public.dirty_nfts (item text primary key, marked_at timestamptz not null default now());
"""
_AGAIN: LiteralString = """
truncate public.nft_scores, public.score_log, public.dirty_nfts;
update public.nft_stats
set mean = 1200, sigma = 350, votes = 0, slider_sum = 0, sliders = 0, fires = 0, last_event = 0;
update public.users set votes = 0, sliders = 0, mean = 50, square = 0, reliability = 1;
insert into public.dirty_nfts (item) select s.item from public.nft_stats as s;
"""
_GRANTS: LiteralString = """
grant usage on schema public to service_role;
grant select, insert, update, delete on all tables in schema public to service_role;
"""

Ask = Callable[[LiteralString, tuple[Any, ...]], list[tuple[Any, ...]]]


@dataclass(slots=True)
class Worker:
    """Processes the dirty items one by one, and counts its statements except transaction control and claims."""

    ask: Ask
    transaction: Callable[[], AbstractContextManager[Any]]
    statements: int = 0
    events: int = 0
    items: int = 0

    def work(self) -> None:
        """Process items until none is dirty."""
        while True:
            with self.transaction():
                row = self._ask("select item from dirty_nfts order by marked_at limit 1 for update skip locked")
                if not row:
                    return
                self._item(row[0][0])
                self.items += 1

    def _ask(self, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        self.statements += 1
        return self.ask(query, values)

    def _item(self, item: str) -> None:
        ((mean, sigma, votes, slider_sum, sliders, fires, last),) = self._ask(
            "select mean, sigma, votes, slider_sum, sliders, fires, last_event from nft_stats where item = %s", item
        )
        voted = self._ask(
            """
            select id, voter, item_a, item_b, winner from votes_events where item_a = %s and id > %s
            union all
            select id, voter, item_b, item_a, winner from votes_events where item_b = %s and id > %s
            order by id
            """,
            *(item, last, item, last),
        )
        slid = self._ask(
            "select id, voter, value from sliders_events where item = %s and id > %s order by id", item, last
        )
        lit = self._ask("select id, voter from fires_events where item = %s and id > %s order by id", item, last)
        for _, voter, _, other, winner in voted:
            ((opponent,),) = self._ask("select mean from nft_stats where item = %s", other)
            expected = 1 / (1 + 10 ** ((opponent - mean) / 400))
            mean += 32 * ((winner == item) - expected)
            sigma = min(400.0, max(50.0, 0.98 * math.hypot(sigma, 10)))
            self._ask("update users set votes = votes + 1 where voter = %s", voter)
        for _, voter, value in slid:
            ((count, middle, square),) = self._ask("select sliders, mean, square from users where voter = %s", voter)
            spread = max(5.0, math.sqrt(square / (count - 1))) if count > 1 else 15.0
            slider_sum += 50 + 20 * max(-2.5, min(2.5, (value - middle) / spread))
            step = value - middle
            middle += step / (count + 1)
            self._ask(
                "update users set sliders = sliders + 1, mean = %s, square = %s where voter = %s",
                *(middle, square + step * (value - middle), voter),
            )
        self.events += len(voted) + len(slid) + len(lit)
        last = max([last, *(row[0] for row in (*voted, *slid, *lit))])
        votes, sliders, fires = votes + len(voted), sliders + len(slid), fires + len(lit)
        self._ask(
            """
            update nft_stats
            set mean = %s, sigma = %s, votes = %s, slider_sum = %s, sliders = %s, fires = %s, last_event = %s
            where item = %s
            """,
            *(mean, sigma, votes, slider_sum, sliders, fires, last, item),
        )
        self._publish(item, mean, sigma)
        self._ask("delete from dirty_nfts where item = %s", item)

    def _publish(self, item: str, mean: float, sigma: float) -> None:
        """Read the history again for reliability and counts, as such workers do, and store the score."""
        voters = self._ask(
            "select voter from votes_events where item_a = %s union select voter from votes_events where item_b = %s",
            *(item, item),
        )
        values = self._ask("select voter, value from sliders_events where item = %s", item)
        ((fires,),) = self._ask("select count(distinct voter) from fires_events where item = %s", item)
        ((reliability,),) = self._ask(
            "select avg(reliability) from users where voter = any(%s)", [row[0] for row in (*voters, *values)]
        )
        self._ask("select score, confidence from nft_scores where item = %s", item)
        elo = min(100.0, max(0.0, (mean - 800) / 6))
        slider = sum(row[1] for row in values) / len(values) if values else 50.0
        fire = min(100.0, math.log1p(fires) / math.log(4) * 100)
        score = (0.4 * elo + 0.3 * slider + 0.3 * fire) * float(reliability or 1)
        self._ask(
            """
            insert into nft_scores (item, score, confidence) values (%s, %s, %s)
            on conflict (item) do update set score = excluded.score, confidence = excluded.confidence
            """,
            *(item, score, 100 - sigma / 4),
        )
        self._ask("insert into score_log (item, score) values (%s, %s)", item, score)


def prepare(database: databases.Database) -> None:
    """Create the worker's tables, with the events of public.given."""
    database.run(_TABLES, _GRANTS, "vacuum analyze")


def process_by_request(database: databases.Database) -> tuple[float, Worker]:
    """Process all items with one request for each statement. Returns the seconds, and the worker with its counts."""

    def ask(query: LiteralString, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with sessions.single(sessions.service()) as session:
            return [tuple(row.values()) for row in session.all(query, values)]

    os.environ["DATABASE_URL"] = database.api
    try:
        return _worked(database, Worker(ask, contextlib.nullcontext))
    finally:
        sessions.disconnect()
        del os.environ["DATABASE_URL"]


def process_prepared(database: databases.Database) -> tuple[float, Worker]:
    """Process all items with prepared statements and one transaction for each item. Returns the same."""
    with psycopg.connect(database.owner, autocommit=True) as connection:

        def ask(query: LiteralString, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
            cursor = connection.execute(query, values, prepare=True)
            return cursor.fetchall() if cursor.description else []

        return _worked(database, Worker(ask, connection.transaction))


def _worked(database: databases.Database, worker: Worker) -> tuple[float, Worker]:
    database.run(_AGAIN, "vacuum analyze public.users, public.nft_stats", "checkpoint")
    began = time.perf_counter()
    worker.work()
    return time.perf_counter() - began, worker
