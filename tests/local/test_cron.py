"""Schedule expressions, in tables."""

from datetime import UTC, datetime, timedelta

import pytest

from local.cron import Expression, ExpressionError


def following(text: str, after: str, zone: str = "UTC", count: int = 1) -> list[str]:
    """Return the next times after a moment (UTC), formatted in the zone."""
    expression = Expression.parse(text, zone)
    moment, found = datetime.fromisoformat(after).replace(tzinfo=UTC), []
    for _ in range(count):
        next_at = expression.next_after(moment)
        if next_at is None:
            break
        found.append(f"{next_at.astimezone(expression.zone):%Y-%m-%d %H:%M %a}")
        moment = next_at
    return found


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("cron(15 2 * * ? *)", "2026-01-31T02:15:00", ["2026-02-01 02:15 Sun"]),
        ("cron(15 2 * * ? *)", "2026-01-31T02:14:59", ["2026-01-31 02:15 Sat"]),
        ("cron(0/20 8-9 * * ? *)", "2026-03-01T08:20:00", ["2026-03-01 08:40 Sun", "2026-03-01 09:00 Sun"]),
        ("cron(*/30 * * * ? *)", "2026-03-01T23:31:00", ["2026-03-02 00:00 Mon", "2026-03-02 00:30 Mon"]),
        ("cron(0 9 ? * MON-FRI *)", "2026-03-06T09:00:00", ["2026-03-09 09:00 Mon", "2026-03-10 09:00 Tue"]),
        ("cron(0 9 ? * 2 *)", "2026-03-06T09:00:00", ["2026-03-09 09:00 Mon"]),
        ("cron(0 9 ? * 1 *)", "2026-03-06T09:00:00", ["2026-03-08 09:00 Sun"]),
        ("cron(0 9 ? * SUN,7 *)", "2026-03-06T09:00:00", ["2026-03-07 09:00 Sat", "2026-03-08 09:00 Sun"]),
        ("cron(0 0 1 JAN,7 ? *)", "2026-02-01T00:00:00", ["2026-07-01 00:00 Wed", "2027-01-01 00:00 Fri"]),
        ("cron(0 0 L * ? *)", "2027-02-01T00:00:00", ["2027-02-28 00:00 Sun", "2027-03-31 00:00 Wed"]),
        ("cron(0 0 L 2 ? *)", "2027-03-01T00:00:00", ["2028-02-29 00:00 Tue"]),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00", ["2028-02-29 00:00 Tue", "2032-02-29 00:00 Sun"]),
        ("cron(0 0 31 * ? *)", "2026-03-31T00:00:00", ["2026-05-31 00:00 Sun"]),
        ("cron(0 0 15W * ? *)", "2026-03-01T00:00:00", ["2026-03-16 00:00 Mon", "2026-04-15 00:00 Wed"]),
        ("cron(0 0 1W * ? *)", "2026-07-02T00:00:00", ["2026-08-03 00:00 Mon"]),
        ("cron(0 0 31W * ? *)", "2026-05-01T00:00:00", ["2026-05-29 00:00 Fri"]),
        ("cron(0 0 LW * ? *)", "2026-05-01T00:00:00", ["2026-05-29 00:00 Fri"]),
        ("cron(0 0 ? * 6L *)", "2026-05-01T00:00:00", ["2026-05-29 00:00 Fri", "2026-06-26 00:00 Fri"]),
        ("cron(0 0 ? * 3#2 *)", "2026-05-01T00:00:00", ["2026-05-12 00:00 Tue", "2026-06-09 00:00 Tue"]),
        ("cron(0 0 ? * FRI#5 *)", "2026-05-01T00:00:00", ["2026-05-29 00:00 Fri", "2026-07-31 00:00 Fri"]),
        ("cron(0 0 ? * L *)", "2026-05-01T00:00:00", ["2026-05-02 00:00 Sat"]),
        ("cron(0 12 1 1 ? 2028-2030/2)", "2026-01-01T00:00:00", ["2028-01-01 12:00 Sat", "2030-01-01 12:00 Tue"]),
        ("cron(0 12 1 1 ? 2020)", "2026-01-01T00:00:00", []),
        ("at(2026-12-24T18:30:00)", "2026-01-01T00:00:00", ["2026-12-24 18:30 Thu"]),
        ("at(2025-12-24T18:30:00)", "2026-01-01T00:00:00", []),
        ("rate(15 minutes)", "2026-01-01T00:00:00", ["2026-01-01 00:15 Thu", "2026-01-01 00:30 Thu"]),
        ("rate(1 day)", "2026-01-01T08:00:00", ["2026-01-02 08:00 Fri"]),
    ],
)
def test_expression_has_its_next_times(text: str, after: str, expected: list[str]) -> None:
    assert following(text, after, count=max(1, len(expected))) == expected


@pytest.mark.parametrize(
    ("zone", "text", "after", "expected"),
    [
        # The clock skips this local time, and so does the schedule; it continues the next day.
        ("Europe/Zurich", "cron(30 2 * * ? *)", "2026-03-28T12:00:00", ["2026-03-30 02:30 Mon"]),
        # A local time that occurs twice counts once.
        (
            "Europe/Zurich",
            "cron(30 2 * * ? *)",
            "2026-10-24T12:00:00",
            ["2026-10-25 02:30 Sun", "2026-10-26 02:30 Mon"],
        ),
        ("Europe/Zurich", "cron(0 9 * * ? *)", "2026-03-28T12:00:00", ["2026-03-29 09:00 Sun"]),
        ("Pacific/Auckland", "cron(0 9 * * ? *)", "2026-06-30T21:00:00", ["2026-07-02 09:00 Thu"]),
        ("America/New_York", "at(2026-07-04T12:00:00)", "2026-07-04T15:59:00", ["2026-07-04 12:00 Sat"]),
        (
            "Australia/Lord_Howe",
            "cron(45 1 * * ? *)",
            "2026-04-04T12:00:00",
            ["2026-04-05 01:45 Sun", "2026-04-06 01:45 Mon"],
        ),
    ],
)
def test_expression_follows_local_time_around_daylight_saving(
    zone: str, text: str, after: str, expected: list[str]
) -> None:
    assert following(text, after, zone, len(expected)) == expected


def test_rate_is_measured_from_its_start() -> None:
    began = datetime(2026, 1, 1, 0, 0, 40, tzinfo=UTC)

    next_at = Expression.parse("rate(5 minutes)").next_after(began + timedelta(minutes=12), since=began)

    assert next_at == began + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("cron(0 9 * * *)", "UTC"),
        ("cron(0 9 * * * *)", "UTC"),
        ("cron(0 9 ? * ? *)", "UTC"),
        ("cron(60 9 * * ? *)", "UTC"),
        ("cron(0 24 * * ? *)", "UTC"),
        ("cron(0 9 ? * 8 *)", "UTC"),
        ("cron(0 9 ? * MON#6 *)", "UTC"),
        ("cron(0 9 32 * ? *)", "UTC"),
        ("cron(5-3 9 * * ? *)", "UTC"),
        ("cron(x 9 * * ? *)", "UTC"),
        ("rate(0 minutes)", "UTC"),
        ("rate(5 fortnights)", "UTC"),
        ("at(tomorrow)", "UTC"),
        ("every day", "UTC"),
        ("rate(1 minute)", "Middle/Earth"),
    ],
)
def test_invalid_expression_is_refused(text: str, zone: str) -> None:
    with pytest.raises(ExpressionError):
        Expression.parse(text, zone)
