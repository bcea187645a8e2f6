-- events.consume_hold: turn a customer's hold into free seats that only this transaction sees.
--
-- Locks the event's inventory, then the hold. The booking that follows in the same transaction takes the seats.
--
-- Refuses: 409 hold_expired, if the hold has expired, belongs to somebody else or another event, or differs in seats or
-- purpose.

create or replace function events.consume_hold(
    hold_id uuid,
    event_id uuid,
    customer_id uuid,
    seats integer,
    variadic purposes events.hold_purpose[]
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.lock_inventory(consume_hold.event_id);

    update events.holds as h
    set status = 'consumed'
    where
        h.id = consume_hold.hold_id
        and h.event_id = consume_hold.event_id
        and h.customer_id = consume_hold.customer_id
        and h.seats = consume_hold.seats
        and h.purpose = any (consume_hold.purposes)
        and h.status = 'active'
        and h.expires_at > statement_timestamp();

    if not found then
        raise exception using errcode = 'PT409', message = 'hold_expired';
    end if;
end;
$$;

comment on function events.consume_hold(uuid, uuid, uuid, integer, events.hold_purpose[]) is
'Consume a hold, for the booking that follows.';
