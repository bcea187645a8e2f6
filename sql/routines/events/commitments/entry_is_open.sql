-- events.entry_is_open: return whether a waitlist entry can still get seats: it waits, or its offer is open.
--
-- An entry that waits cannot after the waitlist has ended (events.offers_end_at).

create or replace function events.entry_is_open(entry events.waitlist_entries, terms events.terms)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case (entry_is_open.entry).status
        when 'waiting' then statement_timestamp() < events.offers_end_at(entry_is_open.terms)
        when 'offered' then statement_timestamp() < (entry_is_open.entry).offer_expires_at
        else false
    end;
$$;

comment on function events.entry_is_open(events.waitlist_entries, events.terms) is
'Return whether a waitlist entry can still get seats.';
