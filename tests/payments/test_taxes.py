"""Taxes: by country and date from ref.tax_rates, included or added by custom, equal for each payment method."""

import json

import psycopg
import pytest

from tests.kit import stages
from tests.kit.wallets import PRICE, CreditBookings

METHODS = ("card", "wallet", "invoice")


def quote(db, country, cents, at="2026-06-01", category=None, code=None, organization=None):
    query = """
        select list_cents, discount_cents, net_cents, tax_cents, total_cents, tax_added, tax_bps
        from payments.quote(
            organization_id => %s, customer_id => null, list_cents => %s, currency => 'CHF', tax_country => %s,
            category => %s, promo_code => %s, at => %s::timestamptz
        )
    """
    return db.execute(query, [organization, cents, country, category, code, at]).fetchone()


@pytest.mark.parametrize(
    ("country", "at", "net", "tax", "total"),
    [
        ("CH", "2026-06-01", 9251, 749, 10000),
        ("CH", "2023-12-31", 9285, 715, 10000),
        ("DE", "2026-06-01", 8403, 1597, 10000),
        ("DE", "2020-12-31", 8621, 1379, 10000),
        ("FI", "2026-06-01", 7968, 2032, 10000),
        ("CA", "2026-06-01", 10000, 500, 10500),
        ("CA", "2007-06-01", 10000, 600, 10600),
        ("US", "2026-06-01", 10000, 0, 10000),
    ],
)
def test_tax_is_included_or_added_by_country_at_the_rate_of_the_date(db, country, at, net, tax, total):
    found = quote(db, country, 10000, at)

    assert (found["net_cents"], found["tax_cents"], found["total_cents"]) == (net, tax, total)
    assert found["tax_added"] == (country in ("CA", "US"))


@pytest.mark.parametrize(("at", "tax"), [("2023-12-31T22:59:59Z", 715), ("2023-12-31T23:00:00Z", 749)])
def test_new_tax_rate_starts_at_midnight_in_the_organizations_time_zone(db, at, tax):
    assert quote(db, "CH", 10000, at, organization=stages.create(db).organization_id)["tax_cents"] == tax


def test_tax_of_half_a_cent_is_rounded_up(db):
    assert quote(db, "CA", 10)["tax_cents"] == 1
    assert quote(db, "CA", 9)["tax_cents"] == 0
    assert quote(db, "CA", 30)["tax_cents"] == 2


def test_net_and_tax_add_up_to_the_total_for_each_price_and_country(db):
    wrong = db.execute(
        """
        select c.code, p
        from ref.countries as c
        cross join generate_series(0, 400) as p
        cross join lateral payments.quote(null, null, p, c.currency, c.code) as q
        where
            q.total_cents <> q.net_cents + q.tax_cents
            or q.total_cents <> p + case when q.tax_added then q.tax_cents else 0 end
            or abs(q.tax_cents - q.net_cents * q.tax_bps / 10000.0) > 1
        """
    ).fetchall()

    assert wrong == []


def test_category_with_its_own_tax_rate_is_taxed_at_that_rate(db):
    db.execute("insert into ref.tax_rates values ('DE', 'concert', 700, '2000-01-01')")

    assert quote(db, "DE", 10700, category="concert")["tax_cents"] == 700
    assert quote(db, "DE", 11900, category="yoga")["tax_cents"] == 1900


