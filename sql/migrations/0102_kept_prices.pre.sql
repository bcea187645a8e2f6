-- Holds and offers keep the price of a seat, unpaid bookings name the hold that they used, and a permanent refusal by
-- Stripe returns it.

alter table events.holds
add column price_cents bigint,
add column replaces_id uuid;

alter table events.holds add constraint held_price_is_not_negative check (price_cents >= 0) not valid;
alter table events.holds validate constraint held_price_is_not_negative;

comment on column events.holds.price_cents is
'The price of one seat when it was held. It applies until the hold expires. Null for seats of an unpaid booking.';
comment on column events.holds.replaces_id is
'Of an unpaid booking: the consumed hold or offer whose seats it reserves.';

insert into ops.transitions (machine, from_state, to_state)
values
-- Stripe refused the payment of the booking that had used them.
('hold', 'consumed', 'active'),
('waitlist', 'accepted', 'offered');

-- These take the total that the customer saw.
drop function if exists events.book(uuid, integer, events.payment_method, uuid, boolean, uuid, text, text);
drop function if exists events.accept_offer(uuid, events.payment_method, text, text);
drop function if exists events.hold_seats(uuid, integer, uuid);
drop function if exists events.booking_request_hash(
    uuid, integer, boolean, events.payment_method, uuid, uuid, text
);
drop function if exists payments.buy_package(uuid, events.payment_method, text);
drop function if exists payments.record_fee_payment(uuid);

-- These take a list price, which held seats keep, the hold that an unpaid booking used, whether to send a
-- message, and whether to return the first response.
drop function if exists payments.quote_seats(events.terms, uuid, integer, text);
drop function if exists events.hold_until_paid(events.terms, uuid, integer, uuid);
drop function if exists payments.refuse_intent(uuid, jsonb);
drop function if exists payments.payment_details(uuid);
