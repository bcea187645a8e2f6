-- payments.reopen_refund: send a refund again that Stripe could not deliver, to the same payment or to the wallet.
--
-- An erased person has no wallet: their money goes to the organization's unclaimed balances instead. For front desk,
-- accountants, admins and owners of the organization, and for the service. Locks the refund. Repeating it while the
-- refund is on its way changes nothing. Returns the refund.
--
-- Refuses: 404 refund_not_found, 409 nothing_to_refund, for an excess refund, 409 payment_disputed, while the
-- customer's bank has the money.

create or replace function payments.reopen_refund(refund_id uuid, destination text default 'original')
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
begin
    select r.* into the_refund
    from payments.refunds as r
    where r.id = reopen_refund.refund_id
    for no key update;

    if
        not found
        or not organizations.caller_is(the_refund.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'refund_not_found';
    end if;

    if the_refund.beyond then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund',
            detail = jsonb_build_object(
                'detail', 'This is an excess refund: the customer was not entitled to it, so it is not sent again.'
            )::text;
    end if;
    if the_refund.status = 'failed' and payments.is_disputed(the_refund.intent_id) then
        raise exception using errcode = 'PT409', message = 'payment_disputed';
    end if;

    update payments.refunds as r
    set
        status = 'created', status_reason = null,
        earlier_stripe_ids = array_remove(r.earlier_stripe_ids || r.stripe_refund_id, null), stripe_refund_id = null,
        reopened = r.reopened + 1, attempts = 0,
        available_at = statement_timestamp(), settled_at = null
    where r.id = the_refund.id and r.status = 'failed'
    returning r.* into the_refund;

    if found and reopen_refund.destination = 'wallet' and users.is_erased(the_refund.customer_id) then
        perform payments.post_unclaimed_balance(
            the_refund.customer_id, the_refund.organization_id, the_refund.amount_cents, the_refund.currency,
            'refund_set_aside:' || the_refund.id, 'refund', the_refund.id
        );
        update payments.refunds as r
        set status = 'succeeded', destination = 'unclaimed', settled_at = statement_timestamp()
        where r.id = the_refund.id
        returning r.* into the_refund;

        insert into public.outbox (topic, key, payload)
        values (
            'refund.succeeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
            payments.refund_payload(the_refund)
        );
    elsif found and reopen_refund.destination = 'wallet' then
        perform payments.post_between_owners(
            kind => 'refund_to_wallet',
            currency => the_refund.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', the_refund.amount_cents
                ),
                jsonb_build_object(
                    'owner', 'user', 'id', the_refund.customer_id, 'type', 'credits',
                    'within', the_refund.organization_id, 'cents', -the_refund.amount_cents
                )
            ),
            idempotency_key => 'refund_to_wallet:' || the_refund.id,
            reference_type => 'refund',
            reference_id => the_refund.id
        );

        update payments.refunds as r
        set status = 'succeeded', destination = 'wallet', settled_at = statement_timestamp()
        where r.id = the_refund.id
        returning r.* into the_refund;
        perform payments.return_credits(array[the_refund.id], by_organizer => false);

        insert into public.outbox (topic, key, payload)
        values (
            'refund.succeeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
            payments.refund_payload(the_refund)
        );
    end if;

    select r.* into the_refund from payments.refunds as r where r.id = reopen_refund.refund_id;

    -- The caller may have lost the role while this waited for the wallet.
    if not organizations.caller_is(the_refund.organization_id, 'front_desk', 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'refund_not_found';
    end if;
    return payments.refund_answer(the_refund);
end;
$$;

comment on function payments.reopen_refund(uuid, text) is
'Send a refund again that Stripe could not deliver, to the same payment or to the wallet.';

grant execute on function payments.reopen_refund(uuid, text) to authenticated, service_role;
