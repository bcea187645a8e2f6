-- Holds and offers keep the price of a seat, unpaid bookings name the hold that they used, and a permanent refusal by
-- Stripe returns it.

alter table events.holds
add column price_cents bigint constraint held_price_is_not_negative check (price_cents >= 0),
add column replaces_id uuid;

comment on column events.holds.price_cents is
'The price of one seat when it was held. It applies until the hold expires. Null for seats of an unpaid booking.';
comment on column events.holds.replaces_id is
'Of an unpaid booking: the consumed hold or offer whose seats it reserves.';

insert into ops.transitions (machine, from_state, to_state)
values
-- Stripe refused the payment of the booking that had used them.
('hold', 'consumed', 'active'),
('waitlist', 'accepted', 'offered');

insert into ops.retention (table_name, column_name, kind, on_erasure)
values ('events.holds', 'replaces_id', 'code', 'keep');
