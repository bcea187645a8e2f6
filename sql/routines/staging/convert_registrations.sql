-- staging.convert_registrations: convert class registrations to bookings, with their ids.
--
-- Two live registrations of one customer for one class become one booking: the earlier is kept. When a class has too
-- few seats, the later registrations are rejected, so that no class is oversold. An existing booking stays as it is.
-- Sends no messages. Locks the inventories of the events, in id order.

create or replace function staging.convert_registrations()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    the_event record;
    the_row record;
    seats_free integer;
begin
    drop table if exists pg_temp.registrations;
    create temporary table registrations on commit drop as
    select p.*
    from staging.parsed_registrations as p;
    create unique index on pg_temp.registrations (line);
    create index on pg_temp.registrations (event_id, customer_id);
    analyze pg_temp.registrations;

    -- Imported registrations may take seats although others wait, because they are older. This setting allows it
    -- (events.may_skip_waitlist).
    perform set_config('events.inventory_locked', 'yes', true);
    -- Lock before looking for existing rows: others may write them while this waits.
    perform
    from events.inventory as i
    where i.event_id in (select p.event_id from pg_temp.registrations as p where p.reason is null)
    order by i.event_id
    for no key update;

    update pg_temp.registrations as r
    set
        reason = format(
            'the customer has a registration of this class already%s',
            case when d.first_line <> d.line then format(' (line %s)', d.first_line) end
        )
    from (
        select
            p.line,
            first_value(p.line) over (
                partition by p.event_id, p.customer_id order by p.registered_at, p.line
            ) as first_line,
            b.id is not null as has_booking
        from pg_temp.registrations as p
        left join events.bookings as b
            on
                b.event_id = p.event_id
                and b.customer_id = p.customer_id
                and not b.guest
                and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
        where p.reason is null and not p.is_there and p.is_live
    ) as d
    where r.line = d.line and (d.has_booking or d.first_line <> d.line);

    -- Imported registrations may take seats that are set aside for others, because they are older. This setting allows
    -- it (events.may_take_set_aside).
    perform set_config('events.older_bookings', 'yes', true);

    for the_event in
        select i.event_id, i.capacity, i.taken, i.held
        from events.inventory as i
        inner join (
            select p.event_id, sum(p.seats) as seats
            from pg_temp.registrations as p
            where p.reason is null and p.is_live and not p.is_there
            group by p.event_id
        ) as n on n.event_id = i.event_id
        where i.taken + i.held + n.seats > i.capacity
        order by i.event_id
    loop
        seats_free := the_event.capacity - the_event.taken - the_event.held;
        for the_row in
            select p.line, p.seats
            from pg_temp.registrations as p
            where p.event_id = the_event.event_id and p.reason is null and p.is_live and not p.is_there
            order by p.registered_at, p.line
        loop
            if the_row.seats <= seats_free then
                seats_free := seats_free - the_row.seats;
            else
                update pg_temp.registrations as r
                set reason = format('the class is full: its capacity is %s', the_event.capacity)
                where r.line = the_row.line;
            end if;
        end loop;
    end loop;

    perform staging.make_people(
        array_agg(p.customer_id order by p.line), array_agg(p.customer_email order by p.line),
        array_agg(p.customer_name order by p.line)
    )
    from pg_temp.registrations as p
    where p.reason is null and not p.is_there;

    insert into events.bookings (
        id, event_id, organization_id, customer_id, seats, status, status_reason, payment_method, price_cents, currency,
        policy, created_at, cancelled_at
    )
    select
        p.id, p.event_id, p.organization_id, p.customer_id, p.seats, p.status, 'It was imported.', p.payment_method,
        p.price_cents, p.currency, p.policy, p.registered_at, p.cancelled_at
    from pg_temp.registrations as p
    where p.reason is null and not p.is_there
    order by p.event_id, p.registered_at, p.line;

    insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'class_registrations', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.registrations as p;
end;
$$;

comment on function staging.convert_registrations() is 'Convert class registrations to bookings, with their ids.';
