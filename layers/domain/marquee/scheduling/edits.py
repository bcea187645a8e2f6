"""Edits of a series: one event alone, this and the following events, or all future events.

An event that has started is never changed. The series stays locked from the first statement to the commit, so that
edits and generators take turns.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.scheduling import consent, events, exceptions, generation, recurrence, slots
from marquee.scheduling.rules import invalid
from marquee.scheduling.series import EditedSeries, SeriesEdit, get

_WHEN = frozenset({"recurrence", "local_start_time", "start_date", "end_date", "time_zone", "duration_minutes"})
_NOT_OF_ONE = frozenset({"recurrence", "start_date", "end_date", "time_zone", "language"})

Row = dict[str, Any]


def edit(session: Session, series_id: UUID, request: SeriesEdit, now: datetime) -> EditedSeries:
    """Edit a series in the requested scope. Returns the series, after a split the new one.

    Refuses: 403 forbidden, 404 event_not_found and series_not_found, 409 capacity_below_sold, event_begun,
    event_not_editable, series_archived and would_cancel, 422 invalid_request.
    """
    [row] = session.all("select s.* from events.lock_series_for_edit(series_id => %s) as s", [series_id])
    if request.scope == "this":
        edited = _edit_one(session, row, request)
        return EditedSeries.model_validate({**get(session, series_id).model_dump(), "cancelled": edited.cancelled})
    if request.scope == "following":
        row = _split(session, row, request, now)
    return _edit_all(session, row, request, now)


def _edit_all(session: Session, row: Row, request: SeriesEdit, now: datetime) -> EditedSeries:
    changes = request.sent()
    until = max(row["generated_until"] or date.min, generation.horizon(now))
    occurrences = placed = None
    schedule = old = generation.schedule_of(row)
    if _WHEN & changes.keys():
        sent = generation.schedule_of({**row, **{name: getattr(request, name) for name in changes}})
        today = generation.local_date(sent, now)
        if recurrence.is_readable(old):
            plan = exceptions.plan(old, recurrence.reanchored(old, sent), _slots(session, row, today))
            sent = plan.schedule
            placed = json.dumps(
                [
                    {"event_id": event_id, "local_start": start.isoformat(), "place": place}
                    for event_id, (start, place) in plan.placed.items()
                ]
            )
        schedule = recurrence.checked(sent)
        if "start_date" in changes:
            recurrence.check_near(schedule.start_date, now.date(), "start_date")
        changes["recurrence"] = schedule.recurrence
        occurrences = json.dumps(generation.as_json(recurrence.occurrences(schedule, today, until)))
    changes["anchor_date"] = schedule.anchor_date and schedule.anchor_date.isoformat()
    edited = session.value(
        """
        select events.edit_series(
            series_id => %s, changes => %s::jsonb, occurrences => %s::jsonb, until => %s, confirmed => %s::jsonb,
            slots => %s::jsonb
        )
        """,
        [row["id"], json.dumps(changes), occurrences, until, consent.as_json(request.confirm), placed],
    )
    return EditedSeries.model_validate(edited)


def _slots(session: Session, row: Row, first: date) -> list[slots.Row]:
    """Return the occurrences of a series with their events from a local date on."""
    rows = session.all(
        "select s.* from events.series_slots(series_id => %s, first_date => %s) as s", [row["id"], first]
    )
    return [
        slots.Row(str(found["event_id"]), found["local_start"], found["place"], found["is_exception"]) for found in rows
    ]


def _split(session: Session, row: Row, request: SeriesEdit, now: datetime) -> Row:
    """End the series before the event or date, and return the one that continues; itself if nothing precedes."""
    if "start_date" in request.model_fields_set:
        raise invalid("The new series starts at the split. Omit `start_date`.", "start_date", "scope")
    schedule = generation.schedule_of(row)
    from_date = request.from_date or _occurrence(session, row, request.event_id)["local_start"].date()
    if from_date < generation.local_date(schedule, now):
        raise invalid("Past events cannot be changed. Split at today or later.", "from_date", "past")
    recurrence.check_near(from_date, now.date(), "from_date")
    first = recurrence.next_date(schedule, from_date)
    if first is None:
        raise invalid("The series has no event from this date on. Choose an earlier date.", "from_date", "range")
    if first == recurrence.next_date(schedule, schedule.start_date):
        return row
    rest = recurrence.from_date(schedule, first)
    [split] = session.all(
        "select s.* from events.split_series(series_id => %s, first_date => %s, recurrence => %s) as s",
        [row["id"], rest.start_date, rest.recurrence],
    )
    return {**split, "anchor_date": rest.anchor_date}


def _edit_one(session: Session, row: Row, request: SeriesEdit) -> events.EditedEvent:
    occurrence = _occurrence(session, row, request.event_id)
    changes = request.sent()
    for name in sorted(_NOT_OF_ONE & changes.keys()):
        raise invalid("This is a setting of the whole series. Use scope following or all.", name, "scope")
    starts_at, ends_at = occurrence["starts_at"], occurrence["ends_at"]
    duration = ends_at - starts_at
    if "duration_minutes" in changes:
        duration = timedelta(minutes=changes.pop("duration_minutes"))
    if changes.pop("local_start_time", None) is not None:
        starts_at = session.value(
            "select ops.local_instant((%s::timestamptz at time zone %s)::date + %s::time, %s)",
            [starts_at, row["time_zone"], request.local_start_time, row["time_zone"]],
        )
    changes.update(_moved(occurrence, starts_at, starts_at + duration))
    return events.change(session, occurrence["event_id"], changes, confirm=request.confirm)


def _moved(occurrence: Row, starts_at: datetime, ends_at: datetime) -> Iterator[tuple[str, str]]:
    """Yield the times of an event that changed."""
    for name, moment in (("starts_at", starts_at), ("ends_at", ends_at)):
        if moment != occurrence[name]:
            yield name, moment.isoformat()


def _occurrence(session: Session, row: Row, event_id: UUID | None) -> Row:
    """Return an event of this series with its local start by the rule. Refuses: 404 event_not_found."""
    occurrence = session.one(
        """
        select o.event_id, o.local_start, t.starts_at, t.ends_at
        from events.occurrences as o
        inner join events.terms as t on t.event_id = o.event_id
        where o.series_id = %s and o.event_id = %s
        """,
        [row["id"], event_id],
    )
    if occurrence is None:
        raise Refused(404, "event_not_found")
    return occurrence
