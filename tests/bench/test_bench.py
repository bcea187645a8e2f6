"""The arithmetic, the files and the scripts of the benchmark, without any measurement."""

import asyncio
import itertools
import json
import platform
import time
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as command
from bench import databases, figures, machine, pgbench, report
from bench.booking import booking_worker, http_client, round_trips, wire_tap
from bench.figures import Row, Target, against, alone, compared, interleaved, percentile
from bench.money import queue_server, webhook_worker
from bench.parts import booking, money
from bench.runs import MeasurementFailed, Run
from marquee.payments import signatures

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    "routine_uniform",
    "sent_uniform",
    "routine_hot",
    "sent_hot",
    "handler",
    "http_rps",
    "http_p95_ms",
    "growth",
    "search_ms",
    "search_worst_ms",
    "roundtrips",
    "commits",
    "queries",
    "import_ms",
]
TOLD = """\
number of transactions actually processed: 810
number of failed transactions: {failed} (0.000%)
tps = 270.000000 (without initial connection time)
"""
SENT = (
    'select ops.act_as(\'{"role": "authenticated", "sub": "00000000-0000-7000-9000-100000000008"}\'::jsonb); '
    "select ops.take_tokens('book', '198.18.0.8'); \n   select events.book(\n"
    "  event_id => '0000000000007000a000100000000001'::uuid, seats => 1,\n  idempotency_key => 'a-key'\n )"
)


def test_runs_alternate_between_the_floor_and_the_measurement() -> None:
    calls: list[tuple[str, int]] = []

    def measure(name: str, value: float) -> Any:
        return lambda number: calls.append((name, number)) or value + number

    assert interleaved(3, measure("floor", 10), measure("booking", 5)) == [(10, 5), (11, 6), (12, 7)]
    assert calls == [(name, number) for number in range(3) for name in ("floor", "booking")]


def test_compared_row_has_medians_ratio_and_spread() -> None:
    row = compared("routine", "bookings/s", [(100, 50), (200, 120), (1000, 400)])

    assert row == Row("routine", 120, "bookings/s", 200, 0.6, spread=round((0.6 - 0.4) / 0.5, 3), runs=3)


def test_row_against_a_target_has_the_target_as_its_floor() -> None:
    assert against("handler", "bookings/s", [250, 330, 300], 300) == Row(
        "handler", 300, "bookings/s", 300, 1.0, spread=round((330 - 250) / 300, 3), runs=3
    )


def test_row_without_comparison_has_neither_floor_nor_ratio() -> None:
    assert alone("queries", "per booking", [3, 3, 3]) == Row("queries", 3, "per booking", None, None, spread=0, runs=3)


def test_median_of_an_even_number_of_runs_is_between_the_middle_two() -> None:
    assert against("x", "ms", [1, 2, 4, 100], 1).value == 3


def test_figures_have_four_digits() -> None:
    row = compared("x", "ms", [(3.0, 12345.678)] * 3)

    assert (row.value, row.floor, row.ratio) == (12350, 3, 4115.226)


def test_spread_of_zeros_is_zero() -> None:
    assert alone("x", "ms", [0, 0, 0]).spread == 0


@pytest.mark.parametrize(
    "make", [lambda runs: compared("x", "ms", [(1, 1)] * runs), lambda runs: alone("x", "ms", [1] * runs)]
)
def test_fewer_than_three_runs_make_no_median(make: Any) -> None:
    assert make(figures.RUNS_MIN).runs == 3
    with pytest.raises(ValueError, match="3 runs at least"):
        make(2)


def test_floor_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than zero"):
        compared("x", "ms", [(1, 1), (0, 1), (1, 1)])


@pytest.mark.parametrize(
    ("values", "share", "expected"), [(range(1, 101), 0.95, 95), ([7], 0.95, 7), ([3, 1, 2], 0.5, 2), ([1, 2, 3], 1, 3)]
)
def test_percentile_is_the_smallest_value_that_covers_the_share(values: Any, share: float, expected: float) -> None:
    assert percentile(list(values), share) == expected


def test_percentile_of_no_values_is_refused() -> None:
    with pytest.raises(ValueError, match="needs values"):
        percentile([], 0.95)


@pytest.mark.parametrize(
    ("target", "ratio", "reached"),
    [
        (Target(at_least=0.6), 0.6, True),
        (Target(at_least=0.6), 0.59, False),
        (Target(at_most=1.2), 1.2, True),
        (Target(at_most=1.2), 1.21, False),
    ],
)
def test_target_is_reached_at_its_bound(target: Target, ratio: float, *, reached: bool) -> None:
    assert target.reached(ratio) is reached


