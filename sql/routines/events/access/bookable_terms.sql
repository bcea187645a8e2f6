-- events.bookable_terms: return an event's terms if the caller may book it, or join its waitlist, now.
--
-- A caller with reserved seats (events.reserved_seats) may book them until sales end, also if the event is private or
-- not open yet. Callers of this routine refuse further seats (events.refuse_closed_event).
--
-- Internal: runs with the rights of the routine that calls it. Locks nothing.
--
-- Refuses: 409 too_many_no_shows, and as events.refuse_closed_event does.

create or replace function events.bookable_terms(event_id uuid)
returns events.terms
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms
    from events.terms as t
    where t.event_id = bookable_terms.event_id;

    if
        not events.open_to_everybody(the_terms)
        and (
            the_terms.status = 'scheduled'
            and not the_terms.archived
            and statement_timestamp() < events.sales_end_at(the_terms, for_staff => false)
            and events.reserved_seats(the_terms.event_id, ops.caller_id()) > 0
        ) is not true
    then
        perform events.refuse_closed_event(the_terms);
    end if;
    perform events.refuse_after_no_shows(the_terms);
    return the_terms;
end;
$$;

comment on function events.bookable_terms(uuid) is
'Return an event''s terms if the caller may book it, or join its waitlist, now.';
