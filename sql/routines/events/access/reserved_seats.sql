-- events.reserved_seats: return how many seats of an event are reserved for a customer, by holds and by an offer.
--
-- Seats of an unpaid booking belong to that booking. Exact under the event's lock. Internal: runs with the rights of the
-- routine that calls it. It is written in PL/pgSQL, which caches the plan; an SQL function would not.

create or replace function events.reserved_seats(event_id uuid, customer_id uuid)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(sum(h.seats), 0)::integer
        from events.holds as h
        where
            h.customer_id = reserved_seats.customer_id
            and h.event_id = reserved_seats.event_id
            and h.purpose <> 'payment'
            and h.status = 'active'
            and h.expires_at > statement_timestamp()
    );
end;
$$;

comment on function events.reserved_seats(uuid, uuid) is
'Return how many seats of an event are reserved for a customer, by holds and by an offer.';
