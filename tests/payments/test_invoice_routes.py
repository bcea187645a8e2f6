"""Invoices through their doorway: who sees which, as data and as a page, and who marks them paid."""

import pytest

from marquee.core import locales
from tests.kit import gateway, routines
from tests.kit.wallets import PRICE, CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
        [desk.stage.organization_id],
    )
    return desk


def mine(caller, **query):
    return gateway.get("invoices", "/invoices", caller=caller, query=query or None)


def test_customers_see_their_own_and_staff_their_organizations(desk):
    customer, other = desk.stage.customers(2)
    desk.book(customer, "invoice")
    desk.book(other, "invoice")
    ours = {"organization_id": str(desk.stage.organization_id)}

    assert [row["number"] for row in mine(customer).body["items"]] == [1]
    assert [row["number"] for row in mine(desk.stage.member("accountant"), **ours).body["items"]] == [2, 1]
    assert [row["number"] for row in mine(customer, **ours).body["items"]] == [1]
    assert mine(CreditBookings(desk.db).stage.owner, **ours).body["items"] == []
    assert mine(desk.stage.owner, **ours, status="overdue").body["items"] == []


def test_an_invoice_says_what_for_and_how_much_tax(desk):
    customer = desk.customer()
    booking = desk.book(customer, "invoice", seats=2)
    (listed,) = mine(customer).body["items"]

    invoice = gateway.get("invoices", f"/invoices/{listed['id']}", caller=customer)

    assert invoice.body == listed
    assert (listed["booking_id"], listed["gross_cents"], listed["status"]) == (booking["id"], 2 * PRICE, "open")
    assert listed["net_cents"] + listed["tax_cents"] == 2 * PRICE
    assert listed["lines"][0]["seats"] == 2


def test_an_invoice_can_be_read_and_printed_and_its_texts_are_only_text(desk):
    customer = desk.stage.customer("<script>alert(1)</script>")
    desk.book(customer, "invoice")
    (listed,) = mine(customer).body["items"]

    page = gateway.get("invoices", f"/invoices/{listed['id']}/page", caller=customer)

    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>Invoice 1</h1>" in page.text
    assert "92.51" in page.text
    assert "100.00" in page.text
    assert "<script>" not in page.text


def test_a_credit_note_names_the_invoice_that_it_corrects(desk):
    customer = desk.customer()
    desk.cancel(desk.book(customer, "invoice"), customer)
    note, invoice = mine(customer).body["items"]

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
def test_a_page_speaks_the_language_of_its_customer_to_whoever_reads_it(
    desk, language, spoken, invoice, credit_note, corrects
):
    customer, accountant = desk.customer(), desk.stage.member("accountant")
    speaks(desk, customer, language)
    speaks(desk, accountant, "de" if language == "fr" else "fr")
    desk.cancel(desk.book(customer, "invoice"), customer)

    for listed, said in zip(mine(customer).body["items"], ([credit_note, corrects], [invoice]), strict=True):
        path = f"/invoices/{listed['id']}/page"
        page = gateway.get("invoices", path, caller=customer).text
        assert f'<html lang="{spoken}">' in page
        assert f"<h1>{said[0]}</h1>" in page
        assert said[-1] in page
        for amount in ("net_cents", "tax_cents", "gross_cents"):
            assert locales.money(spoken, listed[amount], "CHF") in page
        assert gateway.get("invoices", path, caller=accountant).text == page


def test_whose_invoice_it_is_not_does_not_learn_its_customers_language(desk):
    customer, other = desk.stage.customers(2)
    desk.book(customer, "invoice")
    (listed,) = mine(customer).body["items"]
    staff = [desk.stage.member(role) for role in ("accountant", "front_desk", "admin", "owner")]
    asked = [customer, *staff, other, desk.stage.member("viewer"), CreditBookings(desk.db).stage.owner]

    query = "select payments.invoice_language(%s)"
    assert [routines.call(desk.db, caller, query, [listed["id"]]) for caller in asked] == ["en"] * 5 + [None] * 3


def speaks(desk, person, language):
    desk.db.execute("update users.profiles set language = %s where id = %s", [language, person])


def test_an_invoice_of_somebody_else_is_not_found(desk):
    customer, other = desk.stage.customers(2)
    desk.book(customer, "invoice")
    (listed,) = mine(customer).body["items"]

    for path in ("", "/page"):
        assert gateway.get("invoices", f"/invoices/{listed['id']}{path}", caller=other).body["code"] == (
            "invoice_not_found"
        )


def test_who_keeps_the_books_marks_an_invoice_paid(desk):
    customer = desk.customer()
    desk.book(customer, "invoice")
    (listed,) = mine(customer).body["items"]
    path = f"/invoices/{listed['id']}/paid"

    refused = gateway.post("invoices", path, None, caller=customer)
    paid = gateway.post("invoices", path, None, caller=desk.stage.member("accountant"))
    again = gateway.post("invoices", path, None, caller=desk.stage.owner)

    assert (refused.status, refused.body["code"]) == (404, "invoice_not_found")
    assert (paid.status, paid.body["status"], paid.body["open_cents"]) == (200, "paid", 0)
    assert again.body == paid.body
