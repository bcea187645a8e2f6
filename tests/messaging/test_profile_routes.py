"""functions/profile: callers see their own profile and settings only, and change only their own name and language."""

import time
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from marquee.core.identity import Caller, service
from tests.kit import gateway, routines, scheduling
from tests.kit.message_worker import build_message, deliver, notifications

CLAIMS = {"name": "ana", "email": "ana@example.org", "email_verified": True, "locale": "it-CH"}
MESSAGES = Path(__file__).resolve().parents[2] / "docs" / "parts" / "messages.md"
BLANK = " \u00a0\u3000\u200b"


@pytest.fixture
def world(db):
    return scheduling.world(db)


def show(caller):
    return gateway.get("profile", "/profile", caller=caller)


def show_settings(caller):
    return gateway.get("profile", "/profile/settings", caller=caller)


def edit(caller, **changes):
    return gateway.patch("profile", "/profile", changes, caller=caller)


def stored_profiles(db):
    """Return all stored profiles by id."""
    rows = db.execute("select id, name, email, language, created_at, erased_at from users.profiles").fetchall()
    return {row.pop("id"): row for row in rows}


def erase(world):
    routines.call(world.db, world.customer, "select users.erase_profile(%s)", [world.customer])


def test_caller_sees_their_own_profile(world):
    answer = show(world.customer)

    assert answer.status == 200
    mine = stored_profiles(world.db)[world.customer]
    assert answer.body == {
        "id": str(world.customer),
        "name": "customer",
        "email": mine["email"],
        "language": "en",
        "messages_in": "en",
        "created_at": mine["created_at"].isoformat().replace("+00:00", "Z"),
    }


@pytest.mark.parametrize(("language", "messages_in"), [("fr", "fr"), ("es", "en")])
def test_settings_are_the_languages_and_the_time_zone_of_the_token(world, language, messages_in):
    edit(world.customer, language=language)

    answer = show_settings(Caller(world.customer, "authenticated", claims={"zoneinfo": "America/New_York"}))

    assert (answer.status, answer.body) == (
        200,
        {"language": language, "messages_in": messages_in, "time_zone": "America/New_York"},
    )


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "europe/zurich", "+02:00", "../../etc/passwd", "Europe"])
def test_settings_have_no_time_zone_if_the_token_names_an_unknown_one(world, zone):
    answer = show_settings(Caller(world.customer, "authenticated", claims={"zoneinfo": zone}))

    assert (answer.status, answer.body["time_zone"]) == (200, None)


def test_settings_have_no_time_zone_if_the_token_names_none(world):
    assert show_settings(world.customer).body == {"language": "en", "messages_in": "en", "time_zone": None}


def test_omitted_fields_stay_unchanged(world):
    before = stored_profiles(world.db)[world.customer]

    renamed = edit(world.customer, name="Zoë O’Neill-李")
    moved = edit(world.customer, language="de")
    both = edit(world.customer, name="Zoë", language="fr")

    assert [answer.status for answer in (renamed, moved, both)] == [200, 200, 200]
    assert [(answer.body["name"], answer.body["language"]) for answer in (renamed, moved, both)] == [
        ("Zoë O’Neill-李", "en"),
        ("Zoë O’Neill-李", "de"),
        ("Zoë", "fr"),
    ]
    assert both.body == show(world.customer).body
    assert stored_profiles(world.db)[world.customer] == before | {"name": "Zoë", "language": "fr"}


def test_edit_changes_only_the_callers_profile(world):
    before = stored_profiles(world.db)

    edit(world.customer, name="Zoë", language="fr")
    edit(Caller(world.owner, "authenticated", world.organization_id), language="de")

    after = stored_profiles(world.db)
    assert after.keys() == before.keys()
    assert {person for person in before if before[person] != after[person]} == {world.customer, world.owner}
    assert (after[world.owner]["name"], after[world.owner]["language"]) == ("owner", "de")


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("de", "Buchung bestätigt: Evening yoga"),
        ("fr", "Réservation confirmée : Evening yoga"),
        ("it", "Prenotazione confermata: Evening yoga"),
        ("en", "Booking confirmed: Evening yoga"),
        ("es", "Booking confirmed: Evening yoga"),
    ],
)
def test_new_language_applies_to_the_next_message_and_is_returned(world, aws, language, subject):
    world.db.execute("update users.profiles set language = 'sv' where id = %s", [world.customer])
    message = build_message(world, "booking.confirmed")

    answer = edit(world.customer, language=language)
    deliver(message)

    assert answer.body["language"] == language
    assert answer.body["messages_in"] == (language if language != "es" else "en")
    assert [told["subject"] for told in notifications(world)] == [subject]
    (mail,) = aws.mailed()
    assert mail["Subject"] == subject


