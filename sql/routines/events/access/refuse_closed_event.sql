-- events.refuse_closed_event: refuse to book an event that is closed to the caller, and report the reason.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- A valid link or code of the event opens a private one (events.has_access). Staff see private events and drafts, and
-- may book outside the sales window until the event has ended.
--
-- Refuses: 404 event_not_found, 409 organization_archived, 409 event_not_bookable, 409 booking_window_closed.

create or replace function events.refuse_closed_event(terms events.terms)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := refuse_closed_event.terms;
    is_staff boolean := events.is_staff(the_terms.organization_id);
    ends_at timestamptz := events.sales_end_at(the_terms, is_staff);
begin
    if
        the_terms.event_id is null
        or (
            (
                the_terms.status = 'draft'
                or (the_terms.visibility <> 'public' and not events.has_access(the_terms.event_id))
            )
            and not is_staff
        )
    then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

    if the_terms.archived then
        raise exception using errcode = 'PT409', message = 'organization_archived';
    end if;

    if the_terms.status <> 'scheduled' then
        raise exception using errcode = 'PT409', message = 'event_not_bookable',
            detail = jsonb_build_object('status', the_terms.status)::text;
    end if;

    if
        statement_timestamp() >= ends_at
        or (statement_timestamp() < the_terms.opens_at and not is_staff)
    then
        raise exception using errcode = 'PT409', message = 'booking_window_closed',
            detail = jsonb_build_object('opens_at', the_terms.opens_at, 'closes_at', ends_at)::text;
    end if;
end;
$$;

comment on function events.refuse_closed_event(events.terms) is
'Refuse to book an event that is closed to the caller, and report the reason.';
