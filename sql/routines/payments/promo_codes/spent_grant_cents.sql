-- payments.spent_grant_cents: return the spent cents of the credits that a booking's promo code granted.
--
-- After the booking ended, the customer has paid for the spent part, so that a later return to the wallet changes
-- nothing.

create or replace function payments.spent_grant_cents(booking_id uuid)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        sum(coalesce(l.spent_cents::bigint, l.amount - l.lapsed - l.remaining)), 0
    )::bigint
    from payments.credit_lots as l
    where l.booking_id = spent_grant_cents.booking_id;
$$;

comment on function payments.spent_grant_cents(uuid) is
'Return the spent cents of the credits that a booking''s promo code granted.';
