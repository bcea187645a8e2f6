-- events.refuse_after_no_shows: refuse a customer who did not come too often to book online.
--
-- The event's policy sets the number of no-shows (blocked_after_no_shows) and for how many days each counts
-- (no_shows_within_days, of 24 hours). Counts the caller's bookings at the event's organization that are no-shows and
-- not excused. Staff of the organization and the service may always book. Internal: runs with the rights of the routine
-- that calls it.
--
-- Refuses: 409 too_many_no_shows, with no_shows, days and the time when the customer may book again (again_at).

create or replace function events.refuse_after_no_shows(terms events.terms)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    no_shows_max integer := ((refuse_after_no_shows.terms).policy ->> 'blocked_after_no_shows')::integer;
    days integer := coalesce(((refuse_after_no_shows.terms).policy ->> 'no_shows_within_days')::integer, 90);
    no_shows timestamptz[];
begin
    if no_shows_max is null or events.is_staff((refuse_after_no_shows.terms).organization_id) then
        return;
    end if;

    no_shows := array(
        select t.starts_at
        from events.bookings as b
        inner join events.terms as t on t.event_id = b.event_id
        where
            b.customer_id = ops.caller_id()
            and b.organization_id = (refuse_after_no_shows.terms).organization_id
            and b.status = 'no_show'
            and not b.excused
            and t.starts_at > statement_timestamp() - make_interval(hours => 24 * days)
        order by t.starts_at desc
    );
    if cardinality(no_shows) >= no_shows_max then
        raise exception using errcode = 'PT409', message = 'too_many_no_shows',
            detail = jsonb_build_object(
                'no_shows', cardinality(no_shows),
                'days', days,
                'again_at', no_shows[no_shows_max] + make_interval(hours => 24 * days)
            )::text;
    end if;
end;
$$;

comment on function events.refuse_after_no_shows(events.terms) is
'Refuse a customer who did not come too often to book online.';
