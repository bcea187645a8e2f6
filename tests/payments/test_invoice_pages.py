"""Invoice pages: all texts in each language, with the data of the issued invoice."""

import re
from dataclasses import asdict

import jinja2
import pytest

from marquee.core import locales
from marquee.payments import invoice_pages
from tests.kit.sample_invoices import a_credit_note, an_invoice

pytestmark = pytest.mark.usefixtures("sockets_off")

INVOICES = {
    "en": [
        "Invoice 7", "Lakeside Studio To: Ana", "Issued on Monday, 3 March 2031. Due by Monday, 17 March 2031.",
        "Description Date Places Amount", "Yoga & tea Wednesday, 5 March 2031, 18:30 2 CHF 1,234.50",
        "Discount CHF 34.50",
        "Net amount CHF 1,110.08", "Tax 8.1% (CH) CHF 89.92", "Total CHF 1,200.00",
    ],
    "de": [
        "Rechnung 7", "Lakeside Studio An: Ana",
        "Ausgestellt am Montag, 3. März 2031. Zahlbar bis Montag, 17. März 2031.",
        "Bezeichnung Termin Plätze Betrag", "Yoga & tea Mittwoch, 5. März 2031, 18:30 2 1.234,50 CHF",
        "Rabatt 34,50 CHF",
        "Nettobetrag 1.110,08 CHF", "Steuer 8,1 % (CH) 89,92 CHF", "Total 1.200,00 CHF",
    ],
    "fr": [
        "Facture 7", "Lakeside Studio À : Ana",
        "Établie le lundi 3 mars 2031. À payer au plus tard le lundi 17 mars 2031.",
        "Désignation Date Places Montant", "Yoga & tea mercredi 5 mars 2031, 18:30 2 1 234,50 CHF", "Remise 34,50 CHF",
        "Montant hors taxe 1 110,08 CHF", "Taxe 8,1 % (CH) 89,92 CHF", "Total 1 200,00 CHF",
    ],
    "it": [
        "Fattura 7", "Lakeside Studio A: Ana", "Emessa il lunedì 3 marzo 2031. Da pagare entro lunedì 17 marzo 2031.",
        "Descrizione Data Posti Importo", "Yoga & tea mercoledì 5 marzo 2031, 18:30 2 1.234,50 CHF", "Sconto 34,50 CHF",
        "Importo netto 1.110,08 CHF", "Imposta 8,1% (CH) 89,92 CHF", "Totale 1.200,00 CHF",
    ],
}  # fmt: skip
CREDIT_NOTES = {
    "en": ("Credit note 8", "Issued on Monday, 3 March 2031. This credit note corrects invoice 7."),
    "de": ("Gutschrift 8", "Ausgestellt am Montag, 3. März 2031. Diese Gutschrift berichtigt die Rechnung 7."),
    "fr": ("Note de crédit 8", "Établie le lundi 3 mars 2031. Cette note de crédit rectifie la facture 7."),
    "it": ("Nota di credito 8", "Emessa il lunedì 3 marzo 2031. Questa nota di credito rettifica la fattura 7."),
}
NAMELESS = {
    "en": "To: (name not provided)",
    "de": "An: (ohne Namensangabe)",
    "fr": "À : (nom non indiqué)",
    "it": "A: (nome non indicato)",
}

every_language = pytest.mark.parametrize("language", sorted(locales.LOCALES))


def read(page):
    """Return the lines of a page without tags, with ordinary spaces in place of special ones."""
    body = page.partition("<body>")[2].replace("&amp;", "&").replace("&#x27;", "'")
    lines = (re.sub(r"(<[^>]*>|[\s\u00a0\u202f])+", " ", line).strip() for line in body.splitlines())
    return [line for line in lines if line]


def test_invoice_pages_exist_in_each_language_of_messages():
    assert invoice_pages.WORDS.keys() == locales.LOCALES.keys()


@every_language
def test_texts_of_each_language_are_complete_with_the_same_placeholders(language):
    words, english = (asdict(invoice_pages.WORDS[each]) for each in (language, "en"))

    assert all(text.strip() for text in words.values())
    assert {name: placeholders(text) for name, text in words.items()} == {
        name: placeholders(text) for name, text in english.items()
    }


def placeholders(text):
    return sorted(re.findall(r"\{(.*?)\}", text))


