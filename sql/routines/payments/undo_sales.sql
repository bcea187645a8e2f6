-- payments.undo_sales: give back the prices of bookings that were cancelled, and stop payments that have not come yet.
--
-- amounts_cents says how much of each goes back (null: all), never more than what is left of it. Once per booking and
-- cause. The caller holds the events' locks. Internal.

create or replace function payments.undo_sales(
    booking_ids uuid[], cause text, destination text default null, amounts_cents bigint[] default null
)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
    sold_ids uuid[];
    rests bigint[];
begin
    perform payments.stop_payments(undo_sales.booking_ids);

    select array_agg(s.booking_id), array_agg(least(s.amount_cents - s.refunded_cents, w.amount_cents))
    into sold_ids, rests
    from unnest(undo_sales.booking_ids, undo_sales.amounts_cents) as w (booking_id, amount_cents)
    inner join payments.sales as s on s.booking_id = w.booking_id;

    if sold_ids is not null then
        perform payments.refund_bookings(sold_ids, undo_sales.cause, undo_sales.destination, rests);
    end if;
end;
$$;

comment on function payments.undo_sales(uuid[], text, text, bigint[]) is
'Give back the prices of bookings that were cancelled, and stop payments that have not come yet.';
