-- events.refuse_sold_out: refuse because too few seats are left, and report whether the waitlist is open.
--
-- Refuses, always: 409 sold_out, with seats_left and waitlist.

create or replace function events.refuse_sold_out(event_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    seats_left integer;
    waitlist boolean;
begin
    select i.capacity - i.taken - i.held, t.last_offer_at > statement_timestamp() and t.status = 'scheduled'
    into seats_left, waitlist
    from events.inventory as i
    inner join events.terms as t on t.event_id = i.event_id
    where i.event_id = refuse_sold_out.event_id;

    raise exception using errcode = 'PT409', message = 'sold_out',
        detail = jsonb_build_object('seats_left', greatest(seats_left, 0), 'waitlist', waitlist)::text;
end;
$$;

comment on function events.refuse_sold_out(uuid) is
'Refuse with sold_out, the number of seats left, and whether the waitlist is open.';
