"""The text of a recurrence: RFC 5545 lines, parsed strictly, with the place of each error.

A recurrence is at most one RRULE line and any number of RDATE and EXDATE lines. DTSTART is not allowed, because the
series has a start date and a local start time. Times are local ones of the series; times in UTC (…Z) or with a TZID are
converted when they are read.

Three parameters of the stored form remember what a change of the rule would lose (RFC 5545, 3.2 allows such names).
`EXDATE;X-FORMER=OUT` is an excluded time that the rule does not have at present, `EXDATE;X-FORMER=IN` such a time that
was not excluded on the same day. `X-PLACE=2` is its place among all slots of the day, from 0, if the times do not give
it (marquee.scheduling.slots). `RDATE;X-TIME=OWN` is a date with its own time, which happens to be the usual one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marquee.core import time_zones
from marquee.core.errors import Refused
from marquee.core.timestamps import FIRST_YEAR, LAST_YEAR

DATES_MAX = 1000
LENGTH_MAX = 8000

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TOO_FINE = ("SECONDLY", "MINUTELY", "HOURLY")

_DAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_WEEKDAY = re.compile(rf"([+-]?\d{{1,2}})?{_DAY}", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,6}", re.ASCII)
_DATE = re.compile(r"\d{8}", re.ASCII)
_PLACE = re.compile(r"X-PLACE=(\d{1,3})", re.ASCII)
_MOMENT = re.compile(r"\d{8}T\d{6}Z?", re.ASCII)

_RANGES: Mapping[str, tuple[int, int, bool]] = MappingProxyType(
    {
        "INTERVAL": (1, 1000, False),
        "COUNT": (1, 100_000, False),
        "BYMONTH": (1, 12, False),
        "BYMONTHDAY": (1, 31, True),
        "BYYEARDAY": (1, 366, True),
        "BYWEEKNO": (1, 53, True),
        "BYSETPOS": (1, 366, True),
        "BYHOUR": (0, 23, False),
        "BYMINUTE": (0, 59, False),
        "BYSECOND": (0, 59, False),
    }
)
"""Minimum, maximum, and whether negative numbers count from the end."""

_SINGLE = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST")
_ONLY_WITH: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"BYWEEKNO": ("YEARLY",), "BYYEARDAY": ("YEARLY",), "BYMONTHDAY": ("DAILY", "MONTHLY", "YEARLY")}
)


Former = tuple[datetime, int | None]
"""A time that the rule does not have at present, and its place among the slots of the day if it is explicit."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A parsed recurrence: the parts of its RRULE (none if it has only dates), and its dates in local time.

    `own_times` says of each of `dates` whether it has its own time, or else that of the series.
    """

    parts: Mapping[str, str]
    until: datetime | None
    dates: tuple[datetime, ...]
    own_times: tuple[bool, ...]
    dates_out: tuple[datetime, ...]
    days_out: tuple[date, ...]
    former_out: tuple[Former, ...]
    former_in: tuple[Former, ...]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The recurrence in stored form: unfolded lines in capitals."""
        return "\n".join(self.lines)

    @property
    def endless(self) -> Mapping[str, str]:
        """The parts of the RRULE without its end."""
        return {name: value for name, value in self.parts.items() if name not in ("COUNT", "UNTIL")}

    @property
    def days(self) -> Mapping[str, frozenset[str]]:
        """The parts of the RRULE that select days and times, for comparison."""
        return {
            name: frozenset(content.split(","))
            for name, content in self.endless.items()
            if name not in ("FREQ", "INTERVAL")
        }

    @property
    def interval(self) -> tuple[str, int]:
        """The frequency and the interval of the RRULE; empty and 1 without one."""
        return self.parts.get("FREQ", ""), int(self.parts.get("INTERVAL", 1))

    @property
    def has_dates(self) -> bool:
        """Whether it has an RDATE or an EXDATE."""
        return bool(self.dates or self.dates_out or self.days_out or self.former_out or self.former_in)

    def with_dates_of(self, other: "Recurrence") -> "Recurrence":
        """Return this RRULE with the dates of another recurrence."""
        return replace(
            self,
            dates=other.dates,
            own_times=other.own_times,
            dates_out=other.dates_out,
            days_out=other.days_out,
            former_out=other.former_out,
            former_in=other.former_in,
        )

    def counted(self, count: int) -> "Recurrence":
        """Return the same recurrence with another COUNT; with 0, only the dates."""
        parts = {**self.parts, "COUNT": str(count)} if count > 0 else {}
        dates = tuple(line for line in self.lines if not line.startswith("RRULE:"))
        return replace(self, parts=parts, lines=(*_rule_line(parts), *dates))

    def written(self, start_time: time) -> str:
        """Return the recurrence in stored form, in local time. An RDATE at the time of the series is a date."""
        parts = dict(self.parts)
        if self.until is not None and self.until.year < LAST_YEAR:
            parts["UNTIL"] = f"{self.until:%Y%m%d}" if self.until.time() == time.max else f"{self.until:%Y%m%dT%H%M%S}"
        usual = [moment for moment, own in zip(self.dates, self.own_times, strict=True) if not own]
        own_times = [moment for moment, own in zip(self.dates, self.own_times, strict=True) if own]
        dates = {
            "RDATE;VALUE=DATE": [f"{moment:%Y%m%d}" for moment in usual],
            "RDATE": _moments(moment for moment in own_times if moment.time() != start_time),
            "RDATE;X-TIME=OWN": _moments(moment for moment in own_times if moment.time() == start_time),
            "EXDATE": _moments(self.dates_out),
            "EXDATE;VALUE=DATE": [f"{day:%Y%m%d}" for day in self.days_out],
            **_former_lines("EXDATE;X-FORMER=OUT", self.former_out),
            **_former_lines("EXDATE;X-FORMER=IN", self.former_in),
        }
        lines = (f"{name}:{','.join(items)}" for name, items in dates.items() if items)
        return "\n".join((*_rule_line(parts), *lines))