def test_results_file_has_the_documented_format(tmp_path: Path) -> None:
    rows = [compared("routine", "bookings/s", [(2, 1)] * 3), alone("queries", "per booking", [3] * 3)]
    report.write(tmp_path / "results" / "part.json", report.document(machine.described(), rows))
    written = json.loads((tmp_path / "results" / "part.json").read_text())

    assert list(written) == ["machine", "results"]
    assert [list(row) for row in written["results"]] == [
        ["name", "value", "unit", "floor", "ratio", "spread", "runs"]
    ] * 2
    assert written["results"][1]["floor"] is None
    assert written["results"][1]["ratio"] is None
    assert report.read(tmp_path / "results" / "part.json") == (machine.described(), rows)


def test_machine_is_described_without_its_host_name_or_paths() -> None:
    described = machine.described()

    assert set(described) == {"processor", "cores", "memory_gb", "system", "postgresql", "python"}
    assert not any(
        platform.node() in str(value) or "/" in str(value) for value in described.values() if platform.node()
    )


def test_table_shows_which_targets_are_reached() -> None:
    rows = [against(name, "ms", [value] * 3, 20) for name, value in (("fast", 10), ("slow", 30), ("other", 1))]
    lines = report.table(machine.described(), rows, {"fast": Target(at_most=1), "slow": Target(at_most=1)}).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:5]]

    assert cells == [
        ["fast", "10 ms", "20 ms", "0.50", "≤ 1", "yes", "0%", "3"],
        ["slow", "30 ms", "20 ms", "1.50", "≤ 1", "no", "0%", "3"],
        ["other", "1 ms", "20 ms", "0.05", "", "", "0%", "3"],
    ]


def test_committed_results_have_every_row_and_each_is_documented() -> None:
    described, rows = report.read(report.RESULTS / "booking.json")
    documented = (ROOT / "docs" / "operate" / "benchmarks.md").read_text()

    assert [row.name for row in rows] == NAMES
    assert set(booking.TARGETS) < set(NAMES)
    assert set(described) == set(machine.described())
    assert all(row.runs >= figures.RUNS_MIN for row in rows)
    assert [name for name in NAMES if f"`{name}`" not in documented] == []
    assert report.table(described, rows, booking.TARGETS) in report.PAGE.read_text()


def test_targets_of_money_are_documented() -> None:
    documented = (ROOT / "docs" / "operate" / "benchmarks.md").read_text()

    assert [name for name in money.TARGETS if f"- `{name}`" not in documented] == []


def test_queue_server_counts_requests_that_arrive_in_pieces() -> None:
    said: list[bytes] = []

    class Line(asyncio.Transport):
        def write(self, data: Any) -> None:
            said.append(data)

    body = json.dumps({"QueueUrl": "q", "Entries": [{"Id": "0", "MessageBody": "m"}, {"Id": "1", "MessageBody": "n"}]})
    request = f"POST / HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    connection = queue_server.Connection()
    connection.connection_made(Line())
    before = queue_server.Connection.messages
    for piece in (request[:20], request[20:60], request[60:], request):
        connection.data_received(piece)

    assert queue_server.Connection.messages - before == 4
    assert [answer.count(b"MessageId") for answer in said] == [2, 2]


def test_webhook_events_are_signed_and_unique() -> None:
    bodies = set()
    for number in range(3):
        request = webhook_worker._request({"id": "evt_1", "object": "event"}, number)
        signature = request["headers"]["Stripe-Signature"]
        signatures.verify(request["body"].encode(), signature, [webhook_worker.SECRET], now=time.time())
        bodies.add(json.loads(request["body"])["id"])

    assert len(bodies) == 3


def test_full_run_replaces_its_table_and_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- results of booking -->\nold\n<!-- end of results -->\nAfter.\n")

    for _ in range(2):
        report.renew(page, "booking", "| new |")
        report.renew(page, "money", "| elsewhere |")

    assert page.read_text() == ("Before.\n<!-- results of booking -->\n\n| new |\n\n<!-- end of results -->\nAfter.\n")


