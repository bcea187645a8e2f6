-- Limits on seats that a person waits for, is offered, or has booked by an invoice that is not paid.

insert into ops.limits (name, value, meaning)
values
(
    'waiting_seats_per_person', 40,
    'Seats that a person waits for or is offered, at all events together. An entry wants up to 20.'
),
(
    'invoiced_seats_per_person', 40,
    'Seats of coming events that a person has booked by invoice and not paid, at all events together.'
);

update ops.limits as l
set
    meaning = 'Seats that a person holds or has booked and not paid by card, at all events together. '
    'Offers of a waitlist count against new holds.'
where l.name = 'held_seats_per_person';

alter table events.waitlist_entries add column joined_by uuid;

comment on column events.waitlist_entries.joined_by is
'Who asked for the entry: the customer, or a member of staff. Null for an imported one.';

-- Most entries are by the customer's own hand. The routine of the old code writes none.
update events.waitlist_entries as w
set joined_by = w.customer_id
where w.status in ('waiting', 'offered');

insert into ops.retention (table_name, column_name, kind, on_erasure, reason)
values ('events.waitlist_entries', 'joined_by', 'person', 'keep', 'The order of the waitlist is proved by it.');