def test_next_message_greets_by_the_new_name(world, aws):
    message = build_message(world, "booking.confirmed")

    edit(world.customer, name="Zoë $name {name}")
    deliver(message)

    (told,) = notifications(world)
    assert "Zoë $name {name}" in told["body"]
    (mail,) = aws.mailed()
    assert "Zoë $name {name}" in mail.get_body(("plain",)).get_content()


def test_settings_create_a_profile_from_the_token(db):
    caller = Caller(uuid4(), "authenticated", claims=CLAIMS)

    assert show_settings(caller).body == {"language": "it", "messages_in": "it", "time_zone": None}
    assert {person: profile["name"] for person, profile in stored_profiles(db).items()} == {caller.id: "ana"}


@pytest.mark.parametrize("changes", [None, {"name": "Zoë"}, {"language": "de"}], ids=["GET", "name", "language"])
def test_first_call_creates_a_profile_from_the_token(db, changes):
    caller = Caller(uuid4(), "authenticated", claims=CLAIMS)

    answer = show(caller) if changes is None else edit(caller, **changes)

    assert answer.status == 200
    wanted = {"name": "ana", "email": "ana@example.org", "language": "it", **(changes or {})}
    assert {name: answer.body[name] for name in wanted} == wanted
    assert {name: stored_profiles(db)[caller.id][name] for name in wanted} == wanted
    assert len(stored_profiles(db)) == 1


def test_later_token_changes_only_the_address(db):
    caller = uuid4()
    edit(Caller(caller, "authenticated", claims=CLAIMS), name="Zoë", language="de")

    answer = show(
        Caller(
            caller,
            "authenticated",
            claims=CLAIMS | {"name": "eve", "email": "new@example.org", "locale": "fr", "iat": time.time() + 60},
        )
    )

    assert [answer.body[name] for name in ("name", "email", "language")] == ["Zoë", "new@example.org", "de"]
    assert stored_profiles(db)[caller]["email"] == "new@example.org"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "eve@example.org"},
        {"email": "eve@example.org", "email_verified": False},
        {"email": "eve@example.org", "email_verified": "true"},
        {"email": "eve@example.org", "email_verified": None},
        {"email": "no address", "email_verified": True},
        {"email": "a@[", "email_verified": True},
        {"email": "=?utf-8?q?=0aBcc:x?=@y.ch", "email_verified": True},
        {"email": "eve\u202e@example.org", "email_verified": True},
        {"email": "eve\x07@example.org", "email_verified": True},
        {"email_verified": True},
    ],
    ids=str,
)
def test_unverified_address_is_not_stored(db, claims):
    known, newcomer = uuid4(), uuid4()
    show(Caller(known, "authenticated", claims=CLAIMS))

    answers = [show(Caller(caller, "authenticated", claims=claims)) for caller in (known, newcomer)]

    assert [answer.body["email"] for answer in answers] == ["ana@example.org", None]
    assert [stored_profiles(db)[caller]["email"] for caller in (known, newcomer)] == ["ana@example.org", None]


def test_stored_address_is_hidden_until_it_is_verified(world):
    world.db.execute("update users.profiles set email_verified_at = null where id = %s", [world.customer])

    assert show(world.customer).body["email"] is None
    stored = stored_profiles(world.db)[world.customer]["email"]
    claims = {"email": stored, "email_verified": True}
    assert show(Caller(world.customer, "authenticated", claims=claims)).body["email"] == stored
    assert show(world.customer).body["email"] == stored