def test_quick_run_measures_less_and_keeps_the_committed_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def rows(run: Run) -> list[Row]:
        asked.append(run.quick)
        return [against("handler", "bookings/s", [run.pick(9, 5)] * 3, 1)]

    monkeypatch.setattr(booking, "rows", rows)
    monkeypatch.setattr(report, "RESULTS", tmp_path / "full")
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    (tmp_path / "page.md").write_text("A page.\n")
    monkeypatch.setattr(command, "FOLDER", tmp_path / "quick")
    monkeypatch.setattr("bench.runs.FOLDER", tmp_path / "work")

    assert command.main(["booking", "--quick"]) == 0
    assert not (tmp_path / "full").exists()
    assert command.main(["booking"]) == 0
    assert asked == [True, False]
    assert [report.read(tmp_path / name / "booking.json")[1][0].value for name in ("quick", "full")] == [5, 9]


def test_second_run_is_refused_while_one_is_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows(_run: Run) -> list[Row]:
        assert command.main(["booking"]) == 1
        raise MeasurementFailed("This one had begun.")

    monkeypatch.setattr(booking, "rows", rows)
    monkeypatch.setattr("bench.runs.FOLDER", tmp_path)

    assert command.main(["booking"]) == 1
    assert "Another benchmark runs here already" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_first_second_of_pgbench_is_not_counted() -> None:
    progress = "progress: 1.0 s, 10.0 tps, lat 1 ms\nprogress: 2.0 s, 300.0 tps, lat 1 ms"

    assert pgbench.read(TOLD.format(failed=0), progress, 0) == pytest.approx((810 - 10) / 2)


@pytest.mark.parametrize(
    ("told", "complained", "status"),
    [
        (TOLD.format(failed=1), "progress: 1.0 s, 1 tps", 0),
        (TOLD.format(failed=0), "progress: 1.0 s, 1 tps", 2),
        (TOLD.format(failed=0), "", 0),
        ("", "client 4 aborted: ERROR:  already_booked", 2),
    ],
)
def test_pgbench_run_with_failed_bookings_is_refused(told: str, complained: str, status: int) -> None:
    with pytest.raises(MeasurementFailed):
        pgbench.read(told, complained, status)


def test_pgbench_script_is_the_sent_booking_without_the_rate_limiter() -> None:
    assert wire_tap.pgbench_script(SENT, 7) == (
        'select ops.act_as(\'{"role": "authenticated", "sub": "00000000-0000-7000-9000-:customer"}\'::jsonb) \\; '
        "select events.book( event_id => '00000000-0000-7000-a000-:event'::uuid, seats => 1, "
        "idempotency_key => ':customer-:event' );\n"
    )


@pytest.mark.parametrize("changed", ["sub", "event_id => '0000", "idempotency_key"])
def test_booking_of_an_unknown_form_is_not_measured(changed: str) -> None:
    other = SENT.replace(changed, "other").replace("otherx", "") if changed != "sub" else SENT.replace("008", "009")
    with pytest.raises(MeasurementFailed, match="another form"):
        wire_tap.pgbench_script(other, 7)


def test_queries_are_the_statements_that_were_sent() -> None:
    assert len(wire_tap.statements(SENT)) == 3


def test_connection_setup_is_not_counted_to_bookings() -> None:
    connecting = 7
    few, many = (
        round_trips.Count(bookings=number, round_trips=connecting + number, commits=2 + number, queries=3 * number)
        for number in (12, 72)
    )

    assert many.per_booking(few) == (1, 1, 3)


def test_http_load_never_books_an_event_twice_for_a_customer() -> None:
    tokens, events = ["a", "b", "c"], ["1", "2"]
    sent = [(token, json.loads(body)["event_id"]) for token, body in http_client.bodies(tokens, events, 0)]

    assert sorted(sent) == sorted(itertools.product(tokens, events))
    assert [token for token, _ in sent[:3]] == tokens
    assert list(http_client.bodies(tokens, events, 2)) == list(http_client.bodies(tokens, events, 0))[2:]


def test_customer_and_event_ids_end_in_their_numbers() -> None:
    assert str(databases.customer_id(7)) == f"{databases.CUSTOMER}{databases.FIRST + 7}"
    assert str(databases.event_id(7)) == f"{databases.EVENT}{databases.FIRST + 7}"
    assert booking_worker.customers_needed(50) == 60


def test_part_is_found_by_its_module() -> None:
    assert "booking" in command.PARTS


def test_report_without_a_run_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    assert command.main(["booking", "--report"]) == 1
    assert "make bench PART=booking" in capsys.readouterr().err