def _moments(moments: Iterable[datetime]) -> list[str]:
    return [f"{moment:%Y%m%dT%H%M%S}" for moment in moments]


def _former_lines(name: str, former: Iterable[Former]) -> dict[str, list[str]]:
    """Return the lines of former times, one for each place, as names and values."""
    lines: dict[str, list[str]] = {}
    for moment, place in former:
        lines.setdefault(name if place is None else f"{name};X-PLACE={place}", []).extend(_moments([moment]))
    return lines


def _rule_line(parts: Mapping[str, str]) -> list[str]:
    return ["RRULE:" + ";".join(f"{name}={content}" for name, content in parts.items())] if parts else []


def invalid(message: str, place: str = "recurrence", kind: str = "recurrence") -> Refused:
    """Return the refusal of a field of a series: 422 invalid_request with its place."""
    error = {"path": ["body", place], "kind": kind, "message": message}
    return Refused(422, "invalid_request", errors=[error])


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Refuses: 422 invalid_request."""
    try:
        return _zone(name)
    except ValueError as error:
        raise invalid(
            "There is no time zone of this name. Use an IANA name such as Europe/Zurich.", "time_zone", "unknown"
        ) from error


def read(text: str, zone: ZoneInfo, start_time: time) -> Recurrence:
    """Parse the lines of a recurrence. Refuses: 422 invalid_request, with the line and its error."""
    reader = _Reader(zone, start_time)
    lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            reader.take(line.strip())
        except ValueError as error:
            raise invalid(f"Line {number}: {error}.") from error
    if not reader.parts and not reader.dates:
        raise invalid("The recurrence needs an RRULE or an RDATE.")
    left_out = len(reader.dates_out) + len(reader.days_out) + len(reader.former_out) + len(reader.former_in)
    if len(reader.dates) + left_out > DATES_MAX:
        raise invalid(f"The recurrence has more than {DATES_MAX} dates. Use a rule.")
    return Recurrence(
        reader.parts,
        reader.until,
        tuple(reader.dates),
        tuple(reader.own_times),
        tuple(reader.dates_out),
        tuple(reader.days_out),
        tuple(reader.former_out),
        tuple(reader.former_in),
        tuple(reader.kept),
    )


class _Reader:
    """The state of a parse."""

    def __init__(self, zone: ZoneInfo, start_time: time) -> None:
        self.zone = zone
        self.start_time = start_time
        self.parts: dict[str, str] = {}
        self.until: datetime | None = None
        self.dates: list[datetime] = []
        self.own_times: list[bool] = []
        self.former_out: list[Former] = []
        self.former_in: list[Former] = []
        self.dates_out: list[datetime] = []
        self.days_out: list[date] = []
        self.kept: list[str] = []

    def take(self, line: str) -> None:
        """Read one line. Raises ValueError with its error."""
        head, value = _property(line)
        if head[0] == "RRULE":
            if self.parts:
                raise ValueError("only one RRULE is allowed")
            self.parts, self.until = _rule(value, self.zone)
        elif head[0] == "RDATE":
            self._take_dates(head[1:], value)
        else:
            self._take_dates_out(head[1:], value)
        self.kept.append(":".join((";".join(head), value)))

    def _take_dates(self, parameters: list[str], value: str) -> None:
        plain = [parameter for parameter in parameters if parameter != "X-TIME=OWN"]
        for item in _dates(plain, value, self.zone):
            moment = item if isinstance(item, datetime) else datetime.combine(item, self.start_time)
            self.dates.append(moment)
            self.own_times.append(
                isinstance(item, datetime) and (moment.time() != self.start_time or plain != parameters)
            )

    def _take_dates_out(self, parameters: list[str], value: str) -> None:
        former = {"X-FORMER=OUT": self.former_out, "X-FORMER=IN": self.former_in}
        kinds = [parameter for parameter in parameters if parameter in former]
        places = [int(match[1]) for parameter in parameters if (match := _PLACE.fullmatch(parameter)) and kinds]
        plain = [item for item in parameters if item not in former and not (kinds and _PLACE.fullmatch(item))]
        for item in _dates(plain, value, self.zone):
            if not isinstance(item, datetime):
                self.days_out.append(item)
            elif not kinds:
                self.dates_out.append(item)
            else:
                former[kinds[0]].append((item, places[0] if places else None))


def _property(line: str) -> tuple[list[str], str]:
    """Return a line's name with its parameters, and its value, in capitals except a TZID; a bare rule is an RRULE."""
    if line.upper().startswith("FREQ="):
        return ["RRULE"], line.upper()
    name, colon, value = line.partition(":")
    head = [part if part.upper().startswith("TZID=") else part.upper() for part in name.split(";")]
    if not colon or head[0] not in ("RRULE", "RDATE", "EXDATE"):
        raise ValueError("a line must start with RRULE, RDATE or EXDATE")
    if head[0] == "RRULE" and len(head) > 1:
        raise ValueError("RRULE does not allow parameters")
    return head, value.upper()


