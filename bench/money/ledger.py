"""The ledger: transfers per second by pgbench, against the floor on the same server, measured in turns.

The floor inserts a transfer and two entries, and updates two balances. Sealing is measured in entries per second.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from bench import databases, pgbench
from bench.figures import Row, alone, compared, interleaved
from bench.runs import MeasurementFailed, Run, log, step

CLIENTS = 16
ACCOUNTS = 1000
BATCH = 50
SEALED_MOST = 10_000

# Both sides name accounts by a number. It is the key of the floor; the ledger's statement looks up the account's id.
SETTING = f"""
create table public.floor_accounts (
    id integer primary key,
    balance_cents bigint not null default 0
) with (fillfactor = 50);
insert into public.floor_accounts (id) select generate_series(1, {ACCOUNTS});
create table public.floor_transfers (
    id bigint generated always as identity primary key,
    from_id integer not null,
    to_id integer not null,
    amount_cents bigint not null,
    created_at timestamptz not null default now()
);
create table public.floor_entries (
    id bigint generated always as identity primary key,
    transfer_id bigint not null,
    account_id integer not null,
    amount_cents bigint not null
);
create function public.floor_transfer(giver integer, taker integer, cents bigint) returns void language plpgsql as $$
declare
    the_id bigint;
begin
    insert into public.floor_transfers (from_id, to_id, amount_cents) values (giver, taker, cents)
    returning id into the_id;
    insert into public.floor_entries (transfer_id, account_id, amount_cents)
    values (the_id, giver, -cents), (the_id, taker, cents);
    update public.floor_accounts set balance_cents = balance_cents - cents where id = giver;
    update public.floor_accounts set balance_cents = balance_cents + cents where id = taker;
end;
$$;
create table public.numbered (number integer primary key, cash_id uuid not null, wallet_id uuid not null);
insert into public.numbered
select n, payments.account('user', u.id, 'cash', 'CHF'), payments.account('user', u.id, 'credits', 'CHF')
from generate_series(1, {ACCOUNTS}) as n
cross join lateral (select ops.uuid_v7() as id where n > 0) as u;
select payments.post_transaction(
    'top_up',
    array_agg(n.wallet_id) || payments.account('platform', null, 'clearing', 'CHF'),
    array_agg(-1000000000::bigint) || array[{ACCOUNTS} * 1000000000::bigint], 'first'
)
from public.numbered as n;
-- The content of a client's requests, except for the keys.
create table public.batches as
select b.number, jsonb_agg(jsonb_build_object(
    'kind', 'transfer', 'account_ids', jsonb_build_array(g.cash_id, t.cash_id),
    'amounts_cents', jsonb_build_array(100, -100), 'idempotency_key', 'transfer:#:' || n
))::text as content
from generate_series(1, {ACCOUNTS}) as b (number)
cross join generate_series(1, {BATCH}) as n
inner join public.numbered as g on g.number = 1 + (b.number + 7 * n) % {ACCOUNTS}
inner join public.numbered as t on t.number = 1 + (b.number + 7 * n + b.number % 99 + 1) % {ACCOUNTS}
group by b.number;
create unique index on public.batches (number);
"""
# Accounts are locked in the order of their numbers, because two transfers of the floor could deadlock otherwise. The
# busy account is the last, so that its lock is as short as possible.
UNIFORM = f"""\\set one random(1, {ACCOUNTS})
\\set other 1 + (:one + random(0, {ACCOUNTS} - 2)) % {ACCOUNTS}
\\set giver least(:one, :other)
\\set taker greatest(:one, :other)
"""
HOT = f"""\\set giver random(1, {ACCOUNTS} - 1)
\\set taker {ACCOUNTS}
"""
FLOOR = """begin;
insert into floor_transfers (from_id, to_id, amount_cents) values (:giver, :taker, 100)
returning id as transfer \\gset
insert into floor_entries (transfer_id, account_id, amount_cents)
values (:transfer, :giver, -100), (:transfer, :taker, 100);
update floor_accounts set balance_cents = balance_cents - 100 where id = :giver;
update floor_accounts set balance_cents = balance_cents + 100 where id = :taker;
commit;
"""
FLOOR_CALL = "select floor_transfer(:giver, :taker, 100);\n"
POST = """select payments.post_transaction(
    'transfer', array[g.{column}, t.{column}], array[100, -100], 'transfer:' || ops.uuid_v7()
)
from numbered as g, numbered as t where g.number = :giver and t.number = :taker;
"""
POST_MANY = """select payments.post_transactions(replace(b.content, '#', ops.uuid_v7()::text)::jsonb)
from batches as b where b.number = :giver;
"""


class Load:
    """The scripts of pgbench for one database."""

    def __init__(self, folder: Path, database: databases.Database, seconds: int) -> None:
        self._folder = folder
        self._database = database
        self._seconds = seconds

    def rate(self, script: str) -> float:
        """Run a script as the owner, like the routines that move money. Returns transactions per second."""
        file = self._folder / "ledger.pgbench"
        file.write_text(script)
        return pgbench.rate(self._database.owner, file, self._seconds, "prepared", clients=CLIENTS)

    def measure(self, script: str, times: int = 1) -> Callable[[int], float]:
        """Return a measure of transfers per second, where each transaction makes `times` transfers."""
        return lambda _number: times * self.rate(script)


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `ledger_floor_call`, `_uniform`, `_hot`, `_batch50`, `_guarded` and `ledger_sealed`."""
    runs = run.pick(5, 3)
    database = factory.create("ledger", customers=1, events=1)
    database.run(SETTING, "vacuum analyze", "checkpoint")
    load = Load(run.folder, database, run.pick(3, 1))
    scripts = (
        ("ledger_floor_call", UNIFORM, UNIFORM + FLOOR_CALL, 1),
        ("ledger_uniform", UNIFORM, UNIFORM + POST.format(column="cash_id"), 1),
        ("ledger_hot", HOT, HOT + POST.format(column="cash_id"), 1),
        ("ledger_batch50", UNIFORM, UNIFORM + POST_MANY, BATCH),
        ("ledger_guarded", UNIFORM, UNIFORM + POST.format(column="wallet_id"), 1),
    )
    for name, choice, script, times in scripts:
        with step(f"{name}: {runs} times the floor and the ledger"):
            pairs = interleaved(runs, load.measure(choice + FLOOR), load.measure(script, times))
        log(f"{name}: " + ", ".join(f"{ours:.0f} of {bare:.0f}" for bare, ours in pairs) + " a second")
        yield compared(name, "transfers/s", pairs)
    with step(f"ledger_sealed: {runs} times {SEALED_MOST:,} entries"):
        sealed = [_seal(database) for _ in range(runs)]
    yield alone("ledger_sealed", "entries/s", sealed)
    with step("verifying the ledger"):
        _verify(database)
    factory.drop(database)


def _seal(database: databases.Database) -> float:
    """Seal entries by one call of the job, and return entries per second."""
    with psycopg.connect(database.owner, autocommit=True) as connection:
        began = time.perf_counter()
        row = connection.execute("select payments.seal_entries('infinity', %s)", [SEALED_MOST]).fetchone()
        seconds = time.perf_counter() - began
    if row is None or row[0]["sealed"] != SEALED_MOST:
        raise MeasurementFailed(f"Fewer than {SEALED_MOST} entries were sealed: {row}")
    return float(row[0]["sealed"] / seconds)


def _verify(database: databases.Database) -> None:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        found = connection.execute("select finding, count(*) from payments.verify_ledger() group by 1").fetchall()
    if found:
        raise MeasurementFailed(f"The verification of the measured ledger found faults: {found}")
