-- organizations.show_customer: return a customer with everything that the organization has about them.
--
-- For front desk, accountants, editors, admins and owners. The latest 50 bookings, waitlist entries and fees, the
-- credits that can be used, and all notes; of this organization only. Records the read in the access log.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 organization_not_found.

create or replace function organizations.show_customer(organization_id uuid, customer_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer organizations.customers := organizations.require_customer_record(
        show_customer.organization_id, show_customer.customer_id,
        'front_desk', 'accountant', 'editor', 'admin', 'owner'
    );
    rows_most constant integer := 50;
    the_answer jsonb;
begin
    perform ops.add_accesses(
        operation => 'customer',
        read => jsonb_build_array(jsonb_build_object(
            'organization_id', the_customer.organization_id, 'person', the_customer.customer_id, 'rows', 1
        ))
    );

    select
        organizations.customer_answer(the_customer, p)
        || jsonb_build_object('block_reason', the_customer.block_reason, 'blocked_by', the_customer.blocked_by)
    into the_answer
    from users.profiles as p
    where p.id = the_customer.customer_id;

    return the_answer || jsonb_build_object(
        'notes', (
            select coalesce(jsonb_agg(organizations.note_answer(n) order by n.id desc), '[]')
            from organizations.customer_notes as n
            where n.customer_id = the_customer.customer_id and n.organization_id = the_customer.organization_id
        ),
        'bookings', (
            select coalesce(jsonb_agg(b.answer order by b.id desc), '[]')
            from (
                select
                    b.id,
                    jsonb_build_object(
                        'id', b.id, 'event_id', b.event_id, 'event_title', e.title, 'starts_at', t.starts_at,
                        'time_zone', e.time_zone, 'seats', b.seats, 'status', b.status,
                        'payment_method', b.payment_method, 'price_cents', b.price_cents, 'fee_cents', b.fee_cents,
                        'currency', b.currency, 'is_unpaid', events.is_unpaid(b), 'created_at', b.created_at
                    ) as answer
                from events.bookings as b
                inner join events.terms as t on t.event_id = b.event_id
                inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
                where b.customer_id = the_customer.customer_id and b.organization_id = the_customer.organization_id
                order by b.id desc
                limit rows_most
            ) as b
        ),
        'waitlist_entries', (
            select coalesce(jsonb_agg(w.answer order by w.id desc), '[]')
            from (
                select
                    w.id,
                    jsonb_build_object(
                        'id', w.id, 'event_id', w.event_id, 'event_title', e.title, 'starts_at', t.starts_at,
                        'time_zone', e.time_zone, 'seats', w.seats, 'status', w.status, 'joined_at', w.joined_at
                    ) as answer
                from events.waitlist_entries as w
                inner join events.terms as t on t.event_id = w.event_id
                inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
                where w.customer_id = the_customer.customer_id and t.organization_id = the_customer.organization_id
                order by w.id desc
                limit rows_most
            ) as w
        ),
        'credits', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'id', l.id, 'kind', l.kind, 'currency', l.currency, 'remaining', l.remaining,
                        'expires_at', l.expires_at
                    ) order by l.id desc
                ),
                '[]'
            )
            from payments.credits as l
            where l.customer_id = the_customer.customer_id and l.organization_id = the_customer.organization_id
        ),
        'fees', (
            select coalesce(jsonb_agg(f.answer order by f.id desc), '[]')
            from (
                select
                    f.id,
                    jsonb_build_object(
                        'id', f.id, 'booking_id', f.booking_id, 'kind', f.kind, 'amount_cents', f.amount_cents,
                        'currency', f.currency, 'status', f.status, 'charged_at', f.charged_at
                    ) as answer
                from payments.fee_states as f
                where f.customer_id = the_customer.customer_id and f.organization_id = the_customer.organization_id
                order by f.id desc
                limit rows_most
            ) as f
        )
    );
end;
$$;

comment on function organizations.show_customer(uuid, uuid) is
'Return a customer with everything that the organization has about them.';

grant execute on function organizations.show_customer(uuid, uuid) to authenticated, service_role;
