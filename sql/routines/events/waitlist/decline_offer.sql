-- events.decline_offer: leave the waitlist, or say no to an offer; the seats go to the next person at once.
--
-- Locks the event's inventory. Declining or leaving twice answers the same.
--
-- Refuses: 403 forbidden, 404 waitlist_entry_not_found, 409 invalid_transition when the offer was taken.

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

comment on function events.decline_offer(uuid) is 'Leave the waitlist; what was offered goes to the next person.';

grant execute on function events.decline_offer(uuid) to authenticated, service_role;
