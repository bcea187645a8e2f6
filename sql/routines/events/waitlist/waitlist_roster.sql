-- events.waitlist_roster: return an event's waitlist in order, with names, for callers who may see it
-- (events.is_door_staff).
--
-- Returns one page, ordered by place. Records the read in the access log.
--
-- Refuses: 403 forbidden, 404 event_not_found.

create or replace function events.waitlist_roster(event_id uuid, after integer default 0, most integer default 100)
returns table (
    entry_id uuid,
    customer_id uuid,
    name text,
    seats smallint,
    place integer,
    status events.waitlist_status,
    offer_expires_at timestamptz,
    joined_at timestamptz
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := events.require_door_staff(waitlist_roster.event_id);
begin
    return query
    with page as materialized (
        select
            w.id, w.customer_id, p.name, w.seats::smallint as seats, w.place, w.status, w.offer_expires_at, w.joined_at
        from events.waitlist_entries as w
        inner join users.profiles as p on p.id = w.customer_id
        where
            w.event_id = waitlist_roster.event_id
            and w.status in ('waiting', 'offered')
            and w.place > waitlist_roster.after
        order by w.place
        limit least(waitlist_roster.most, 200)
    ),

    recorded as materialized (
        select ops.add_accesses(
            operation => 'waitlist',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', the_terms.organization_id, 'person', g.customer_id, 'rows', 1
                ))
                from page as g
            ),
            event_id => waitlist_roster.event_id
        )
    )

    select g.*
    from page as g
    cross join recorded as r
    order by g.place;
end;
$$;

comment on function events.waitlist_roster(uuid, integer, integer) is
'Return an event''s waitlist in order, for its staff. One page, ordered by place.';

grant execute on function events.waitlist_roster(uuid, integer, integer) to authenticated, service_role;
