-- events.reserved_seats: return how many seats of an event are reserved for a customer, by holds and by an offer.
--
-- Seats of an unpaid booking belong to that booking. `named_hold_id` is a hold that must be among them, or null. Exact
-- under the event's lock. Internal: runs with the rights of the routine that calls it. It is written in PL/pgSQL, which
-- caches the plan; an SQL function would not.
--
-- Refuses: 409 hold_expired, if the named hold has expired, or belongs to somebody else or another event.

create or replace function events.reserved_seats(event_id uuid, customer_id uuid, named_hold_id uuid default null)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    seats integer;
    is_named boolean;
begin
    select coalesce(sum(h.seats), 0), bool_or(h.id = reserved_seats.named_hold_id)
    into seats, is_named
    from events.holds as h
    where
        h.customer_id = reserved_seats.customer_id
        and h.event_id = reserved_seats.event_id
        and h.purpose <> 'payment'
        and h.status = 'active'
        and h.expires_at > statement_timestamp();

    if reserved_seats.named_hold_id is not null and is_named is not true then
        raise exception using errcode = 'PT409', message = 'hold_expired';
    end if;
    return seats;
end;
$$;

comment on function events.reserved_seats(uuid, uuid, uuid) is
'Return how many seats of an event are reserved for a customer, by holds and by an offer.';
