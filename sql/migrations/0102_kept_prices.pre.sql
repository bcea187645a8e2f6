-- Holds and offers keep the prices of their seats, and name the booking that used them: a permanent refusal by Stripe
-- returns them.

alter table events.holds
add column seat_prices_cents bigint[] constraint held_prices_are_not_negative check (
    0 <= all(seat_prices_cents)
),
add column used_by uuid;

comment on column events.holds.seat_prices_cents is
'The price of each seat when it was held. It applies until the hold expires. Null for seats of an unpaid booking.';
comment on column events.holds.used_by is 'The booking that used the hold or offer.';

insert into ops.transitions (machine, from_state, to_state)
values
-- Stripe refused the payment of the booking that had used them.
('hold', 'consumed', 'active'),
('waitlist', 'accepted', 'offered');

insert into ops.retention (table_name, column_name, kind, on_erasure)
values ('events.holds', 'used_by', 'code', 'keep');
