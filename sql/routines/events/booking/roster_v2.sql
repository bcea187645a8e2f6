-- events.roster_v2: return an event's attendees with all names, for callers who may see them (events.is_door_staff).
--
-- Security definer, because staff may not read customers' profiles otherwise. Returns one page, ordered by booking id.
-- Records the read in the access log.
--
-- Refuses: 403 forbidden, 404 event_not_found.

create or replace function events.roster_v2(event_id uuid, after uuid default null, most integer default 100)
returns table (
    booking_id uuid,
    customer_id uuid,
    name text,
    email text,
    seats smallint,
    guest boolean,
    status events.booking_status,
    payment_method text,
    created_at timestamptz,
    names text[]
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := events.require_door_staff(roster_v2.event_id);
begin
    return query
    with page as materialized (
        select
            b.id, b.customer_id, p.name, users.verified_address(p) as email,
            b.seats::smallint as seats, b.guest, b.status,
            b.payment_method::text as payment_method, b.created_at,
            coalesce(n.names, '{}') as names
        from events.bookings as b
        inner join users.profiles as p on p.id = b.customer_id
        left join events.booking_names as n on n.booking_id = b.id
        where
            b.event_id = roster_v2.event_id
            and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
            and (roster_v2.after is null or b.id > roster_v2.after)
        order by b.id
        limit least(roster_v2.most, 200)
    ),

    recorded as materialized (
        select ops.add_accesses(
            operation => 'roster',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', the_terms.organization_id, 'person', g.customer_id, 'rows', 1
                ))
                from page as g
            ),
            event_id => roster_v2.event_id
        )
    )

    select g.*
    from page as g
    cross join recorded as r
    order by g.id;
end;
$$;

comment on function events.roster_v2(uuid, uuid, integer) is
'Return an event''s attendees, for its staff. One page, ordered by booking id.';

grant execute on function events.roster_v2(uuid, uuid, integer) to authenticated, service_role;
