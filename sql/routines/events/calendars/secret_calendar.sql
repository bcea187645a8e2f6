-- events.secret_calendar: return the calendar entries of the bookings of the person who has this secret address.
--
-- The secret is the proof, because calendar programs send no token. Returns the events from `first` on, cancelled ones
-- included, by start. The access log has no entry, because people read their own bookings.
--
-- Refuses: 404 calendar_not_found, for a secret that is unknown or revoked, and for an erased person.

create or replace function events.secret_calendar(secret_hash bytea, first timestamptz, most integer)
returns table (
    event_id uuid,
    title text,
    description text,
    status text,
    starts_at timestamptz,
    ends_at timestamptz,
    updated_at timestamptz,
    organization_name text,
    instructor_name text,
    location_name text,
    location_address text,
    location_city text,
    sequence bigint,
    booking_id uuid,
    booking_status text,
    seats integer
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_user_id uuid := (
        select a.user_id
        from users.calendar_addresses as a
        inner join users.profiles as p on p.id = a.user_id
        where a.secret_hash = secret_calendar.secret_hash and p.erased_at is null
    );
begin
    if the_user_id is null then
        raise exception using errcode = 'PT404', message = 'calendar_not_found';
    end if;
    return query
    select
        c.event_id, c.title, c.description, c.status::text, c.starts_at, c.ends_at, c.updated_at, c.organization_name,
        c.instructor_name, c.location_name, c.location_address, c.location_city, c.sequence, c.booking_id,
        c.booking_status, c.seats
    from events.booking_calendar_entries as c
    where c.customer_id = the_user_id and c.starts_at >= secret_calendar.first
    order by c.starts_at, c.booking_id
    limit secret_calendar.most;
end;
$$;

comment on function events.secret_calendar(bytea, timestamptz, integer) is
'Return the calendar entries of the bookings of the person who has this secret address.';

grant execute on function events.secret_calendar(bytea, timestamptz, integer) to anon;
