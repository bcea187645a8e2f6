-- payments.refund_progress: return the progress of an event's refunds: their numbers and amounts by state.
--
-- For front desk, accountants, admins and owners of the organization. Cancelling an event creates all its refunds at
-- once; the queue sends them, and failed ones wait for staff.
--
-- Refuses: 404 event_not_found.

create or replace function payments.refund_progress(event_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms from events.terms as t where t.event_id = refund_progress.event_id;

    if
        not found
        or not organizations.caller_is(the_terms.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

    return (
        select jsonb_build_object(
            'event_id', refund_progress.event_id,
            'currency', the_terms.currency,
            'refunds', count(r.id),
            'amount_cents', coalesce(sum(r.amount_cents), 0),
            'waiting', count(r.id) filter (where r.status = 'created'),
            'sent', count(r.id) filter (where r.status = 'pending'),
            'settled', count(r.id) filter (where r.status = 'succeeded'),
            'failed', count(r.id) filter (where r.status = 'failed'),
            'settled_cents', coalesce(sum(r.amount_cents) filter (where r.status = 'succeeded'), 0),
            'done', coalesce(bool_and(r.status = 'succeeded'), true)
        )
        from events.bookings as b
        inner join payments.refunds as r on r.booking_id = b.id and not r.beyond
        where b.event_id = refund_progress.event_id
    );
end;
$$;

comment on function payments.refund_progress(uuid) is
'Return the progress of an event''s refunds: their numbers and amounts by state.';

grant execute on function payments.refund_progress(uuid) to authenticated, service_role;
