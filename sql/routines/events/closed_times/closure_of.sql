-- events.closure_of: return the first closure that closes a place at some time of a period, or null.
--
-- A closed room closes events in it, a closed location all events there, and a closure without both every event.

create or replace function events.closure_of(
    organization_id uuid, location_id uuid, room_id uuid, starts_at timestamptz, ends_at timestamptz
)
returns uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.id
    from events.closures as c
    where
        c.organization_id = closure_of.organization_id
        and c.ended_at is null
        and c.ends_at > closure_of.starts_at
        and c.starts_at < closure_of.ends_at
        and case
            when c.room_id is not null then c.room_id = closure_of.room_id
            when c.location_id is not null then c.location_id = closure_of.location_id
            else true
        end
    order by c.starts_at, c.id
    limit 1;
$$;

comment on function events.closure_of(uuid, uuid, uuid, timestamptz, timestamptz) is
'Return the first closure that closes a place at some time of a period, or null.';
