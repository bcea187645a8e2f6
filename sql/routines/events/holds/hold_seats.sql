-- events.hold_seats: hold seats for a customer while they decide.
--
-- A hold reserves seats like a booking, for the organization's online hold time, or its desk hold time if staff hold
-- for a customer. It keeps the seats' price, and never outlives the end of sales. Locks the person, then the event's
-- inventory. A repeated call returns the existing hold with its first expiry.
--
-- Refuses: as events.book does before payment; 409 already_held, for another number of seats;
-- 409 hold_again_later, 409 price_changed, 409 too_many_held, 409 too_many_seats, 422 invalid_request.

create or replace function events.hold_seats(
    event_id uuid, seats integer default 1, customer_id uuid default null, total_cents bigint default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
    the_customer_id uuid;
    the_hold events.holds;
    the_quote payments.quotes;
    for_somebody_else boolean;
begin
    if (hold_seats.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. Ask for a number in this range.'
            )::text;
    end if;

    the_terms := events.bookable_terms(hold_seats.event_id);
    the_customer_id := events.ensure_customer(
        ops.caller_id(), hold_seats.customer_id, the_terms.organization_id
    );
    for_somebody_else := the_customer_id is distinct from ops.caller_id();
    perform events.lock_people(the_customer_id, ops.caller_id());

    perform events.expire_event_holds(hold_seats.event_id);

    select h.* into the_hold
    from events.holds as h
    where
        h.event_id = hold_seats.event_id
        and h.customer_id = the_customer_id
        and h.purpose in ('online', 'desk')
        and h.status = 'active';

    if found and the_hold.seats <> hold_seats.seats then
        raise exception using errcode = 'PT409', message = 'already_held',
            detail = jsonb_build_object('hold_id', the_hold.id, 'seats', the_hold.seats)::text;
    end if;

    if not found then
        perform events.limit_held_seats(
            the_terms, the_customer_id, hold_seats.seats, ops.caller_id(),
            case when for_somebody_else then 'desk' else 'online' end::events.hold_purpose
        );
        perform events.limit_seats(the_terms, the_customer_id, hold_seats.seats, 'hold');
        perform events.require_seats(the_terms, the_customer_id, hold_seats.seats, guest => false);

        insert into events.holds (event_id, customer_id, seats, purpose, expires_at, held_by)
        select
            hold_seats.event_id, the_customer_id, hold_seats.seats,
            case when for_somebody_else then 'desk' else 'online' end::events.hold_purpose,
            least(
                events.sales_end_at(the_terms, events.is_staff(the_terms.organization_id)),
                statement_timestamp() + make_interval(
                    mins => case when for_somebody_else then o.desk_hold_minutes else o.online_hold_minutes end
                )
            ),
            ops.caller_id()
        from organizations.organizations as o
        where o.id = the_terms.organization_id
        returning * into the_hold;
    end if;

    if hold_seats.total_cents is not null then
        the_quote := payments.quote_seats(
            the_terms, the_customer_id, the_hold.seats, list_cents => the_hold.price_cents * the_hold.seats
        );
        perform payments.require_total(
            the_quote, hold_seats.total_cents,
            payments.payment_methods(the_quote, the_terms.event_id, hold_seats.seats)
        );
    end if;
    return events.hold_answer(the_hold, the_terms);
end;
$$;

comment on function events.hold_seats(uuid, integer, uuid, bigint) is
'Hold seats for a customer for some minutes. Returns the hold.';

grant execute on function events.hold_seats(uuid, integer, uuid, bigint) to authenticated, service_role;
