"""marquee.messaging.texts: every topic in every language, whole, with the right amounts, numbers and facts."""

import itertools
import re
from pathlib import Path

import pytest

from marquee.core import locales
from marquee.messaging import languages, texts
from marquee.messaging.happenings import TOPICS as ALL_TOPICS
from marquee.messaging.happenings import UNTOLD

TOPICS = ALL_TOPICS - UNTOLD

ROUTINES = Path(__file__).resolve().parents[2] / "sql" / "routines"
FOR_OPERATORS = {"alert.fired", "alert.resolved", "reconciliation.differs"}
"""Told in English to those who watch the system: their addresses have no language."""
OF_PLACES = {
    "booking.cancelled", "booking.confirmed", "booking.expired", "booking.reminder", "waitlist.joined",
    "waitlist.lapsed", "waitlist.offered",
}  # fmt: skip
OF_MONEY = {
    "payment.disputed", "payment.returned", "refund.exceeded", "refund.failed", "refund.requested",
    "refund.succeeded",
}  # fmt: skip
OF_NO_EVENT = {"payout.failed": "{amount}", "credits.granted": "{amount}", "pass.granted": "Studio"}
"""About no event: what the subject says instead of its title."""

FACTS = {
    "organization": "Studio", "title": "Yoga", "starts_at": "2031-03-03T17:00:00+00:00",
    "ends_at": "2031-03-03T18:00:00+00:00", "time_zone": "Europe/Zurich", "place": "Lake room", "customer": "ben",
    "price_cents": 123450, "currency": "CHF", "payment_method": "card",
}  # fmt: skip
PAYLOAD = {
    "customer_id": "c-1", "booking_id": "b-1", "event_id": "e-1", "organization_id": "o-1", "seats": 3, "reason": "R",
    "fee_cents": 123450, "amount_cents": 123450, "currency": "CHF", "offer_expires_at": "2031-03-03T10:15:00+00:00",
    "previous_starts_at": "2031-03-02T17:00:00+00:00", "refund_id": "r-1", "destination": "original", "cause": "late",
    "dispute": "dp_1", "status": "needs_response", "failing_since": "2031-03-01", "gone": True, "endpoint_id": "w-1",
    "payout": "po_1", "invoice_id": "i-1", "number": 7, "due_on": "2031-03-17", "expires_on": "2031-12-31", "units": 10,
    "why": "The bank account has been closed",
}  # fmt: skip
OPERATORS = {
    "rule": "outbox_late", "severity": "critical", "aggregate": "latest", "metric": "m", "window_seconds": 300,
    "value": 1, "comparison": ">", "threshold": 0, "pending_since": "2031", "fired_at": "2031", "resolved_at": "2031",
    "id": 1, "source_id": "ch_1", "currency": "CHF", "reason": "amount_differs", "stripe_cents": 123450,
    "ledger_cents": -50, "opened_at": "2031-03-03",
}  # fmt: skip
AMOUNTS = {
    ("en", "CHF"): "CHF 1,234.50", ("de", "CHF"): "1.234,50 CHF", ("fr", "CHF"): "1 234,50 CHF",
    ("it", "CHF"): "1.234,50 CHF",
    ("en", "JPY"): "JP¥123,450", ("de", "JPY"): "123.450 ¥", ("fr", "JPY"): "123 450 JPY",
    ("it", "JPY"): "123.450 JPY",
    ("en", "EUR"): "€1,234.50", ("de", "EUR"): "1.234,50 €", ("fr", "EUR"): "1 234,50 €",
    ("it", "EUR"): "1.234,50 €",
}  # fmt: skip
PLACES = {
    "en": ("1 place", "3 places"),
    "de": ("1 Platz", "3 Plätze"),
    "fr": ("1 place", "3 places"),
    "it": ("1 posto", "3 posti"),
}

every_text = pytest.mark.parametrize(
    ("topic", "language"), list(itertools.product(sorted(TOPICS), sorted(languages.LANGUAGES)))
)


def written(topic, language, name=None, facts=None, **payload):
    """A text as people read it: spaces are spaces, of whatever width."""
    given = OPERATORS if topic in FOR_OPERATORS else PAYLOAD
    known = {} if topic in FOR_OPERATORS else FACTS | (facts or {})
    text = texts.write(topic, language, name, given | payload, known)
    return texts.Text(*(re.sub(r"[\u00a0\u202f\u2009]", " ", part) for part in (text.subject, text.body)))


@every_text
def test_every_topic_is_told_whole_in_every_language(topic, language):
    for name, by_organizer in ((None, False), ("ana", True)):
        text = written(topic, language, name, by_organizer=by_organizer, left_waitlist=by_organizer)
        assert text.subject.strip()
        assert not re.search(r"[$?]\w|[{}]|None|\n\n\n|\n\?", text.subject + text.body)
        assert "_cents" not in text.body
        if topic not in FOR_OPERATORS:
            said = OF_NO_EVENT.get(topic, "Yoga").format(amount=AMOUNTS[language, "CHF"])
            assert said in text.subject
            assert text.body.startswith(languages.greeting(language, name) + "\n\n")
            assert text.body.endswith("\n\nStudio\n")


@every_text
def test_every_topic_that_is_not_for_operators_has_its_own_words_in_every_language(topic, language):
    assert texts.language_of(topic, language) == ("en" if topic in FOR_OPERATORS else language)


def test_there_are_four_languages_with_the_same_texts_and_no_others():
    found = {
        folder.name: {file.name.removesuffix(".txt") for file in folder.iterdir() if file.name.endswith(".txt")}
        for folder in languages.TEMPLATES.iterdir()
    }

    everywhere = TOPICS - FOR_OPERATORS
    assert found == {"de": everywhere, "en": TOPICS, "fr": everywhere, "it": everywhere}
    assert found.keys() == locales.LOCALES.keys()


