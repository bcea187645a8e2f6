"""marquee.messaging.texts: every topic in every language, complete, with the right amounts, numbers and facts."""

import itertools
import re
from html.parser import HTMLParser

import jinja2
import jinja2.meta
import pytest
from jinja2 import nodes

from marquee.core import locales
from marquee.messaging import languages, texts
from marquee.messaging.topics import NOTIFIED as TOPICS
from tests.kit.sample_messages import FACTS, FOR_OPERATORS, OPERATORS, PAYLOAD, cases

pytestmark = pytest.mark.usefixtures("sockets_off")

OF_PLACES = {
    "booking.cancelled", "booking.confirmed", "booking.expired", "booking.reminder", "waitlist.joined",
    "waitlist.lapsed", "waitlist.offered",
}  # fmt: skip
OF_MONEY = {
    "payment.disputed", "payment.returned", "refund.exceeded", "refund.failed", "refund.requested",
    "refund.succeeded",
}  # fmt: skip
OF_NO_EVENT = {
    "payout.failed": "{amount}", "credits.granted": "{amount}", "pass.granted": "Studio", "invitation.sent": "Studio",
    "erasure.scheduled": "2031", "ownership.offered": "Studio",
}  # fmt: skip
"""Topics about no event, with the text that the subject contains instead of a title."""

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
    """Render a message, with every kind of space replaced by a plain one."""
    given = OPERATORS if topic in FOR_OPERATORS else PAYLOAD
    known = {} if topic in FOR_OPERATORS else FACTS | (facts or {})
    text = texts.write(topic, language, name, given | payload, known)
    return texts.Text(*(re.sub(r"[\u00a0\u202f\u2009]", " ", part) for part in (text.subject, text.body, text.html)))


@every_text
def test_message_is_complete_in_every_language(topic, language):
    for name, by_organizer in ((None, False), ("ana", True)):
        text = written(topic, language, name, by_organizer=by_organizer, left_waitlist=by_organizer)
        assert text.subject.strip()
        assert not re.search(r"[{}]|None|\n\n\n|_cents", text.subject + text.body + text.html.partition("<div")[2])
        if topic not in FOR_OPERATORS:
            said = OF_NO_EVENT.get(topic, "Yoga").format(amount=AMOUNTS[language, "CHF"])
            assert said in text.subject
            assert text.body.startswith(languages.greeting(language, name) + "\n\n")
            assert text.body.endswith(f"\n\n{languages.LANGUAGES[language].regards}\nStudio\n")


@every_text
def test_message_has_its_own_template_in_every_language(topic, language):
    assert texts.language_of(topic, language) == ("en" if topic in FOR_OPERATORS else language)


def test_four_languages_have_the_same_templates():
    found = {
        folder.name: {file.name.removesuffix(".jinja") for file in folder.iterdir() if file.name.endswith(".jinja")}
        for folder in languages.TEMPLATES.iterdir()
        if folder.is_dir()
    }

    everywhere = TOPICS - FOR_OPERATORS
    assert found == {"de": everywhere, "en": TOPICS, "fr": everywhere, "it": everywhere}
    assert found.keys() == locales.LOCALES.keys()


@every_text
def test_template_uses_the_same_values_and_conditions_as_the_english_one(topic, language):
    assert outline(topic, texts.language_of(topic, language)) == outline(topic, "en")


def outline(topic, language):
    """Return the names and conditions in each block of a template. Only the facts keep their order, which is layout."""
    tree = jinja2.Environment().parse(source(language, topic))
    return {
        block.name: (sorted if block.name != "facts" else list)(uses(block)) for block in tree.find_all(nodes.Block)
    }


def uses(block):
    found = {}
    for node in block.find_all((nodes.Name, nodes.Compare)):
        if isinstance(node, nodes.Name):
            found[node.name] = None
        elif not {"seats"} & {name.name for name in node.find_all(nodes.Name)}:  # skip a verb that agrees with a number
            found[repr(node)] = None
    return found


def source(language, topic):
    return languages.TEMPLATES.joinpath(language, f"{topic}.jinja").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
def test_every_phrase_is_complete_and_has_its_placeholder(language):
    phrases = languages.LANGUAGES[language]

    whole = {"greeting": "{name}", "led_by": "{name}", "seats": "{number}"}
    assert {name: re.findall(r"\{.*?\}", getattr(phrases, name)) for name in whole} == {
        name: [gap] for name, gap in whole.items()
    }
    others = [phrases.greeting_nameless, phrases.regards, phrases.colon, phrases.seat, phrases.again]
    assert all(text.strip() and "{" not in text for text in [*others, *phrases.paid.values()])


