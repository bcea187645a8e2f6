"""Routes of invoices: access, data, the page in the customer's language, and marking as paid."""

import pytest

from marquee.core import locales
from tests.kit import gateway, routines
from tests.kit.wallets import PRICE, CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    desk.allow_invoices()
    return desk


def get_invoices(caller, **query):
    return gateway.get("invoices", "/invoices", caller=caller, query=query or None)


def test_customers_see_their_invoices_and_staff_see_their_organizations_invoices(desk):
    customer, other = desk.stage.customers(2)
    desk.book(customer, "invoice")
    desk.book(other, "invoice")
    ours = {"organization_id": str(desk.stage.organization_id)}

    assert [row["number"] for row in get_invoices(customer).body["items"]] == [1]
    assert [row["number"] for row in get_invoices(desk.stage.member("accountant"), **ours).body["items"]] == [2, 1]
    assert [row["number"] for row in get_invoices(customer, **ours).body["items"]] == [1]
    assert get_invoices(CreditBookings(desk.db).stage.owner, **ours).body["items"] == []
    assert get_invoices(desk.stage.owner, **ours, status="overdue").body["items"] == []


def test_invoice_shows_its_booking_lines_and_tax(desk):
    customer = desk.customer()
    booking = desk.book(customer, "invoice", seats=2)
    (listed,) = get_invoices(customer).body["items"]

    invoice = gateway.get("invoices", f"/invoices/{listed['id']}", caller=customer)

    assert invoice.body == listed
    assert (listed["booking_id"], listed["gross_cents"], listed["status"]) == (booking["id"], 2 * PRICE, "open")
    assert listed["net_cents"] + listed["tax_cents"] == 2 * PRICE
    assert listed["lines"][0]["seats"] == 2


def test_invoice_page_is_html_with_escaped_texts(desk):
    customer = desk.stage.customer("<script>alert(1)</script>")
    desk.book(customer, "invoice")
    (listed,) = get_invoices(customer).body["items"]

    page = gateway.get("invoices", f"/invoices/{listed['id']}/page", caller=customer)

    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>Invoice 1</h1>" in page.text
    assert "92.51" in page.text
    assert "100.00" in page.text
    assert "<script>" not in page.text


def test_credit_note_names_the_invoice_that_it_corrects(desk):
    customer = desk.customer()
    desk.cancel(desk.book(customer, "invoice"), customer)
    note, invoice = get_invoices(customer).body["items"]

    page = gateway.get("invoices", f"/invoices/{note['id']}/page", caller=customer)

    assert (note["kind"], note["corrects_id"]) == ("credit_note", invoice["id"])
    assert "Credit note 2" in page.text
    assert "This credit note corrects invoice 1." in page.text


@pytest.mark.parametrize(
    ("language", "spoken", "invoice", "credit_note", "corrects"),
    [
        ("de", "de", "Rechnung 1", "Gutschrift 2", "Diese Gutschrift berichtigt die Rechnung 1."),
        ("en", "en", "Invoice 1", "Credit note 2", "This credit note corrects invoice 1."),
        ("fr", "fr", "Facture 1", "Note de crédit 2", "Cette note de crédit rectifie la facture 1."),
        ("it", "it", "Fattura 1", "Nota di credito 2", "Questa nota di credito rettifica la fattura 1."),
        ("es", "en", "Invoice 1", "Credit note 2", "This credit note corrects invoice 1."),
    ],
)
def test_invoice_page_is_in_the_customers_language_for_each_reader(
    desk, language, spoken, invoice, credit_note, corrects
):
    customer, accountant = desk.customer(), desk.stage.member("accountant")
    set_language(desk, customer, language)
    set_language(desk, accountant, "de" if language == "fr" else "fr")
    desk.cancel(desk.book(customer, "invoice"), customer)

    for listed, said in zip(get_invoices(customer).body["items"], ([credit_note, corrects], [invoice]), strict=True):
        path = f"/invoices/{listed['id']}/page"
        page = gateway.get("invoices", path, caller=customer).text
        assert f'<html lang="{spoken}">' in page
        assert f"<h1>{said[0]}</h1>" in page
        assert said[-1] in page
        for amount in ("net_cents", "tax_cents", "gross_cents"):
            assert locales.money(spoken, listed[amount], "CHF") in page
        assert gateway.get("invoices", path, caller=accountant).text == page


def test_invoice_language_is_hidden_from_other_callers(desk):
    customer, other = desk.stage.customers(2)
    desk.book(customer, "invoice")
    (listed,) = get_invoices(customer).body["items"]
    staff = [desk.stage.member(role) for role in ("accountant", "front_desk", "admin", "owner")]
    asked = [customer, *staff, other, desk.stage.member("viewer"), CreditBookings(desk.db).stage.owner]

    query = "select payments.invoice_language(%s)"
    assert [routines.call(desk.db, caller, query, [listed["id"]]) for caller in asked] == ["en"] * 5 + [None] * 3


def set_language(desk, person, language):
    desk.db.execute("update users.profiles set language = %s where id = %s", [language, person])


def test_invoice_of_another_customer_is_not_found(desk):
    customer, other = desk.stage.customers(2)
    desk.book(customer, "invoice")
    (listed,) = get_invoices(customer).body["items"]

    for path in ("", "/page"):
        assert gateway.get("invoices", f"/invoices/{listed['id']}{path}", caller=other).body["code"] == (
            "invoice_not_found"
        )


def test_accountant_marks_an_invoice_paid_once(desk):
    customer = desk.customer()
    desk.book(customer, "invoice")
    (listed,) = get_invoices(customer).body["items"]
    path = f"/invoices/{listed['id']}/paid"

    refused = gateway.post("invoices", path, None, caller=customer)
    paid = gateway.post("invoices", path, None, caller=desk.stage.member("accountant"))
    again = gateway.post("invoices", path, None, caller=desk.stage.owner)

    assert (refused.status, refused.body["code"]) == (404, "invoice_not_found")
    assert (paid.status, paid.body["status"], paid.body["open_cents"]) == (200, "paid", 0)
    assert again.body == paid.body
