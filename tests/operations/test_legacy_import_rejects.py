"""The import of an earlier system rejects rows with their line and reason, and converts the others."""

from datetime import timedelta
from uuid import uuid4

import pytest

from marquee.operations import legacy_import
from tests.kit import scheduling
from tests.kit.legacy_exports import SOON, Export, counts, run


@pytest.fixture
def world(db):
    return scheduling.world(db)


@pytest.fixture
def export(world, tmp_path):
    return Export(tmp_path, world.organization_id)


REJECTED_TEMPLATES = [
    ({"id": "abc"}, 'id "abc" is no UUID'),
    ({"organization_id": "nobody"}, 'organization_id "nobody" is unknown'),
    ({"name": ""}, "name has not 1 to 200 characters"),
    ({"duration_minutes": "an hour"}, 'duration_minutes "an hour" is no number from 10 to 600'),
    ({"duration_minutes": "5"}, 'duration_minutes "5" is no number from 10 to 600'),
    ({"capacity": "-1"}, 'capacity "-1" is no number from 0 to 1000000'),
    ({"price": "12.345"}, 'price "12.345" is no amount'),
    ({"price": "-3"}, 'price "-3" is no amount'),
    ({"currency": "XXX"}, 'currency "XXX" is unknown'),
    ({"time_zone": "Mars/Olympus"}, 'time_zone "Mars/Olympus" is unknown'),
    ({"start_date": "31.12.2024"}, 'start_date "31.12.2024" is no date'),
    ({"start_date": "2024-02-30"}, 'start_date "2024-02-30" is no date'),
    ({"start_date": "2024-02-03", "end_date": "2024-02-01"}, 'end_date "2024-02-01" is before start_date'),
    ({"start_date": "9999-12-31"}, 'start_date "9999-12-31" is after 2199'),
    ({"start_time": "25:00"}, 'start_time "25:00" is no time of day'),
    ({"start_time": "24:00"}, 'start_time "24:00" is no time of day'),
    ({"start_time": "23:59:60"}, 'start_time "23:59:60" is no time of day'),
    ({"recurrence_rule": "FREQ=SOMETIMES"}, 'recurrence_rule "RRULE:FREQ=SOMETIMES"'),
    ({"is_active": "perhaps"}, 'is_active "perhaps" is not true or false'),
    ({"created_at": "0001-01-01 00:00:00+14"}, 'created_at "0001-01-01 00:00:00+14" is no time with an offset'),
    ({"created_at": "9999-12-31 23:59:59-12"}, 'created_at "9999-12-31 23:59:59-12" is no time with an offset'),
]


@pytest.mark.parametrize(("values", "reason"), REJECTED_TEMPLATES)
def test_unconvertible_template_is_rejected_with_line_and_reason(db, export, values, reason):
    export.template()
    export.template(**values)

    report = run(db, export)

    assert counts(report, "class_templates") == (1, 0, 1)
    ((file, line, said),) = report.rejects
    assert (file, line) == ("class_templates.csv", 3)
    assert reason in said


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"start_time": "tomorrow"}, 'start_time "tomorrow" is no time with an offset'),
        ({"start_time": "2025-02-30T10:00:00Z"}, "is no time with an offset"),
        ({"start_time": "2025-02-03 10:00:00"}, "is no time with an offset"),
        ({"start_time": "2525-02-03T10:00:00Z"}, "is not between 1990 and 2100"),
        ({"end_time": "2020-02-03T10:00:00Z"}, "is not after start_time"),
        ({"template_id": "00000000-0000-4000-8000-00000000abcd"}, "template_id"),
        ({"status": "melted"}, 'status "melted" is unknown'),
        ({"template_id": None, "name": "Alone"}, "organization_id is unknown"),
    ],
)
def test_unconvertible_instance_is_rejected_with_line_and_reason(db, export, values, reason):
    template = export.template()
    export.instance(template, SOON + timedelta(days=1))
    export.add("class_instances", **{"template_id": template, "start_time": SOON.isoformat(), **values})

    report = run(db, export)

    assert counts(report, "class_instances") == (1, 0, 1)
    ((file, line, said),) = report.rejects
    assert (file, line) == ("class_instances.csv", 3)
    assert reason in said


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"class_instance_id": "00000000-0000-4000-8000-00000000abcd"}, "is unknown"),
        ({"class_instance_id": "x"}, 'class_instance_id "x" is unknown'),
        ({"customer_id": "mia"}, 'customer_id "mia" is no UUID'),
        ({"customer_email": "mia"}, 'customer_email "mia" is no address'),
        ({"seats": "0"}, 'seats "0" is no number from 1 to 20'),
        ({"seats": "21"}, "is no number from 1 to 20"),
        ({"status": "dreaming"}, 'status "dreaming" is unknown'),
        ({"amount_paid": "NaN"}, 'amount_paid "NaN" is no amount'),
        ({"payment_method": "shells"}, 'payment_method "shells" is unknown'),
        ({"registered_at": "31/01/2025"}, 'registered_at "31/01/2025" is no time with an offset'),
    ],
)
def test_unconvertible_registration_is_rejected_with_line_and_reason(db, export, values, reason):
    instance = export.instance(export.template())
    export.registration(instance)
    export.registration(instance, **values)

    report = run(db, export)

    assert counts(report, "class_registrations") == (1, 0, 1)
    ((file, line, said),) = report.rejects
    assert (file, line) == ("class_registrations.csv", 3)
    assert reason in said


