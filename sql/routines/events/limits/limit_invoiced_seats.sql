-- events.limit_invoiced_seats: refuse more seats by invoice than a person may have unpaid, at all events together.
--
-- Counts seats of upcoming events that the person booked themselves and whose invoice is open. A paid or fully credited
-- invoice does not count, nor does a booking that staff made. Staff of the organization may exceed the maximum.
--
-- The caller holds the person's lock (events.lock_person). Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 too_many_held.

create or replace function events.limit_invoiced_seats(
    terms events.terms, customer_id uuid, seats integer, booked_by uuid
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    seats_max integer := ops.limit_value('invoiced_seats_per_person');
    seats_unpaid integer;
    seats_left integer;
begin
    if
        limit_invoiced_seats.booked_by is distinct from limit_invoiced_seats.customer_id
        or events.is_staff((limit_invoiced_seats.terms).organization_id)
    then
        return;
    end if;

    select coalesce(sum(b.seats), 0) into seats_unpaid
    from (
        -- `offset 0` makes the planner read the person's bookings. It would choose the event's bookings, which it
        -- estimates as equally few.
        select b.id, b.event_id, b.seats
        from events.bookings as b
        where
            b.customer_id = limit_invoiced_seats.customer_id
            and b.booked_by = b.customer_id
            and b.payment_method = 'invoice'
            and b.status = 'confirmed'
        offset 0
    ) as b
    inner join events.terms as t on t.event_id = b.event_id
    where t.ends_at > statement_timestamp() and payments.invoice_is_open(b.id);

    if seats_unpaid + limit_invoiced_seats.seats > seats_max then
        seats_left := greatest(seats_max - seats_unpaid, 0);
        raise exception using errcode = 'PT409', message = 'too_many_held',
            detail = jsonb_build_object(
                'seats_held', seats_unpaid,
                'seats_max', seats_max,
                'seats_left', seats_left,
                'detail', format(
                    'Your unpaid invoices cover %s of at most %s seats. Ask for %s or fewer, or pay an invoice.',
                    seats_unpaid, seats_max, seats_left
                )
            )::text;
    end if;
end;
$$;

comment on function events.limit_invoiced_seats(events.terms, uuid, integer, uuid) is
'Refuse more seats by invoice than a person may have unpaid, at all events together.';
