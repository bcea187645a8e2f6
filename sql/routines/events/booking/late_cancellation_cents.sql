-- events.late_cancellation_cents: return the cost of cancelling a confirmed booking late, in cents.
--
-- Of a price in money, the policy's late_refund_percent is refunded, but at least late_fee_cents are kept, at most the
-- price. A booking without a price costs late_fee_cents, except complimentary seats, and passes whose units are lost.
-- Policies that were copied before late_refund_percent existed refund the price less the fee. Internal.

create or replace function events.late_cancellation_cents(booking events.bookings)
returns bigint
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select
        case
            when b.price_cents > 0
                then greatest(
                    round(
                        b.price_cents * (100 - coalesce((b.policy ->> 'late_refund_percent')::integer, 100)) / 100.0
                    )::bigint,
                    least(b.price_cents, l.fee_cents)
                )
            when b.payment_method = 'comp' then 0
            when b.payment_method = 'pass' and coalesce((b.policy ->> 'late_credit_lost')::boolean, true) then 0
            else l.fee_cents
        end
    from (select (late_cancellation_cents.booking).*) as b
    cross join lateral (select coalesce((b.policy ->> 'late_fee_cents')::bigint, 0) as fee_cents) as l;
$$;

comment on function events.late_cancellation_cents(events.bookings) is
'Return the cost of cancelling a confirmed booking late, in cents.';
