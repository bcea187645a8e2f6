"""Test that the concurrency test detects overselling, with a naive booking that reads and then writes."""

from tests.kit import stages
from tests.kit.concurrency import outcomes, run_together

NAIVE = """
create schema naive;
create table naive.events (id int primary key, capacity int not null, taken int not null);
create table naive.bookings (event_id int not null, customer_id uuid not null);
insert into naive.events values (1, 5, 0);
create function naive.book(customer_id uuid) returns void language plpgsql as $$
begin
    if (select e.taken >= e.capacity from naive.events as e where e.id = 1) then
        raise exception using errcode = 'PT409', message = 'sold_out';
    end if;
    perform pg_sleep(0.02);
    insert into naive.bookings values (1, book.customer_id);
    update naive.events set taken = taken + 1 where id = 1;
end $$;
"""


def test_concurrent_booking_test_detects_a_naive_routine_that_oversells(db, connect):
    db.execute(NAIVE)
    people = stages.create(db).customers(25)

    results = run_together(connect, people, lambda c, who: c.execute("select naive.book(%s)", [who]) and None)

    assert outcomes(results)["booked"] > 5
    sold = db.execute("select count(*) as n from naive.bookings").fetchone()["n"]
    assert sold > 5