WRONG_SIGNS = {
    "en": r"[\"«»ß„]|(?<=\w)'",
    "de": r"[\"“”ß„]|(?<=\w)'|[«] | [»]",
    "fr": r"[\"“”]|(?<=\w)'|(?<=[\w}»]) ?(?<!\u00a0)[:](?=\s|$)|(?<=[\w}»]) ?(?<!\u202f)[;!?]|«(?!\u00a0)|(?<!\u00a0)»",
    "it": r"[\"“”]|(?<=\w)'|[«] | [»]",
}
"""Signs that a language does not use: foreign quotation marks, straight apostrophes, breaking spaces."""


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
@pytest.mark.parametrize("topic", sorted(TOPICS - FOR_OPERATORS))
def test_template_follows_the_typography_of_its_language(topic, language):
    prose = re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "x", source(language, topic)))

    assert re.findall(WRONG_SIGNS[language], prose) == []


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_message_in_an_unsupported_language_is_english(topic):
    assert written(topic, "es", "ana") == written(topic, "en", "ana")


def test_message_without_a_template_in_its_language_is_english(monkeypatch):
    in_english = written("booking.confirmed", "en", "ana")
    monkeypatch.setattr(texts, "language_of", texts.language_of.__wrapped__)
    file_of = texts._file
    monkeypatch.setattr(texts, "_file", lambda language, topic: file_of(language, topic + "x" * (language == "de")))

    assert written("booking.confirmed", "de", "ana") == in_english


HOSTILE = '<img src=x onerror="alert(1)">\'&{{ 7 * 7 }}{% endif %}$reason%s'
TYPED = ("organization", "title", "place", "customer", "reason", "why", "dispute", "payout")
"""Values that users or other systems provide."""


