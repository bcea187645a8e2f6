"""Invoices through their doorway: who sees which, as data and as a page, and who marks them paid."""

import pytest

from tests import gateway
from tests.purses import PRICE, Desk


@pytest.fixture
def desk(db):
    desk = Desk(db)
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
    assert mine(Desk(desk.db).stage.owner, **ours).body["items"] == []
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
    assert "It corrects invoice 1." in page.text


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
