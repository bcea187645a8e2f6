"""Build small valid exports of the earlier system for tests to change, and read the results of the import."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from marquee.operations import legacy_import

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)


class Export:
    """A folder of exports that a test fills."""

    def __init__(self, folder: Path, organization_id: UUID) -> None:
        self.folder = folder
        self.organization_id = organization_id
        self.rows: dict[str, list[dict[str, object]]] = {}

    def add(self, file: str, **values: object) -> str:
        """Add a row and return its id."""
        values = {"id": str(uuid4()), **values}
        self.rows.setdefault(file, []).append(values)
        return str(values["id"])

    def template(self, **values: object) -> str:
        return self.add(
            "class_templates",
            **{
                "organization_id": self.organization_id,
                "name": "Yoga",
                "duration_minutes": 60,
                "capacity": 10,
                **values,
            },
        )

    def instance(self, template_id: str | None, starts_at: datetime = SOON, **values: object) -> str:
        return self.add(
            "class_instances", **{"template_id": template_id, "start_time": starts_at.isoformat(), **values}
        )

    def registration(self, instance_id: str, **values: object) -> str:
        return self.add(
            "class_registrations",
            **{"class_instance_id": instance_id, "customer_id": str(uuid4()), "status": "confirmed", **values},
        )

    def wait(self, instance_id: str, **values: object) -> str:
        return self.add("waitlists", **{"class_instance_id": instance_id, "customer_id": str(uuid4()), **values})

    def write(self) -> Path:
        for file, rows in self.rows.items():
            columns = list(dict.fromkeys(column for row in rows for column in row))
            with (self.folder / f"{file}.csv").open("w", newline="") as target:
                writer = csv.DictWriter(target, columns)
                writer.writeheader()
                writer.writerows(rows)
        return self.folder


def run(db, export):
    return legacy_import.load(db, export.write())


def counts(report, file):
    found = report.files[file]
    assert found.read == found.converted + found.unchanged + found.rejected
    return found.converted, found.unchanged, found.rejected


def everything(db):
    """Return hashes of all rows that an import could change, for a comparison."""
    tables = ("events.series", "events.occurrences", "events.terms", "events.inventory", "events.bookings",
              "events.waitlist_entries", "users.profiles", "organizations.instructors", "organizations.locations",
              "ops.state_history", "public.outbox")  # fmt: skip
    return {
        table: db.execute(f"select md5(string_agg(t::text, '|' order by t::text)) as h from {table} as t").fetchone()[
            "h"
        ]
        for table in (*tables, "events.events")
    }