def _rule(value: str, zone: ZoneInfo) -> tuple[dict[str, str], datetime | None]:
    parts: dict[str, str] = {}
    for part in value.split(";"):
        name, equals, content = part.partition("=")
        if not equals or not content:
            raise ValueError("write each part as NAME=VALUE, and separate parts by semicolons")
        if name in parts:
            raise ValueError(f"{name} occurs twice")
        parts[name] = content
    _check_frequency(parts)
    for name, content in parts.items():
        _check_part(name, content, parts)
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("only one of COUNT and UNTIL is allowed")
    if "BYSETPOS" in parts and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts):
        raise ValueError("BYSETPOS needs another BY… part")
    until = _until(parts["UNTIL"], zone) if "UNTIL" in parts else None
    return parts, until


def _check_frequency(parts: Mapping[str, str]) -> None:
    frequency = parts.get("FREQ")
    if frequency in _TOO_FINE:
        raise ValueError(f"FREQ={frequency} is too frequent; for several times a day use FREQ=DAILY;BYHOUR=9,12,15")
    if frequency not in FREQUENCIES:
        raise ValueError("FREQ must be one of " + ", ".join(FREQUENCIES))


def _check_part(name: str, content: str, parts: Mapping[str, str]) -> None:
    """Raise ValueError for a part that RFC 5545 does not define or does not allow here."""
    items = content.split(",")
    if name in _SINGLE and len(items) > 1:
        raise ValueError(f"{name} allows only one value")
    if name in _ONLY_WITH and parts["FREQ"] not in _ONLY_WITH[name]:
        raise ValueError(f"{name} is not allowed with FREQ={parts['FREQ']}")
    if name in _RANGES:
        _check_numbers(name, items)
    elif name == "BYDAY":
        _check_weekdays(items, parts)
    elif name == "WKST":
        if re.fullmatch(_DAY, content) is None:
            raise ValueError("WKST must be one of MO, TU, WE, TH, FR, SA and SU")
    elif name not in ("FREQ", "UNTIL"):
        raise ValueError(f"there is no such part: {name[:20]}")


