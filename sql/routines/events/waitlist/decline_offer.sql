-- events.decline_offer: leave the waitlist or decline an offer, and offer the seats to the next person.
--
-- Locks the event's inventory. A repeated call returns the same response.
--
-- Refuses: 403 forbidden, 404 waitlist_entry_not_found, 409 invalid_transition if the offer was accepted.

create or replace function events.decline_offer(entry_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry events.waitlist_entries := events.callers_entry(decline_offer.entry_id);
begin
    perform users.refuse_erased();
    if the_entry.status not in ('left', 'expired') then
        perform events.close_entry(the_entry, 'left', 'The customer left.');
        perform events.offer_seats(the_entry.event_id);
    end if;
    return events.waitlist_answer(the_entry.id);
end;
$$;

comment on function events.decline_offer(uuid) is
'Leave the waitlist or decline an offer, and offer the seats to the next person.';

grant execute on function events.decline_offer(uuid) to authenticated, service_role;
