"""Write docs/topics.md, docs/reference/topics.json and messaging.topic_audience from the catalogue of topics.

Run `python -m scripts.topics` to write the files, with `--check` to compare them with the catalogue.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from marquee.messaging.topics import CATALOGUE, FAMILIES, Topic
from scripts.openapi_parts import example_of

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "topics.md"
SCHEMAS = ROOT / "docs" / "reference" / "topics.json"
AUDIENCE = ROOT / "sql" / "routines" / "messaging" / "notifications" / "topic_audience.sql"
FAMILY = ROOT / "sql" / "routines" / "messaging" / "preferences" / "is_family.sql"

Tree = dict[str, Any]

SAMPLES: Tree = {
    "amount": 5000,
    "amount_cents": 4000,
    "bonus": 500,
    "buyer": {"name": "Ana", "email": "ana@example.org"},
    "cancelled_at": None,
    "capacity": 12,
    "category": "yoga",
    "cause": "cancelled",
    "changed": ["starts_at", "ends_at"],
    "corrects_id": None,
    "currency": "CHF",
    "debt": None,
    "description": "Yoga for beginners.",
    "discount_cents": 0,
    "dispute": "dp_1",
    "ends_at": "2030-01-11T19:00:00Z",
    "event_status": "scheduled",
    "event_title": "Open evening",
    "fee_cents": 0,
    "gross_cents": 4000,
    "guest": False,
    "language": "en",
    "late": False,
    "list_cents": 4000,
    "net_cents": 3700,
    "number": 7,
    "open_cents": 4000,
    "paid_at": None,
    "paid_cents": 0,
    "payment_method": "card",
    "payout": "po_1",
    "position": 1,
    "price_cents": 4000,
    "reason": None,
    "refunded_cents": 0,
    "remaining": 5000,
    "seats": 2,
    "seller": {"name": "Studio", "country": "CH"},
    "settled_at": None,
    "starts_at": "2030-01-11T18:00:00Z",
    "status_reason": None,
    "tax_bps": 810,
    "tax_cents": 300,
    "tax_country": "CH",
    "time_zone": "Europe/Zurich",
    "title": "Open evening",
    "why": "The bank account has been closed.",
}
"""Example values of members, where the plain value of the type would mislead."""

OWN_SAMPLES: dict[str, Tree] = {
    "Alert": {
        "rule": "outbox_late", "metric": "outbox_lag_seconds", "aggregate": "latest", "window_seconds": 300,
        "comparison": ">", "threshold": 300.0, "value": 420.0, "resolved_at": None,
    },
    "BookingMessage": {"status": "confirmed"},
    "CancelledBookingMessage": {"status": "cancelled", "cancelled_at": "2030-01-10T09:00:00Z"},
    "ChangedEvent": {"status": "scheduled", "previous_starts_at": "2030-01-11T17:00:00Z"},
    "Difference": {"reason": "not_in_ledger", "source_id": "ch_1", "ledger_cents": 0, "stripe_cents": 4000},
    "DisabledEndpoint": {"url": "https://hooks.example.com/marquee", "why": "gone", "failing_since": None},
    "Dispute": {"status": "needs_response", "purchase_id": None},
    "EntryMessage": {"status": "waiting", "offered_at": None, "offer_expires_at": None, "booking_id": None},
    "ExpiredEntryMessage": {
        "status": "expired", "position": None, "offered_at": None, "offer_expires_at": None, "booking_id": None,
    },
    "GrantedCredit": {"kind": "wallet", "booking_id": None, "categories": None},
    "Invoice": {"status": "open", "description": "Open evening", "starts_at": "2030-01-11 19:00"},
    "ManagedEvent": {"status": "cancelled"},
    "Refund": {"status": "created", "purchase_id": None, "beyond": False},
}  # fmt: skip
"""Example values by the name of the model, where they differ from those above."""

RECEIVERS = {
    "customer": "the customer",
    "instructor": "the person who leads the event",
    "admins": "admins and owners",
    "bookkeepers": "accountants, admins and owners",
    "operators": "operators of the system",
    "invitee": "the invited address",
    "member": "the member to whom it is offered",
}

INTRODUCTION = """\
`make topics` writes this page, [the JSON Schemas](reference/topics.json) and `messaging.topic_audience` from the \
catalogue in `marquee/messaging/topics.py`. [Subscribers](parts/subscriber-webhooks.md) receive the public topics; \
[people](parts/messages.md) are notified as the list says; they can switch off a \
[family](parts/messages.md#preferences). To add a topic, see [CONTRIBUTING.md](../CONTRIBUTING.md#a-topic).

The [outbox](parts/outbox.md) stores ids, amounts, times and states of the object. Titles, reasons, names and lines \
are read when a webhook is sent. An example of each public object is below. It has the members that the API returns, \
except a booking's `payment`. A test of an endpoint sends `webhook.test`, which is no topic and has no such object."""


def schemas() -> Tree:
    """Return the JSON Schema of a webhook's body: one choice for each public topic. Internal topics follow."""
    models = sorted({topic.model_class for topic in CATALOGUE.values()}, key=lambda model: model.__name__)
    _keys, tree = models_json_schema([(model, "serialization") for model in models], ref_template="#/$defs/{model}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Webhooks of Marquee",
        "description": "The body of a webhook. `data` is the object of the topic in `type`.",
        "oneOf": [_body(topic) for topic in CATALOGUE.values() if topic.is_public],
        "x-internal-topics": {topic.name: _reference(topic) for topic in CATALOGUE.values() if not topic.is_public},
        "$defs": _without_titles(tree["$defs"]),
    }


def page() -> str:
    """Return the page docs/topics.md."""
    lines = [
        "# Topics",
        "",
        INTRODUCTION,
        "",
        *[f"- `{topic.name}` ({_traits(topic)}): {topic.when}" for topic in CATALOGUE.values()],
    ]
    tree = schemas()["$defs"]
    public = {_name(topic): topic.model_class for topic in CATALOGUE.values() if topic.is_public}
    for name, model in sorted(public.items()):
        base = model.__base__
        shown = example(model, tree)
        document = " ".join((model.__doc__ or "").split())
        if base is not None and base.__name__ in public:
            shown = _differences(shown, example(base, tree))
            document += f" It extends [{base.__name__}](#{base.__name__.lower()}); new or different members:"
        text = json.dumps(shown, ensure_ascii=False, indent=2)
        lines += ["", f"## {name}", "", document, "", "```json", text, "```"]
    return "\n".join(lines) + "\n"


def example(model: type[BaseModel], tree: Tree) -> Tree:
    """Return an example of a model. Raises pydantic.ValidationError when a sample does not fit it."""
    made = _filled(example_of(tree[model.__name__], tree), model.__name__)
    model.model_validate(made)
    return {name: value for name, value in made.items() if name != "payment"}


def audience() -> str:
    """Return the routine that names the audience of each topic."""
    names: dict[str, list[str]] = {}
    for topic in CATALOGUE.values():
        if topic.audience is not None:
            names.setdefault(topic.audience, []).append(topic.name)
    cases = [
        "    when topic_audience.topic in (\n"
        + ",\n".join(f"        '{name}'" for name in sorted(names[group]))
        + f"\n    )\n        then '{group}'"
        for group in sorted(names)
    ]
    return "\n".join(
        [
            "-- messaging.topic_audience: return the audience of a topic; null where nobody is notified.",
            "--",
            "-- Written by `make topics` from the catalogue in marquee/messaging/topics.py.",
            "",
            "create or replace function messaging.topic_audience(topic text)",
            "returns text",
            "language sql",
            "immutable",
            "return case",
            *cases,
            "end;",
            "",
            "comment on function messaging.topic_audience(text) is",
            "'Return the audience of a topic; null where nobody is notified.';",
            "",
        ]
    )


def families() -> str:
    """Return the routine messaging.is_family."""
    return "\n".join(
        [
            "-- messaging.is_family: return whether people can switch off a family of topics by this name.",
            "--",
            "-- Written by `make topics` from the catalogue in marquee/messaging/topics.py.",
            "",
            "create or replace function messaging.is_family(family text)",
            "returns boolean",
            "language sql",
            "immutable",
            "return coalesce(",
            "    is_family.family in (",
            ",\n".join(f"        '{family}'" for family in FAMILIES),
            "    ),",
            "    false",
            ");",
            "",
            "comment on function messaging.is_family(text) is",
            "'Return whether people can switch off a family of topics by this name.';",
            "",
        ]
    )


def files() -> dict[Path, str]:
    """Return the text of each generated file."""
    return {
        PAGE: page(),
        SCHEMAS: json.dumps(schemas(), indent=2, ensure_ascii=False) + "\n",
        AUDIENCE: audience(),
        FAMILY: families(),
    }


def _name(topic: Topic) -> str:
    return topic.model.rpartition(":")[2]


def _link(topic: Topic) -> str:
    """Return the name of a topic's object, with a link to its example. Internal objects have none."""
    name = _name(topic)
    return f"[{name}](#{name.lower()})" if topic.is_public else f"`{name}`"


def _traits(topic: Topic) -> str:
    """Return the object of a topic, its receivers, its family, and whether it is internal."""
    receivers = None if topic.audience is None else f"to {RECEIVERS[topic.audience]}"
    family = None if topic.family is None else f"family `{topic.family}`"
    return ", ".join(filter(None, [_link(topic), receivers, family, None if topic.is_public else "internal"]))


def _differences(shown: Tree, base: Tree) -> Tree:
    """Return the members of an example that its base lacks, or has with another value."""
    return {name: value for name, value in shown.items() if name not in base or base[name] != value}


def _reference(topic: Topic) -> Tree:
    return {"$ref": f"#/$defs/{_name(topic)}"}


def _body(topic: Topic) -> Tree:
    return {
        "type": "object",
        "description": topic.when,
        "properties": {
            "type": {"const": topic.name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": _reference(topic),
        },
        "required": ["type", "timestamp", "data"],
    }


def _without_titles(tree: Tree) -> Tree:
    """Return definitions without the titles that pydantic derives from names."""
    for definition in tree.values():
        definition.pop("title", None)
        for member in definition.get("properties", {}).values():
            member.pop("title", None)
    return tree


def _filled(made: Any, model: str) -> Any:
    """Return an example with the sample values of its members."""
    if isinstance(made, list):
        return [_filled(each, model) for each in made]
    if not isinstance(made, dict):
        return made
    samples = SAMPLES | OWN_SAMPLES.get(model, {})
    return {name: samples[name] if name in samples else _filled(value, model) for name, value in made.items()}


def main() -> int:
    """Write the files, or compare them. Returns the exit status of the process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if a file differs from the catalogue")
    check = parser.parse_args().check
    different = [
        (file, text) for file, text in files().items() if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    for file, text in different:
        if check:
            print(f"{file.relative_to(ROOT)} differs from the catalogue of topics. Run `make topics`.")
        else:
            file.write_text(text, encoding="utf-8")
    return 1 if check and different else 0


if __name__ == "__main__":
    sys.exit(main())
