-- events.count_seats_left: return how many seats of an event a newcomer can take, expired holds included. Null: no
-- limit.
--
-- A booking expires overdue holds itself, so their seats are on sale. Offers are an exception, and so are all overdue
-- holds while somebody waits: the seats may go to the waitlist, which the job of each minute decides. After the
-- waitlist has ended there is no exception.
--
-- Security definer, because callers may not see other people's holds.

create or replace function events.count_seats_left(inventory events.inventory)
returns integer
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return events.seats_on_sale(count_seats_left.inventory) + case
        when (count_seats_left.inventory).held = 0 then 0
        else (
            select coalesce(sum(h.seats), 0)
            from events.holds as h
            where
                h.event_id = (count_seats_left.inventory).event_id
                and h.status = 'active'
                and h.expires_at <= statement_timestamp()
                and (
                    ((count_seats_left.inventory).waitlisted = 0 and h.purpose <> 'offer')
                    or events.offers_have_ended(h.event_id)
                )
        )
    end;
end;
$$;

comment on function events.count_seats_left(events.inventory) is
'Return how many seats of an event a newcomer can take, expired holds included. Null: no limit.';

grant execute on function events.count_seats_left(events.inventory) to app_read;