def test_rows_that_depend_on_a_rejected_template_are_rejected(db, export):
    template = export.template(capacity="many")
    instance = export.instance(template)
    export.registration(instance)
    export.wait(instance)

    report = run(db, export)

    assert [(file, reason.split(" ", 2)[2] if "was" in reason else reason) for file, _, reason in report.rejects][1:]
    reasons = {file: reason for file, _, reason in report.rejects}
    assert "is no number" in reasons["class_templates.csv"]
    assert f'template_id "{template}" was rejected (line 2)' in reasons["class_instances.csv"]
    assert f'class_instance_id "{instance}" was rejected (line 2)' in reasons["class_registrations.csv"]
    assert f'class_instance_id "{instance}" was rejected (line 2)' in reasons["waitlists.csv"]


def test_latest_registrations_beyond_the_capacity_are_rejected(db, export):
    instance = export.instance(export.template(capacity=5))
    rows = [
        export.registration(instance, seats=seats, registered_at=f"2025-01-0{day} 10:00:00+00")
        for seats, day in ((2, 3), (2, 1), (3, 2), (1, 4))
    ]

    report = run(db, export)

    assert counts(report, "class_registrations") == (2, 0, 2)
    kept = {str(row["id"]) for row in db.execute("select id from events.bookings").fetchall()}
    assert kept == {rows[1], rows[2]}  # the earliest registrations: 2 + 3 seats
    assert {reason for _, _, reason in report.rejects} == {"the class is full: its capacity is 5"}
    assert db.execute("select taken::integer from events.inventory").fetchone() == {"taken": 5}


def test_registration_that_does_not_fit_does_not_block_a_smaller_one(db, export):
    instance = export.instance(export.template(capacity=3))
    for seats, day in ((2, 1), (2, 2), (1, 3)):
        export.registration(instance, seats=seats, registered_at=f"2025-01-0{day} 10:00:00+00")

    assert counts(run(db, export), "class_registrations") == (2, 0, 1)


def test_duplicate_rows_are_rejected(db, export):
    template = export.template()
    export.add("class_templates", **export.rows["class_templates"][0])
    instance = export.instance(template)
    customer = str(uuid4())
    first = export.registration(instance, customer_id=customer, registered_at="2025-01-01 10:00:00+00")
    export.registration(instance, customer_id=customer, registered_at="2025-01-02 10:00:00+00")
    export.registration(instance, customer_id=customer, status="cancelled")  # cancelled, so not a duplicate
    export.wait(instance, customer_id=customer)
    waiting = str(uuid4())
    export.wait(instance, customer_id=waiting, position=1)
    export.wait(instance, customer_id=waiting, position=2)

    report = run(db, export)

    assert [(file, line, reason.split(": ")[0]) for file, line, reason in report.rejects] == [
        ("class_registrations.csv", 3, "the customer has a registration of this class already (line 2)"),
        ("class_templates.csv", 3, f'id "{template}" stands in line 2 already'),
        ("waitlists.csv", 2, f'customer_id "{customer}" has a registration of this class'),
        ("waitlists.csv", 4, "the customer waits for this class already"),
    ]
    live = db.execute("select id from events.bookings where status = 'confirmed'").fetchall()
    assert [str(row["id"]) for row in live] == [first]


@pytest.mark.parametrize("name", ["Yoga\nBcc: all", "Yo\x07ga", "\u202eagoY", "Yoga\u2066", "Yo\u2028ga"])
def test_template_with_control_characters_is_rejected(db, world, tmp_path, name):
    header = "id,organization_id,name,duration_minutes,description,instructor_name,location_name,location_city\n"
    rows = [
        f'{uuid4()},{world.organization_id},"{values[0]}",60,"{values[1]}","{values[2]}","{values[3]}","{values[4]}"'
        for values in [["Yoga"] * at + [name] + ["Yoga"] * (4 - at) for at in range(5)]
    ]
    (tmp_path / "class_templates.csv").write_text(header + "\n".join(rows) + "\n")

    report = legacy_import.load(db, tmp_path)

    columns = ["name", "description", "instructor_name", "location_name", "location_city"]
    wanted = [column for column in columns if column != "description" or "\n" not in name]
    assert [reason for _, _, reason in report.rejects] == [
        f"{column} has control or direction characters" for column in wanted
    ]


def test_malformed_rows_are_rejected_and_the_others_are_imported(db, world, tmp_path):
    organization = str(world.organization_id)
    ids = [str(uuid4()) for _ in range(6)]
    header = "id,organization_id,name,duration_minutes,notes\n"
    rows = [
        f"{ids[0]},{organization},Yoga,60,fine",
        f"{ids[1]},{organization},Yoga",
        f'{ids[2]},{organization},Yoga,60,"fine\nin two lines"',
        f"{ids[3]},{organization},Yoga,60,fine,one too many",
        "",
        f"{ids[4]},{organization},Yo\0ga,60,fine",
    ]
    text = (header + "\n".join(rows) + "\n").encode() + f"{ids[5]},{organization},".encode() + b"Yog\xe9,60,fine\n"
    (tmp_path / "class_templates.csv").write_bytes(b"\xef\xbb\xbf" + text)

    report = legacy_import.load(db, tmp_path)

    assert counts(report, "class_templates") == (2, 0, 4)
    assert [(line, reason) for _, line, reason in report.rejects] == [
        (3, "the row has 3 values and the header has 5"),
        (6, "the row has 6 values and the header has 5"),
        (8, "the row is not UTF-8 text"),
        (9, "the row is not UTF-8 text"),
    ]
    assert report.ignored_columns == {"class_templates": ["notes"]}
