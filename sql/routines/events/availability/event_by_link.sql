-- events.event_by_link: return the details of the event of a secret link, also of a private one.
--
-- The secret is the proof. `booking_open` says whether the link can book it now. Locks nothing.
--
-- Refuses: 404 event_not_found, also for a revoked link and a draft.

create or replace function events.event_by_link(secret_hash bytea)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms
    from events.access_links as l
    inner join events.terms as t on t.event_id = l.event_id
    where l.secret_hash = event_by_link.secret_hash and l.revoked_at is null and t.status <> 'draft';

    if not found then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;
    -- To the holder of the link the event is as open as a public one.
    the_terms.visibility := 'public';
    return (
        select to_jsonb(d) || jsonb_build_object('booking_open', events.open_to_everybody(the_terms))
        from events.event_details as d
        where d.id = the_terms.event_id and d.starts_at = the_terms.starts_at
    );
end;
$$;

comment on function events.event_by_link(bytea) is
'Return the details of the event of a secret link, also of a private one.';

grant execute on function events.event_by_link(bytea) to anon, authenticated, service_role;