@pytest.mark.parametrize(
    ("rates", "at", "category", "country", "tax"),
    [
        ([("standard", "2026-03-01", 0)], "2026-02-28T22:59:59Z", None, "CH", 749),
        ([("standard", "2026-03-01", 0)], "2026-02-28T23:00:00Z", None, "CH", 0),
        ([("standard", "2026-03-01", 0)], "2026-06-01", "concert", "CH", 0),
        ([("standard", "2026-03-01", 0)], "2026-06-01", "concert", "DE", 1597),
        ([("standard", "2026-03-01", 0), ("concert", "2026-03-01", 260)], "2026-06-01", "concert", "CH", 253),
        ([("standard", "2026-03-01", 0), ("concert", "2026-03-01", 260)], "2026-06-01", "yoga", "CH", 0),
        ([("standard", "2026-03-01", 0), ("standard", "2026-05-01", None)], "2026-04-01", None, "CH", 0),
        ([("standard", "2026-03-01", 0), ("standard", "2026-05-01", None)], "2026-06-01", None, "CH", 749),
        ([("concert", "2026-03-01", None), ("standard", "2026-03-01", 0)], "2026-06-01", "concert", "CH", 0),
    ],
)  # fmt: skip
def test_own_tax_rate_of_an_organization_replaces_the_countrys_from_its_day(db, rates, at, category, country, tax):
    organization_id = stages.create(db).organization_id
    for of_category, valid_from, rate_bps in rates:
        db.execute(
            "insert into organizations.tax_rates (organization_id, category, valid_from, rate_bps)"
            " values (%s, %s, %s, %s)",
            [organization_id, of_category, valid_from, rate_bps],
        )

    assert quote(db, country, 10000, at, category, organization=organization_id)["tax_cents"] == tax
    assert quote(db, "CH", 10000, at, organization=stages.create(db).organization_id)["tax_cents"] == 749


def test_every_country_has_a_current_tax_rate(db):
    without = db.execute(
        """
        select c.code
        from ref.countries as c
        where not exists (
            select from ref.tax_rates as r
            where r.country = c.code and r.category = 'standard' and r.valid_from <= current_date
        )
        """
    ).fetchall()

    assert without == []


@pytest.mark.parametrize("country", ["CH", "CA"])
def test_tax_is_the_same_for_each_payment_method(db, country):
    """The earlier system added tax for one method and not for another."""
    desk = CreditBookings(db, country=country)
    desk.allow_invoices()
    prices = set()
    for method in METHODS:
        customer = desk.customer()
        desk.give(customer, 2 * PRICE)
        booking = desk.book(customer, method)
        kept = db.execute("select tax_cents, total_cents from payments.quotes where booking_id = %s", [booking["id"]])
        prices.add((booking["price_cents"], *kept.fetchone().values()))
    with pytest.raises(psycopg.Error) as refused:
        desk.book(desk.customer(), None)
    told = json.loads(refused.value.diag.message_detail)
    prices.add((told["price_cents"], told["tax_cents"], told["price_cents"]))

    assert prices == {(10000, 749, 10000) if country == "CH" else (10500, 500, 10500)}


def test_added_tax_goes_to_the_organizer_without_a_platform_share(db):
    desk = CreditBookings(db, country="CA")
    customer = desk.customer()
    desk.give(customer, 10500)

    booking = desk.book(customer, "wallet")

    assert desk.balances() == {"organization receivable": 10500 - 10000, "platform revenue": -500}
    desk.cancel(booking, customer)
    assert desk.balances() == {"organization receivable": 10500, "user credits": -10500}


def test_event_is_taxed_in_the_country_of_its_location(db):
    desk = CreditBookings(db, country="CH")
    (location,) = db.execute(
        """
        insert into organizations.locations (organization_id, name, city, country, time_zone)
        values (%s, 'Over the border', 'Konstanz', 'DE', 'Europe/Berlin')
        returning id
        """,
        [desk.stage.organization_id],
    ).fetchall()
    db.execute("update events.events set location_id = %s", [location["id"]])

    booking = desk.book(desk.customer(), "card")

    kept = db.execute("select tax_country, tax_bps, tax_cents from payments.quotes").fetchone()
    assert kept == {"tax_country": "DE", "tax_bps": 1900, "tax_cents": 1597}
    assert booking["price_cents"] == PRICE


def test_discount_is_deducted_before_tax(db):
    desk = CreditBookings(db, country="CA")
    db.execute(
        "insert into payments.promo_codes (organization_id, code, kind, percent_bps, valid_from)"
        " values (%s, 'HALF', 'percent', 5000, '2020-01-01')",
        [desk.stage.organization_id],
    )

    found = quote(db, "CA", 1000, code="half", organization=desk.stage.organization_id)

    assert (found["discount_cents"], found["net_cents"], found["tax_cents"]) == (500, 500, 25)
