-- payments.use_passes: pay for a booking with a customer's passes: one unit per seat, first-expiring first.
--
-- Takes only passes that are not frozen and admit to the event: passes without categories, or with the event's category
-- or its parent. Posts nothing, because the organization received the money when the pass was sold. Locks the
-- customer's passes in id order, after the event's inventory; the constraint credits_never_below_zero is the second
-- defence. Internal.
--
-- Refuses: 409 insufficient_credits.

create or replace function payments.use_passes(booking events.bookings)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_lot_ids uuid[];
    the_units bigint;
begin
    perform
    from payments.credit_lots as l
    where
        l.customer_id = (use_passes.booking).customer_id
        and l.organization_id = (use_passes.booking).organization_id
        and l.kind = 'pass'
        and l.remaining > 0
    order by l.id
    for no key update;

    select array_agg(l.id), coalesce(sum(l.remaining), 0)
    into the_lot_ids, the_units
    from payments.usable_passes(
        (use_passes.booking).customer_id, (use_passes.booking).organization_id, (use_passes.booking).event_id
    ) as l;

    if the_units < (use_passes.booking).seats then
        raise exception using errcode = 'PT409', message = 'insufficient_credits',
            detail = jsonb_build_object('units', the_units, 'needed', (use_passes.booking).seats)::text;
    end if;

    with fitting as (
        select
            l.id, l.remaining,
            sum(l.remaining) over (order by l.expires_at, l.id) - l.remaining as earlier
        from payments.credit_lots as l
        where l.id = any (the_lot_ids)
    ),
    taken as (
        update payments.credit_lots as l
        set remaining = l.remaining - least(f.remaining, (use_passes.booking).seats - f.earlier)
        from fitting as f
        where l.id = f.id and f.earlier < (use_passes.booking).seats
        returning l.id, least(f.remaining, (use_passes.booking).seats - f.earlier) as amount
    )

    insert into payments.credit_uses (booking_id, lot_id, purpose, amount)
    select (use_passes.booking).id, t.id, 'price', t.amount
    from taken as t;
end;
$$;

comment on function payments.use_passes(events.bookings) is
'Pay for a booking with a customer''s passes: one unit per seat, first-expiring first.';
