-- events.spent_cents: return a booking's revenue: its price while it stands, and fees for cancellation or absence.

create or replace function events.spent_cents(status events.booking_status, price_cents bigint, fee_cents bigint)
returns bigint
language sql
immutable
parallel safe
return case
    when spent_cents.status in ('confirmed', 'attended', 'no_show') then spent_cents.price_cents + spent_cents.fee_cents
    when spent_cents.status = 'cancelled' then spent_cents.fee_cents
    else 0
end;

comment on function events.spent_cents(events.booking_status, bigint, bigint) is
'Return a booking''s revenue: its price while it stands, and its fees.';

grant execute on function events.spent_cents(events.booking_status, bigint, bigint) to app_read;
