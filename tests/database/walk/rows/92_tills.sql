-- Each organization has a till with a movement and a closed day, and a mark of attendance for each booking.
insert into payments.tills (organization_id, currency)
values (%(organization)s, 'CHF');

insert into payments.till_movements (
    till_id, organization_id, day, kind, method, amount_cents, subject_id, transaction_id
)
select t.id, t.organization_id, current_date, 'booking', 'cash', 900, gen_random_uuid(), p.id
from payments.tills as t
cross join lateral (
    select p.id
    from payments.transactions as p
    inner join payments.entries as e on e.transaction_id = p.id
    inner join payments.accounts as a on a.id = e.account_id
    where a.organization_id = %(organization)s and p.kind = 'wallet.spend'
    order by p.id
    limit 1
) as p
where t.organization_id = %(organization)s;

insert into payments.till_closings (
    id, till_id, organization_id, first_day, day, opening_cents, cash_taken_cents, terminal_taken_cents,
    cash_refunded_cents, terminal_refunded_cents, transferred_cents, expected_cents, counted_cents, difference_cents,
    deposited_cents
)
select gen_random_uuid(), t.id, t.organization_id, current_date, current_date, 0, 900, 0, 0, 0, 0, 900, 900, 0, 900
from payments.tills as t
where t.organization_id = %(organization)s;

insert into events.attendance_marks (booking_id, attended, marked_at, key)
select b.id, true, now(), 'door-1'
from events.bookings as b
where b.organization_id = %(organization)s;

insert into events.booking_names (booking_id, names)
select b.id, array['Ana']
from events.bookings as b
where b.organization_id = %(organization)s;

insert into events.access_links (event_id, secret_hash, code_hash)
select t.event_id, sha256(t.event_id::text::bytea), sha256('code')
from events.terms as t
where t.organization_id = %(organization)s;
