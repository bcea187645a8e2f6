"""Render and store snapshots of every message and page in every language.

`make snapshots` rewrites them. Read the difference before you commit it, because customers will read these texts.
"""

from pathlib import Path

from marquee.core import locales
from marquee.messaging import texts
from marquee.messaging.topics import NOTIFIED
from marquee.payments import invoice_pages
from tests.kit import sample_invoices, sample_messages

FOLDER = Path(__file__).resolve().parents[2] / "messaging" / "snapshots"


def rendered() -> dict[str, str]:
    """Return each snapshot by its path below this folder, as the code renders it now."""
    return {
        **{path: text for language, topic in messages() for path, text in message(language, topic).items()},
        **{path: text for language in locales.LOCALES for path, text in pages(language).items()},
    }


def messages() -> list[tuple[str, str]]:
    """Return the language and the topic of every message."""
    found = [(texts.language_of(topic, language), topic) for topic in NOTIFIED for language in locales.LOCALES]
    return sorted(set(found))


def message(language: str, topic: str) -> dict[str, str]:
    """Return the plain text of each case of a message, and the HTML of the case that has every value."""
    written = {
        name: texts.write(topic, language, "Ana", payload, facts)
        for name, (payload, facts) in sample_messages.cases(topic).items()
    }
    if topic == "booking.confirmed":
        payload, facts = sample_messages.cases(topic)["every value"]
        written["sent again"] = texts.write(topic, language, "Ana", payload, facts, is_repeat=True)
    plain = "\n".join(f"=== {name} ===\nSubject: {text.subject}\n\n{text.body}" for name, text in written.items())
    whole = next(iter(written.values()))
    return {f"messages/{language}/{topic}.txt": plain, f"messages/{language}/{topic}.html": whole.html + "\n"}


def pages(language: str) -> dict[str, str]:
    """Return the pages of an invoice and of a credit note."""
    return {
        f"pages/{language}/invoice.html": invoice_pages.write(sample_invoices.an_invoice(), None, language) + "\n",
        f"pages/{language}/credit_note.html": invoice_pages.write(sample_invoices.a_credit_note(), 7, language) + "\n",
    }


def stored() -> dict[str, str]:
    """Return each committed snapshot by its path below this folder."""
    return {
        str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*")
        if path.suffix in {".txt", ".html"}
    }
