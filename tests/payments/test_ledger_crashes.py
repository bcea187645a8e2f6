"""A poster is killed while it posts: only whole, committed transactions remain."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.kit.ledger import LedgerRoutines

pytestmark = pytest.mark.own_database  # these tests count the connections


@pytest.fixture
def books(db):
    return LedgerRoutines(db)


def posting(connect: Callable[..., Any], accounts: tuple[UUID, UUID]) -> Any:
    """Return a connection with a posting that is not committed."""
    connection = connect(autocommit=False)
    LedgerRoutines(connection).post("ticket", {accounts[0]: 100, accounts[1]: -100}, key="broken off")
    return connection


def test_terminated_session_leaves_no_posting(books, connect):
    accounts = (books.someone("clearing"), books.someone("credits"))
    poster = posting(connect, accounts)

    books.value("select pg_terminate_backend(%s, 5000)", [poster.info.backend_pid])

    with pytest.raises(psycopg.OperationalError):
        poster.commit()
    assert books.value("select count(*) from payments.transactions") == 0
    assert books.balance(accounts[1]) == 0
    books.post("ticket", {accounts[0]: 70, accounts[1]: -70}, key="broken off")
    assert books.balance(accounts[1]) == 70
    assert books.findings() == []


POSTER = """
import sys, psycopg
url, clearing, wallet = sys.argv[1:]
with psycopg.connect(url) as connection:
    number = 0
    while True:
        number += 1
        connection.execute(
            "select payments.post_transaction('top_up', array[%s, %s]::uuid[], array[100, -100], %s)",
            [clearing, wallet, f"{number}"],
        )
        connection.execute("select payments.post_transaction('top_up', array[%s, %s]::uuid[], array[1, -1], %s)",
            [clearing, wallet, f"{number}-second"],
        )
        connection.commit()
        print(number, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_killed_process_leaves_only_whole_transactions(books, server, database_name, seed):
    clearing, wallet = books.someone("clearing"), books.someone("credits")
    command = [sys.executable, "-c", POSTER, server.url(database_name), str(clearing), str(wallet)]
    poster = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert poster.stdout is not None
    poster.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.05, 0.3))
    os.kill(poster.pid, signal.SIGKILL)
    acknowledged = 1 + len(poster.stdout.read().split())
    poster.stdout.close()
    poster.wait(10)
    gone = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    deadline = time.monotonic() + 20
    while books.value(gone) > 0 and time.monotonic() < deadline:
        time.sleep(0.02)

    posted = books.value("select count(*) from payments.transactions")

    assert books.balance(wallet) % 101 == 0
    assert acknowledged <= posted // 2 <= acknowledged + 1
    assert books.balance(wallet) == posted // 2 * 101
    books.seal()
    assert books.findings() == []
