-- Customers give seats of a booking back.

alter table events.bookings
add column returned_cents bigint not null default 0;

comment on column events.bookings.returned_cents is
'The refund for seats that were given back, in cents. `price_cents` is the price of the other seats.';
