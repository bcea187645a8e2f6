"""An invoice or a credit note as a page to read and print, in the language of the customer it is for.

Words are the language's, in pages/<language>.toml, and so are the forms of days and amounts; all else is what was
issued. In English where there are no words in the language.
"""

import html
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template
from uuid import UUID

from marquee.core import locales
from marquee.core.database import Access, Session
from marquee.core.errors import Refused
from marquee.payments.invoices import Invoice, Line

HTML = "text/html; charset=utf-8"
PAGES = resources.files(__package__).joinpath("pages")


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says in a language: pages/<language>.toml."""

    invoice: str
    credit_note: str
    to: str
    nameless: str
    issued_on: str
    due_on: str
    corrects: str
    what: str
    when: str
    seats: str
    amount: str
    discount: str
    net: str
    tax: str
    total: str


def _read(file: Traversable) -> Words:
    return Words(**tomllib.loads(file.read_text(encoding="utf-8")))


WORDS: Mapping[str, Words] = {
    file.name.removesuffix(".toml"): _read(file) for file in PAGES.iterdir() if file.name.endswith(".toml")
}
"""The languages that pages are written in, by their codes."""

_PAGE, _LINE = (Template(PAGES.joinpath(name).read_text(encoding="utf-8")) for name in ("invoice.html", "line.html"))


def of(session: Session, invoice_id: UUID) -> str:
    """An invoice that the caller may see, as HTML that stands by itself. Refuses: 404 invoice_not_found."""
    row = session.one(
        """
        select i.*, n.number as corrects_number, payments.language_of(i.id) as language
        from payments.invoice_states as i
        left join payments.invoice_states as n on n.id = i.corrects_id
        where i.id = %s
        """,
        [invoice_id],
        access=Access("invoice_page"),
    )
    if row is None:
        raise Refused(404, "invoice_not_found")
    return write(Invoice.model_validate(row), row["corrects_number"], row["language"])


def write(invoice: Invoice, corrects_number: int | None, preferred: str) -> str:
    """The page for somebody who prefers this language; `corrects_number` is that of the invoice which it corrects."""
    language = preferred if preferred in WORDS else locales.FALLBACK
    words = WORDS[language]
    name = invoice.buyer.get("name") or invoice.buyer.get("email") or words.nameless
    if invoice.due_on is not None:
        title, due = words.invoice, words.due_on.format(day=locales.day(language, invoice.due_on))
    else:
        title, due = words.credit_note, words.corrects.format(number=corrects_number)
    return _PAGE.substitute(
        _text(
            language=language,
            title=title.format(number=invoice.number),
            seller=invoice.seller["name"],
            buyer=words.to.format(name=name),
            issued=words.issued_on.format(day=locales.day(language, invoice.issued_on)),
            due=due,
            what=words.what,
            when=words.when,
            seats=words.seats,
            amount=words.amount,
            net=words.net,
            net_amount=locales.money(language, invoice.net_cents, invoice.currency),
            tax=words.tax.format(rate=locales.percent(language, invoice.tax_bps), country=invoice.tax_country),
            tax_amount=locales.money(language, invoice.tax_cents, invoice.currency),
            total=words.total,
            gross_amount=locales.money(language, invoice.gross_cents, invoice.currency),
        ),
        lines="".join(_line(language, line, invoice.currency) for line in invoice.lines),
    )


def _line(language: str, line: Line, currency: str) -> str:
    return _LINE.substitute(
        _text(
            what=line.description,
            when=locales.day_and_time(language, datetime.fromisoformat(line.starts_at)),
            seats=str(line.seats),
            price=locales.money(language, line.list_cents, currency),
            discount=WORDS[language].discount,
            discount_amount=locales.money(language, line.discount_cents, currency),
        )
    )


def _text(**values: str) -> dict[str, str]:
    """Whatever they hold, text and never tags."""
    return {name: html.escape(value) for name, value in values.items()}