@pytest.mark.parametrize(
    "name", [BLANK, "x" * 201, "ana\nben", "ana\x1b[31m", "ana\u2028ben", "\u202eana", "\u2066ana"]
)
def test_unusable_name_in_a_token_is_ignored(db, name):
    answer = show(Caller(uuid4(), "authenticated", claims=CLAIMS | {"name": name}))

    assert (answer.status, answer.body["name"]) == (200, None)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, []),
        ({"name": ""}, ["name"]),
        ({"name": BLANK}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "ana\nben"}, ["name"]),
        ({"name": "ana\x1b[31m"}, ["name"]),
        ({"name": "ana\x85"}, ["name"]),
        ({"name": "ana\u2028ben"}, ["name"]),
        ({"name": "\u202eana"}, ["name"]),
        ({"name": "ana\u2066"}, ["name"]),
        ({"name": "ana\x00"}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"name": None}, ["name"]),
        ({"language": None}, ["language"]),
        ({"language": ["de"]}, ["language"]),
        ({"language": "x" * 101}, ["language"]),
        ({"email": "new@example.org", "language": "de"}, ["email"]),
        ({"id": str(UUID(int=1)), "language": "de"}, ["id"]),
        ({"created_at": "2030-01-01T00:00:00Z", "language": "de"}, ["created_at"]),
        ({"erased_at": None, "language": "de"}, ["erased_at"]),
        ({"name": "Zoë", "language": "xx"}, ["language"]),
    ],
)
def test_invalid_edit_is_refused_with_the_path_of_the_error(world, changes, place):
    before = stored_profiles(world.db)

    answer = edit(world.customer, **changes)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert [error["path"] for error in answer.body["errors"]] == [["body", *place]]
    assert stored_profiles(world.db) == before


@pytest.mark.parametrize("name", ["", BLANK, "x" * 201, "ana\nben", "ana\x85", "ana\u2028", "\u202eana", "\u2066ana"])
def test_database_refuses_an_invalid_name(world, name):
    with pytest.raises(psycopg.Error) as refused:
        routines.call(world.db, world.customer, "select users.edit_profile(name => %s)", [name])

    assert routines.code_of(refused.value) == "invalid_request"


@pytest.mark.parametrize("language", ["xx", "DE", "de-CH", "de ", "", "d%", "German"])
def test_unknown_language_is_refused_with_the_list_of_known_ones(world, language):
    answer = edit(world.customer, language=language)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    (error,) = answer.body["errors"]
    known = [row["code"] for row in world.db.execute("select code from ref.languages order by code").fetchall()]
    assert {"de", "en", "fr", "it"} < set(known)
    assert (error["path"], error["known"]) == (["body", "language"], known)
    assert ", ".join(known) in error["message"]
    assert stored_profiles(world.db)[world.customer]["language"] == "en"


def test_messages_page_lists_the_known_languages(db):
    known = [row["code"] for row in db.execute("select code from ref.languages order by code").fetchall()]

    assert f"`ref.languages` ({', '.join(known)})" in MESSAGES.read_text()


@pytest.mark.parametrize("name", ["x", "x" * 200, "李", "דנה\u200f", "\u061cسارة", "👩\u200d👩\u200d👧", " ana "])
def test_name_is_stored_unchanged(world, name):
    assert edit(world.customer, name=name).body["name"] == name
    assert stored_profiles(world.db)[world.customer]["name"] == name


@pytest.mark.parametrize(("method", "path"), [("GET", "/profile"), ("PATCH", "/profile"), ("GET", "/profile/settings")])
def test_request_without_a_token_is_unauthenticated(db, method, path):
    answer = gateway.request("profile", method, path, {"language": "de"} if method == "PATCH" else None)

    assert (answer.status, answer.body["code"]) == (401, "unauthenticated")
    assert stored_profiles(db) == {}


@pytest.mark.parametrize("caller", [service(), Caller(uuid4(), "service_role", claims=CLAIMS)], ids=["ours", "a token"])
def test_service_has_no_profile(db, caller):
    answers = [show(caller), show_settings(caller), edit(caller, language="de")]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(403, "forbidden")] * 3
    assert stored_profiles(db) == {}


def test_erased_profile_can_be_neither_read_nor_edited(world):
    erase(world)
    before = stored_profiles(world.db)[world.customer]

    answers = [show(world.customer), show_settings(world.customer), edit(world.customer, name="Zoë", language="de")]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(403, "forbidden")] * 3
    assert stored_profiles(world.db)[world.customer] == before
    assert (before["name"], before["email"], before["erased_at"] is None) == (None, None, False)
