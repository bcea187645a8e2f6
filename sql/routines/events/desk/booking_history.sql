-- events.booking_history: return the changes and the movements of money of a booking, in the order of their time.
--
-- For its customer, and for staff of the organization who may see bookings. Each entry is {"at", "kind", "from", "to",
-- "amount_cents", "method", "actor", "actor_id", "reason"}. `actor` is customer, staff or system; only staff see the
-- staff member's id. Staff's read is recorded in the access log.
--
-- Refuses: 404 booking_not_found.

create or replace function events.booking_history(booking_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    is_staff boolean;
    entries jsonb;
begin
    perform users.refuse_erased();
    select b.* into the_booking from events.bookings as b where b.id = booking_history.booking_id;
    is_staff := found and organizations.caller_is(
        the_booking.organization_id, 'front_desk', 'accountant', 'viewer', 'editor', 'admin', 'owner'
    );
    if the_booking.id is null or (the_booking.customer_id = ops.caller_id() or is_staff) is not true then
        raise exception using errcode = 'PT404', message = 'booking_not_found';
    end if;

    select jsonb_agg(
        jsonb_build_object(
            'at', h.at,
            'kind', h.kind,
            'from', h.from_state,
            'to', h.to_state,
            'amount_cents', h.amount_cents,
            'method', h.method,
            'actor', case
                when h.actor_id is null then 'system'
                when h.actor_id = the_booking.customer_id then 'customer'
                else 'staff'
            end,
            'actor_id', case when is_staff or h.actor_id = the_booking.customer_id then h.actor_id end,
            'reason', h.reason
        )
        order by h.at, h.place
    ) into entries
    from (
        select
            the_booking.created_at as at, 1 as place, 'booked' as kind, null as from_state,
            coalesce(
                (
                    select s.from_state
                    from ops.state_history as s
                    where s.subject_id = the_booking.id and s.machine = 'booking'
                    order by s.id
                    limit 1
                ),
                the_booking.status::text
            ) as to_state,
            the_booking.price_cents::bigint as amount_cents, the_booking.payment_method::text as method,
            the_booking.booked_by as actor_id, null as reason
        union all
        select s.changed_at, 3, 'status', s.from_state, s.to_state, null, null, s.actor_id, s.reason
        from ops.state_history as s
        where s.subject_id = the_booking.id and s.machine = 'booking'
        union all
        select s.sold_at, 2, 'sold', null, null, s.amount_cents::bigint, s.method::text, null, null
        from payments.sales as s
        where s.booking_id = the_booking.id
        union all
        select
            coalesce(r.settled_at, r.created_at), 4, 'refund', null, r.status::text, r.amount_cents, r.destination,
            null, r.status_reason
        from payments.refunds as r
        where r.booking_id = the_booking.id
        union all
        select f.charged_at, 4, 'fee', null, 'owed', f.amount_cents::bigint, null, null, null
        from payments.fees as f
        where f.booking_id = the_booking.id
        union all
        select
            coalesce(f.taken_back_at, f.paid_at), 5, 'fee', 'owed',
            case when f.taken_back_at is not null then 'taken_back' else 'paid' end, f.amount_cents::bigint, null,
            f.settled_by, f.reason
        from payments.fees as f
        where f.booking_id = the_booking.id and (f.taken_back_at is not null or f.paid_at is not null)
        union all
        select p.paid_at, 5, 'invoice', 'open', 'paid', p.amount_cents::bigint, null, p.recorded_by, null
        from payments.invoices as i
        inner join payments.invoice_payments as p on p.invoice_id = i.id
        where i.booking_id = the_booking.id
    ) as h;

    perform ops.add_accesses(
        operation => 'booking_history',
        read => jsonb_build_array(jsonb_build_object(
            'organization_id', the_booking.organization_id, 'person', the_booking.customer_id, 'rows', 1
        )),
        event_id => the_booking.event_id
    );
    return jsonb_build_object(
        'booking_id', the_booking.id,
        'event_id', the_booking.event_id,
        'customer_id', the_booking.customer_id,
        'status', the_booking.status,
        'currency', the_booking.currency,
        'entries', entries
    );
end;
$$;

comment on function events.booking_history(uuid) is
'Return the changes and the movements of money of a booking, in the order of their time.';

grant execute on function events.booking_history(uuid) to authenticated, service_role;
