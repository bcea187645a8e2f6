-- payments.return_passes: return units to the passes that bookings used, the last-expiring first.
--
-- Each booking gets back the given number of units, or all of them if `units` is null, and never more than it used.
-- Repeating it with null changes nothing. A pass that has expired receives its units too, and they expire with it. When
-- the organizer cancelled, the returned units stay usable for 30 days instead (payments.return_to_lots). The caller
-- lets the units pay debts first (payments.recover_returned_credits).
--
-- Locks the passes in id order, after the events' inventories. Internal.

create or replace function payments.return_passes(booking_ids uuid[], units bigint[], by_organizer boolean)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_lot_ids uuid[];
    the_units bigint[];
begin
    perform
    from payments.credit_lots as l
    where
        l.kind = 'pass'
        and l.id in (
            select u.lot_id
            from payments.credit_uses as u
            where u.booking_id = any (return_passes.booking_ids) and u.purpose = 'price'
        )
    order by l.id
    for no key update;

    with used as (
        select
            u.booking_id,
            u.lot_id,
            u.amount - u.returned as open,
            coalesce(w.units, u.amount) as units,
            sum(u.amount - u.returned) over (
                partition by u.booking_id order by l.expires_at desc, l.id desc
            ) - (u.amount - u.returned) as earlier
        from unnest(return_passes.booking_ids, return_passes.units) as w (booking_id, units)
        inner join payments.credit_uses as u on u.booking_id = w.booking_id and u.purpose = 'price'
        inner join payments.credit_lots as l on l.id = u.lot_id and l.kind = 'pass'
        where u.amount > u.returned
    ),
    due as (
        select
            u.booking_id, u.lot_id,
            case when return_passes.units is null then u.open else least(u.open, u.units - u.earlier) end as amount
        from used as u
        where return_passes.units is null or u.earlier < u.units
    ),
    noted as (
        update payments.credit_uses as u
        set returned = u.returned + d.amount
        from due as d
        where u.booking_id = d.booking_id and u.lot_id = d.lot_id and u.purpose = 'price'
    )

    select array_agg(d.lot_id), array_agg(d.amount) into the_lot_ids, the_units
    from due as d;

    perform payments.return_to_lots(the_lot_ids, the_units, prolonged => return_passes.by_organizer);
end;
$$;

comment on function payments.return_passes(uuid[], bigint[], boolean) is
'Return units to the passes that bookings used, the last-expiring first.';