@every_text
def test_a_text_says_as_much_in_every_language(topic, language):
    assert named(topic, texts.language_of(topic, language)) == named(topic, "en")


def named(topic, language):
    """What a template says: the values in its subject and in its body, and the conditions of its lines, in order."""
    subject, _, body = texts._template(language, topic).partition("\n\n")
    values = (frozenset(re.findall(r"\$(\w+)", part)) for part in (subject, body))
    return *values, re.findall(r"^\?(\w+) ", body, re.MULTILINE)


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
def test_every_phrase_has_its_words_and_its_gap(language):
    phrases = languages.LANGUAGES[language]

    whole = {"greeting": "{name}", "led_by": "{name}", "seats": "{number}"}
    assert {name: re.findall(r"\{.*?\}", getattr(phrases, name)) for name in whole} == {
        name: [gap] for name, gap in whole.items()
    }
    others = [phrases.greeting_nameless, phrases.seat, phrases.again, *phrases.paid.values()]
    assert all(text.strip() and "{" not in text for text in others)


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_who_prefers_another_language_is_told_in_english(topic):
    assert written(topic, "es", "ana") == written(topic, "en", "ana")


def test_a_text_that_a_language_lacks_is_english_throughout(monkeypatch):
    in_english = written("booking.confirmed", "en", "ana")
    monkeypatch.setattr(texts, "language_of", texts.language_of.__wrapped__)
    file_of = texts._file
    monkeypatch.setattr(texts, "_file", lambda language, topic: file_of(language, topic + "x" * (language == "de")))

    assert written("booking.confirmed", "de", "ana") == in_english


@pytest.mark.parametrize(("language", "currency"), AMOUNTS)
@pytest.mark.parametrize("topic", sorted(OF_MONEY | {"booking.confirmed", "booking.cancelled", "booking.no_show"}))
def test_amounts_are_written_as_the_language_writes_them_with_the_currencys_places(topic, language, currency):
    text = written(topic, language, facts={"currency": currency}, currency=currency)

    assert AMOUNTS[language, currency] in text.body
    if topic in OF_MONEY:
        assert AMOUNTS[language, currency] in text.subject


@pytest.mark.parametrize("language", PLACES)
@pytest.mark.parametrize("topic", sorted(OF_PLACES))
def test_places_are_counted_as_the_language_counts(topic, language):
    one, three = PLACES[language]

    assert re.search(rf"\b{one}\b", written(topic, language, seats=1).body)
    assert three in written(topic, language, seats=3).body


def test_differences_from_stripes_books_have_both_amounts():
    text = written("reconciliation.differs", "de")

    assert "Stripe: CHF 1,234.50\nLedger: -CHF 0.50\n" in text.body
    assert "different amounts" in text.body
    assert "does not know" not in text.body


@pytest.mark.parametrize(
    ("method", "cents", "line"),
    [
        ("card", 4000, "Price: CHF 40.00 (paid by card)"),
        ("twint", 4000, "Price: CHF 40.00 (paid with TWINT)"),
        ("wallet", 4000, "Price: CHF 40.00 (paid from your wallet)"),
        ("invoice", 4000, "Price: CHF 40.00 (by invoice)"),
        ("pass", 0, "Price: paid with your pass"),
        ("comp", 0, None),
        ("none", 0, None),
    ],
)
def test_a_confirmation_says_what_was_paid_and_how(method, cents, line):
    body = written("booking.confirmed", "en", facts={"price_cents": cents, "payment_method": method}).body

    assert (line in body) if line else ("Price" not in body)


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
def test_every_way_of_paying_has_its_words(language):
    assert set(languages.LANGUAGES[language].paid) == {"card", "twint", "wallet", "pass", "invoice"}


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
@pytest.mark.parametrize(
    ("topic", "name", "values"),
    [
        ("refund.succeeded", "destination", ["original", "wallet", "invoice"]),
        ("payment.disputed", "status", ["needs_response", "under_review", "won", "lost", "prevented"]),
    ],
)
def test_each_outcome_has_one_sentence_of_its_own(language, topic, name, values):
    bodies = [written(topic, language, **{name: value}).body.replace(f"({value})", "") for value in values]

    assert len(set(bodies)) == len(values)
    assert len({body.count("\n") for body in bodies}) == 1


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
@pytest.mark.parametrize(
    "topic", ["payment.disputed", "refund.exceeded", "refund.failed", "refund.requested", "refund.succeeded"]
)
def test_money_for_a_package_is_told_of_as_money_for_a_booking(topic, language):
    booked = written(topic, language).body
    bought = written(topic, language, booking_id=None, purchase_id="p-1", facts={"starts_at": None}).body

    assert "p-1" in bought
    assert "b-1" not in bought
    assert len(bought.splitlines()) == len(booked.splitlines())


def test_every_topic_that_a_routine_writes_is_one_that_somebody_listens_to():
    said = set()
    for file in ROUTINES.rglob("*.sql"):
        text = file.read_text()
        if "insert into public.outbox" in text:
            families = "|".join({topic.partition(".")[0] for topic in ALL_TOPICS})
            said |= set(re.findall(rf"'((?:{families})\.[a-z_]+)'", text))
            said |= set(re.findall(r"(?:values \(|select)\s+'([a-z_]+\.[a-z_]+)'", text))
    assert {"refund.succeeded", "refund.failed", "payment.returned", "waitlist.offered"} < said
    assert said <= ALL_TOPICS
