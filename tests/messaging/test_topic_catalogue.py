"""The catalogue of topics: each topic has one payload routine, which each write to the outbox uses, and one model."""

import json
import re
from pathlib import Path

import pytest

from marquee.core.models import Answer
from marquee.messaging.topics import CATALOGUE, Bundle, OutboxMessage
from scripts import topics

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
ROUTINES = sorted((ROOT / "sql" / "routines").rglob("*.sql"))

WRITE = re.compile(r"insert\s+into\s+(?:public\.)?outbox\b", re.IGNORECASE)
NAME = re.compile(r"'([a-z_]+\.[a-z_]+)'")
CALL = re.compile(r"\b([a-z_]+\.[a-z_]+)\(")

NO_OBJECT = {"payment.disputed", "payout.failed", "person.erased"}
"""Public topics about things that the API does not return."""

every_topic = pytest.mark.parametrize("topic", CATALOGUE.values(), ids=lambda topic: topic.name)


def writes():
    """Return each statement of a routine that writes to the outbox, with the routine's name."""
    return [
        (f"{file.relative_to(ROOT)}", statement)
        for file in ROUTINES
        for statement in file.read_text().split(";")
        if WRITE.search(statement)
    ]


def payload_routines():
    """Return the catalogue's name for each payload routine: of itself, and of the one that it calls for its members."""
    named = {topic.payload for topic in CATALOGUE.values()}
    called = {
        callee: f"{file.relative_to(ROOT).parts[2]}.{file.stem}"
        for file in ROUTINES
        if f"{file.relative_to(ROOT).parts[2]}.{file.stem}" in named
        for callee in CALL.findall(file.read_text())
        if callee.endswith("_payload")
    }
    return called | {name: name for name in named}


PAYLOAD_ROUTINES = payload_routines()


def payloads_of(statement):
    """Return the payload routines that a statement calls, as the catalogue names them."""
    return {PAYLOAD_ROUTINES[name] for name in CALL.findall(statement) if name in PAYLOAD_ROUTINES}


def families():
    return {name.partition(".")[0] for name in CATALOGUE}


@pytest.mark.parametrize(("file", "statement"), writes())
def test_write_to_the_outbox_uses_the_payload_routine_of_its_topic(file, statement):
    topics_named = {name for name in NAME.findall(statement) if name.partition(".")[0] in families()}

    assert topics_named <= CATALOGUE.keys(), f"{file}: add the topic to marquee/messaging/topics.py."
    assert len(payloads_of(statement)) == 1, f"{file}: make the payload by the routine that the catalogue names."
    assert {CATALOGUE[name].payload for name in topics_named} <= payloads_of(statement), file


def test_only_routines_write_to_the_outbox():
    folders = [ROOT / "layers", ROOT / "functions", ROOT / "demo", ROOT / "local", ROOT / "sql" / "views"]
    files = [file for folder in folders for kind in ("*.py", "*.sql") for file in folder.rglob(kind)]
    later = [file for file in (ROOT / "sql" / "migrations").glob("*.sql") if file.name > "0087"]

    assert [str(file.relative_to(ROOT)) for file in [*files, *later] if WRITE.search(file.read_text())] == []


def test_every_topic_of_the_catalogue_is_written_by_a_routine():
    named = {name for file in ROUTINES if file.stem != "topic_audience" for name in NAME.findall(file.read_text())}

    assert CATALOGUE.keys() - named == set()


@every_topic
def test_model_names_the_organization_and_the_customer(topic):
    fields = topic.model_class.model_fields

    assert issubclass(topic.model_class, Answer)
    assert not topic.is_public or "organization_id" in fields
    assert topic.audience != "customer" or "customer_id" in fields


@every_topic
def test_model_of_a_public_topic_is_an_object_of_the_api(topic):
    schemas = json.loads((ROOT / "docs" / "openapi.json").read_text())["components"]["schemas"]
    named = {model.__name__ for model in topic.model_class.__mro__} & schemas.keys()

    assert bool(named) == (topic.is_public and topic.name not in NO_OBJECT)


def test_generated_files_are_those_of_the_catalogue():
    assert [str(file) for file, text in topics.files().items() if file.read_text() != text] == []


def test_bundle_travels_under_the_name_that_earlier_code_reads():
    message = OutboxMessage(id=1, topic="booking.confirmed", key="k", payload={}, created_at="2030-01-01T00:00:00Z")
    bundle = Bundle(messages=[message])

    assert list(json.loads(bundle.model_dump_json())) == ["happenings"]
    assert Bundle.model_validate_json(bundle.model_dump_json()) == bundle
