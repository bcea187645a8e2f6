"""The results of the part `money` are committed and documented, and its scripts name accounts in one order."""

from pathlib import Path

import pytest

from bench import report
from bench.money import ledger
from bench.parts import money

pytestmark = pytest.mark.usefixtures("sockets_off")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operate" / "benchmarks.md"


def test_committed_results_have_every_target_and_each_row_is_documented() -> None:
    described, rows = report.read(report.RESULTS / "money.json")

    assert money.TARGETS.keys() <= {row.name for row in rows}
    assert [row.name for row in rows if f"- `{row.name}`" not in PAGE.read_text()] == []
    assert report.table(described, rows, money.TARGETS) in report.PAGE.read_text()


def test_floor_and_ledger_choose_accounts_in_the_same_order() -> None:
    assert "least(:one, :other)" in ledger.UNIFORM
    assert f"taker {ledger.ACCOUNTS}" in ledger.HOT
    assert ledger.FLOOR.count("floor_accounts set") == 2
    assert ledger.FLOOR.index("id = :giver") < ledger.FLOOR.index("id = :taker")
