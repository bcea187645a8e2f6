-- payments.record_refunds: record Stripe's responses to refunds that were sent.
--
-- `results` is an array of {"refund_id", "stripe_id", "status", "failure_reason"}, or of {"refund_id", "error",
-- "retryable"} for refunds that Stripe did not accept. Retryable ones are sent again, later each time; others fail and
-- are shown to staff. A refusal does not end a refund that Stripe has reported in the meantime. Locks the refunds in id
-- order. For the service. Returns the numbers of accepted, retried and failed refunds: {"taken", "retried", "failed"}.

create or replace function payments.record_refunds(results jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    result record;
    taken integer := 0;
    retried integer := 0;
    failed integer := 0;
begin
    for result in
        select r.*
        from jsonb_to_recordset(record_refunds.results) as r (
            refund_id uuid, stripe_id text, status text, failure_reason text, error jsonb, retryable boolean
        )
        order by r.refund_id
    loop
        if result.error is null then
            perform payments.apply_refund(result.refund_id, result.stripe_id, result.status, result.failure_reason);
            taken := taken + 1;
        elsif result.retryable then
            update payments.refunds as r
            set
                last_error = result.error,
                available_at = statement_timestamp() + make_interval(secs => 30 * power(2, least(r.attempts, 10)))
            where r.id = result.refund_id and r.status = 'created';
            retried := retried + 1;
        else
            with ended as (
                update payments.refunds as r
                set
                    last_error = result.error, status = 'failed', status_reason = left(result.error ->> 'message', 500)
                where r.id = result.refund_id and r.status = 'created'
                returning r.*
            )

            insert into public.outbox (topic, key, payload)
            select
                'refund.failed', coalesce(e.booking_id, e.purchase_id)::text,
                payments.refund_payload(e::payments.refunds)
            from ended as e;
            failed := failed + found::integer;
        end if;
    end loop;
    return jsonb_build_object('taken', taken, 'retried', retried, 'failed', failed);
end;
$$;

comment on function payments.record_refunds(jsonb) is 'Record Stripe''s responses to refunds that were sent.';

grant execute on function payments.record_refunds(jsonb) to service_role;
