"""Invoices and credit notes as pages to read and print, in the customer's language.

The words of a language are in pages/<language>.toml. Days and amounts follow the language; everything else is printed
as it was issued. English replaces a language without words.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING
from uuid import UUID

from marquee.core import locales, templates
from marquee.core.database import Access, Session
from marquee.core.errors import Refused
from marquee.payments.invoices import Invoice

if TYPE_CHECKING:
    from jinja2 import Environment

HTML = "text/html; charset=utf-8"
PAGES = resources.files(__package__).joinpath("pages")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a page in one language: pages/<language>.toml."""

    invoice: str
    credit_note: str
    to: str
    nameless: str
    tax_number: str
    issued_on: str
    due_on: str
    corrects: str
    description: str
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
"""The languages of the pages, by their codes."""


def of(session: Session, invoice_id: UUID) -> str:
    """Return an invoice that the caller may see as a complete HTML page. Refuses: 404 invoice_not_found."""
    row = session.one(
        """
        select i.*, n.number as corrects_number, payments.invoice_language(i.id) as language
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
    """Return the page in the preferred language; `corrects_number` is the number of the invoice that it corrects."""
    language = preferred if preferred in WORDS else locales.FALLBACK
    words = WORDS[language]
    return (
        _environment()
        .get_template("invoice.html")
        .render(
            language=language,
            words=words,
            invoice=invoice,
            buyer=invoice.buyer.get("name") or invoice.buyer.get("email") or words.nameless,
            address=_address(invoice, words),
            corrects_number=corrects_number,
        )
    )


def _address(invoice: Invoice, words: Words) -> list[str]:
    """Return the lines below the seller's name: street, town, how to reach them, tax number."""
    seller = invoice.seller
    town = " ".join(str(seller[name]) for name in ("postal_code", "city") if name in seller)
    number = words.tax_number.format(number=seller["tax_number"]) if "tax_number" in seller else None
    lines = (seller.get("street"), town, seller.get("email"), seller.get("phone"), number)
    return [str(line) for line in lines if line]


@functools.cache
def _environment() -> "Environment":
    return templates.environment(__package__, PAGES.name, is_html=True, filters={"local_time": _local_time})


def _local_time(language: str, text: str) -> str:
    return locales.day_and_time(language, datetime.fromisoformat(text))