def test_language_with_a_missing_text_is_refused(tmp_path):
    lines = invoice_pages.PAGES.joinpath("de.toml").read_text(encoding="utf-8").splitlines()
    (tmp_path / "de.toml").write_text("\n".join(lines[1:]), encoding="utf-8")

    with pytest.raises(TypeError, match="invoice"):
        invoice_pages._read(tmp_path / "de.toml")


@every_language
def test_invoice_page_uses_its_language_throughout(language):
    page = invoice_pages.write(an_invoice(), None, language)

    assert f'<html lang="{language}">' in page
    assert f"<title>{INVOICES[language][0]}</title>" in page
    assert read(page) == INVOICES[language]


TAX_NUMBERS = {
    "en": "Tax number CHE1{0}",
    "de": "Steuernummer CHE1{0}",
    "fr": "Numéro fiscal CHE1{0}",
    "it": "Numero fiscale CHE1{0}",
}


@every_language
def test_page_shows_the_address_tax_number_and_note_of_the_seller(language):
    seller = {
        "name": "Studio Ltd", "street": "Lake Road <1>", "postal_code": "8001", "city": "Zurich",
        "phone": "+41445550000", "tax_number": "CHE1{0}", "note": "Thank you & good-bye.",
    }  # fmt: skip
    page = read(invoice_pages.write(an_invoice(seller=seller), None, language))

    assert page[2] == f"Lake Road &lt;1&gt; 8001 Zurich +41445550000 {TAX_NUMBERS[language]}"
    assert page[-1] == "Thank you & good-bye."


@every_language
def test_credit_note_page_uses_its_language_and_names_the_invoice(language):
    page = invoice_pages.write(a_credit_note(), 7, language)

    assert f'<html lang="{language}">' in page
    title, said = CREDIT_NOTES[language]
    assert [read(page)[0], read(page)[2]] == [title, said]
    assert read(page)[3:] == INVOICES[language][3:]


@pytest.mark.parametrize("preferred", ["es", "no"])
def test_page_in_an_unsupported_language_falls_back_to_english(preferred):
    page = invoice_pages.write(an_invoice(), None, preferred)

    assert page == invoice_pages.write(an_invoice(), None, "en")
    assert '<html lang="en">' in page


@every_language
def test_page_shows_issued_names_and_numbers_as_plain_text(language):
    page = invoice_pages.write(
        an_invoice(number=1234567, seller={"name": "<b>{number}</b>"}, buyer={"email": "$total@x.test"}), None, language
    )

    assert "&lt;b&gt;{number}&lt;/b&gt;" in page
    assert "$total@x.test" in page
    assert "1234567" in read(page)[0]


@every_language
def test_hostile_names_and_titles_are_escaped(language):
    hostile = '<script>alert("1")</script>\'&{{ 7 * 7 }}{number}'
    line = {"description": hostile, "starts_at": "2031-03-05 18:30", "seats": 2, "list_cents": 1, "discount_cents": 0}
    page = invoice_pages.write(
        an_invoice(seller={"name": hostile}, buyer={"name": hostile}, tax_country=hostile, lines=[line]), None, language
    )

    assert "<script" not in page
    escaped = "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&#39;&amp;{{ 7 * 7 }}{number}"
    assert page.count(escaped) == 4


@every_language
def test_page_without_a_value_raises(language):
    with pytest.raises(jinja2.UndefinedError, match="name"):
        invoice_pages.write(an_invoice(seller={}), None, language)
    with pytest.raises(ValueError, match="missing"):
        invoice_pages.write(a_credit_note(), None, language)


@every_language
def test_buyer_without_a_name_gets_a_placeholder(language):
    page = invoice_pages.write(an_invoice(buyer={"name": None, "email": None}), None, language)

    assert read(page)[1] == f"Lakeside Studio {NAMELESS[language]}"


@pytest.mark.parametrize(
    ("language", "bps", "written"),
    [("en", 2550, "25.5%"), ("de", 2000, "20 %"), ("fr", 625, "6,25 %"), ("it", 0, "0%")],
)
def test_tax_rate_has_only_the_decimals_that_it_needs(language, bps, written):
    assert locales.percent(language, bps).replace("\N{NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize(
    ("currency", "written"), [("CHF", "1.200,00 CHF"), ("EUR", "1.200,00 €"), ("JPY", "120.000 ¥")]
)
def test_amount_has_the_decimals_of_its_currency(currency, written):
    assert read(invoice_pages.write(an_invoice(currency=currency), None, "de"))[-1] == f"Total {written}"