class Tags(HTMLParser):
    """Collects the tags and attributes of a document."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(name for name, _value in attrs)))


def tags(html):
    parser = Tags()
    parser.feed(html)
    return parser.found


@every_text
def test_hostile_values_are_escaped(topic, language):
    for name, (payload, facts) in cases(topic).items():
        hostile = {key: HOSTILE for key in ("rule", "metric", "source_id") if key in payload}
        for key in TYPED:
            if payload.get(key) is not None and (topic, key) != ("reconciliation.differs", "reason"):
                hostile[key] = HOSTILE
        hostile_facts = {key: HOSTILE for key in TYPED if facts.get(key) is not None}
        plain = texts.write(topic, language, "Ana", payload, facts)
        text = texts.write(topic, language, HOSTILE, payload | hostile, facts | hostile_facts)

        assert tags(text.html) == tags(plain.html), name
        assert "onerror=&#34;alert(1)&#34;" in text.html
        assert "{{ 7 * 7 }}{% endif %}$reason%s" in text.html
        assert HOSTILE in text.body


def test_value_with_line_breaks_cannot_add_a_line():
    forged = "Yoga\r\n\r\nPrice: free\u2028Price: free\x85Price: free\x0bPrice: free"
    text = texts.write("booking.confirmed", "en", forged, PAYLOAD, FACTS | {"title": forged, "place": forged})
    plain = texts.write("booking.confirmed", "en", "ana", PAYLOAD, FACTS)

    assert [line for line in text.body.splitlines() if line.startswith("Price: free")] == []
    assert len(text.body.splitlines()) == len(plain.body.splitlines())
    assert tags(text.html) == tags(plain.html)


@every_text
def test_subject_is_one_line_of_at_most_200_characters(topic, language):
    long = "Yoga\r\nBcc: x@example.org\u2028" + "x" * 300
    payload, facts = next(iter(cases(topic).values()))
    typed = {key: long for key in ("rule", "source_id") if key in payload}
    subject = texts.write(topic, language, None, payload | typed, facts | {"title": long, "organization": long}).subject

    assert len(subject.splitlines()) == 1
    assert len(subject) <= texts.SUBJECT_LENGTH_MAX
    assert subject.isprintable()


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_message_without_a_required_value_raises(topic, language):
    payload, facts = next(iter(cases(topic).values()))
    tree = texts._environment(is_html=False).parse(source(texts.language_of(topic, language), topic))
    used = jinja2.meta.find_undeclared_variables(tree)
    required = used - texts.OPTIONAL - {"fact", "optional_fact", "layout"}

    assert required or topic == "booking.attended"
    for name in required:
        for gap in ({}, {name: None}):
            without = {key: value for key, value in payload.items() if key != name} | gap
            with pytest.raises((jinja2.UndefinedError, ValueError)):
                texts.write(topic, language, None, without, {key: value for key, value in facts.items() if key != name})


@every_text
def test_optional_values_print_nothing_when_they_are_missing(topic, language):
    payload, facts = next(iter(cases(topic).values()))
    needed = {"title", "organization", "starts_at", "currency", "destination", "reason"}
    needed |= {"booking_id"} if topic == "payment.returned" else set()
    absent = texts.OPTIONAL - needed

    text = texts.write(topic, language, None, payload | dict.fromkeys(absent), facts | dict.fromkeys(absent))

    assert "None" not in text.subject + text.body + text.html


def test_printing_a_missing_optional_value_raises():
    with pytest.raises(ValueError, match="optional value that is missing"):
        texts.write("booking.confirmed", "en", None, PAYLOAD, FACTS | {"title": None})


def test_message_with_an_unknown_destination_raises():
    with pytest.raises(ValueError, match="missing"):
        texts.write("refund.succeeded", "en", None, PAYLOAD | {"destination": "elsewhere"}, FACTS)


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
def test_html_and_plain_text_have_the_same_words(language):
    for topic in TOPICS - FOR_OPERATORS:
        for payload, facts in cases(topic).values():
            text = texts.write(topic, language, "Ana", payload, facts, is_repeat=True)
            shown = re.sub(r"<(title|style).*?</\1>|<[^>]+>", " ", text.html, flags=re.DOTALL)
            colon = languages.LANGUAGES[language].colon
            plain = text.body.replace(f"{colon} ", " ")
            shown = shown.replace(f"{colon} ", " ").replace("&gt;", ">").replace("&#39;", "'").replace("&amp;", "&")

            assert shown.split() == plain.split()
            assert languages.LANGUAGES[language].again in text.body


@pytest.mark.parametrize(("language", "currency"), AMOUNTS)
@pytest.mark.parametrize("topic", sorted(OF_MONEY | {"booking.confirmed", "booking.cancelled", "booking.no_show"}))
def test_amount_is_formatted_for_its_language_and_currency(topic, language, currency):
    text = written(topic, language, facts={"currency": currency}, currency=currency)

    assert AMOUNTS[language, currency] in text.body
    if topic in OF_MONEY:
        assert AMOUNTS[language, currency] in text.subject


@pytest.mark.parametrize("language", PLACES)
@pytest.mark.parametrize("topic", sorted(OF_PLACES))
def test_number_of_places_has_the_singular_and_plural_of_its_language(topic, language):
    one, three = PLACES[language]

    assert re.search(rf"\b{one}\b", written(topic, language, seats=1).body)
    assert three in written(topic, language, seats=3).body


def test_reconciliation_difference_message_names_both_amounts():
    text = written("reconciliation.differs", "de")

    assert "Stripe: CHF 1,234.50\nLedger: -CHF 0.50\n" in text.body
    assert "amounts are different" in text.body
    assert "no entry" not in text.body


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
def test_confirmation_names_price_and_payment_method(method, cents, line):
    body = written("booking.confirmed", "en", facts={"price_cents": cents, "payment_method": method}).body

    assert (line in body) if line else ("Price" not in body)


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
def test_every_payment_method_has_a_phrase(language):
    assert set(languages.LANGUAGES[language].paid) == {"card", "twint", "wallet", "pass", "invoice"}


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
@pytest.mark.parametrize(
    ("topic", "name", "values"),
    [
        ("refund.succeeded", "destination", ["original", "wallet", "invoice"]),
        ("payment.disputed", "status", ["needs_response", "under_review", "won", "lost", "prevented"]),
    ],
)
def test_each_outcome_has_its_own_sentence(language, topic, name, values):
    bodies = [written(topic, language, **{name: value}).body.replace(f"({value})", "") for value in values]

    assert len(set(bodies)) == len(values)
    assert len({body.count("\n") for body in bodies}) == 1


@pytest.mark.parametrize("language", sorted(languages.LANGUAGES))
@pytest.mark.parametrize(
    "topic", ["payment.disputed", "refund.exceeded", "refund.failed", "refund.requested", "refund.succeeded"]
)
def test_message_about_a_package_has_the_lines_of_one_about_a_booking(topic, language):
    booked = written(topic, language).body
    bought = written(topic, language, booking_id=None, purchase_id="p-1", facts={"starts_at": None}).body

    assert "p-1" in bought
    assert "b-1" not in bought
    assert len(bought.splitlines()) == len(booked.splitlines())