def _check_numbers(name: str, items: list[str]) -> None:
    least, most, negative = _RANGES[name]
    for item in items:
        number = int(item) if _WHOLE.fullmatch(item) else None
        if number is None or not (least <= number <= most or (negative and least <= -number <= most)):
            raise ValueError(
                f"{name} must be from {least} to {most}" + (", or negative in the same range" if negative else "")
            )


def _check_weekdays(items: list[str], parts: Mapping[str, str]) -> None:
    for item in items:
        match = _WEEKDAY.fullmatch(item)
        if match is None or (match[1] and not 1 <= abs(int(match[1])) <= 53):
            raise ValueError(
                "BYDAY must be a list of MO, TU, WE, TH, FR, SA and SU, each with at most 53 or -53 before it"
            )
        if match[1] and (parts["FREQ"] not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in parts):
            raise ValueError(f"a BYDAY with a number is not allowed with FREQ={parts['FREQ']}")


def _until(text: str, zone: ZoneInfo) -> datetime:
    """Return the last moment that a rule allows, in local time; a date includes the whole day."""
    if re.fullmatch(r"(2[2-9]|[3-9]\d)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])(T\d{6}Z?)?", text, re.ASCII):
        return datetime(LAST_YEAR, 12, 31, 23, 59, 59)  # means: without end
    moment = _moment(text, zone)
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time.max)


def _dates(parameters: list[str], value: str, zone: ZoneInfo) -> list[date]:
    """Return the dates and local times of an RDATE or EXDATE."""
    written_in = zone
    for parameter in parameters:
        name, _, content = parameter.partition("=")
        if name.upper() == "TZID":
            written_in = zone if content == zone.key else _zone(content)
        elif parameter not in ("VALUE=DATE", "VALUE=DATE-TIME"):
            raise ValueError(f"the parameter {parameter[:40]} is not supported")
    return [_moment(item, zone, written_in) for item in value.split(",")]


def _moment(text: str, zone: ZoneInfo, written_in: ZoneInfo | None = None) -> date:
    """Return a date, or a local time in the series' zone. Raises ValueError."""
    if _DATE.fullmatch(text):
        return _parsed(text, "%Y%m%d").date()
    if not _MOMENT.fullmatch(text):
        raise ValueError("write a date as 20300131 and a time as 20300131T090000, with a final Z for UTC")
    moment = _parsed(text.rstrip("Z"), "%Y%m%dT%H%M%S")
    if text.endswith("Z"):
        written_in = ZoneInfo("UTC")
    if written_in is None or written_in is zone:
        return moment
    return moment.replace(tzinfo=written_in).astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def _parsed(text: str, form: str) -> datetime:
    try:
        moment = datetime.strptime(text, form)
    except ValueError as error:
        raise ValueError(f"{text} is not a valid date") from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"a year must be from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _zone(name: str) -> ZoneInfo:
    try:
        return time_zones.zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("there is no time zone of this TZID") from error
