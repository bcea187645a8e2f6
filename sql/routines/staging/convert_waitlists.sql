-- staging.convert_waitlists: convert waits of the export to waitlist entries, with their ids, in the order of their
-- positions.
--
-- They follow the existing entries of the event. Two waits of one customer for one class become one entry: the first is
-- kept. An existing entry stays as it is. Sends no messages. Locks the inventories of the events, in id order.

create or replace function staging.convert_waitlists()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
begin
    drop table if exists pg_temp.waits;
    create temporary table waits on commit drop as
    select p.*
    from staging.parsed_waitlists as p;
    create unique index on pg_temp.waits (line);
    analyze pg_temp.waits;

    -- Lock before looking for existing rows: others may write them while this waits.
    perform
    from events.inventory as i
    where i.event_id in (select p.event_id from pg_temp.waits as p where p.reason is null)
    order by i.event_id
    for no key update;

    update pg_temp.waits as r
    set reason = 'the customer waits for this class already'
    from (
        select
            p.line,
            row_number() over (
                partition by p.event_id, p.customer_id order by p.position nulls last, p.joined_at, p.line
            ) as number,
            w.id is not null as has_entry
        from pg_temp.waits as p
        left join events.waitlist_entries as w
            on
                w.event_id = p.event_id
                and w.customer_id = p.customer_id
                and w.status in ('waiting', 'offered')
        where p.reason is null and not p.is_there and p.status = 'waiting'
    ) as d
    where r.line = d.line and (d.has_entry or d.number > 1);

    perform staging.make_people(
        array_agg(p.customer_id order by p.line), array_agg(p.customer_email order by p.line),
        array_agg(p.customer_name order by p.line)
    )
    from pg_temp.waits as p
    where p.reason is null and not p.is_there;

    insert into events.waitlist_entries (
        id, event_id, customer_id, seats, place, status, status_reason, booking_id, joined_at
    )
    select
        p.id, p.event_id, p.customer_id, p.seats,
        coalesce((select max(w.place) from events.waitlist_entries as w where w.event_id = p.event_id), 0)
        + row_number() over (partition by p.event_id order by p.position nulls last, p.joined_at, p.line),
        p.status, 'It was imported.', case when p.status = 'accepted' then p.booking_id end, p.joined_at
    from pg_temp.waits as p
    where p.reason is null and not p.is_there;

    insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'waitlists', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.waits as p;
end;
$$;

comment on function staging.convert_waitlists() is
'Convert waits of the export to waitlist entries, with their ids, in the order of their positions.';
