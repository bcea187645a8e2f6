-- events.may_join_waitlist: return whether events.join_waitlist would let a customer wait for so many seats.
--
-- For refusals, after the event proved to be open to the caller. A customer who waits already may wait on. Internal:
-- runs with the rights of the routine that calls it.

create or replace function events.may_join_waitlist(
    terms events.terms, inventory events.inventory, customer_id uuid, seats integer
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        statement_timestamp() < events.offers_end_at(may_join_waitlist.terms)
        and exists (
            select
            from events.waitlist_entries as w
            where
                w.event_id = (may_join_waitlist.terms).event_id
                and w.customer_id = may_join_waitlist.customer_id
                and w.status in ('waiting', 'offered')
        )
    then
        return true;
    end if;

    perform events.require_waitlist(
        may_join_waitlist.terms, may_join_waitlist.inventory, may_join_waitlist.customer_id, may_join_waitlist.seats
    );
    return true;
exception
    when sqlstate 'PT409' then
        return false;
end;
$$;

comment on function events.may_join_waitlist(events.terms, events.inventory, uuid, integer) is
'Return whether events.join_waitlist would let a customer wait for so many seats.';
