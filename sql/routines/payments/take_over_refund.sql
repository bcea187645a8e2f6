-- payments.take_over_refund: keep a refund of a package that was made at Stripe itself, not by us.
--
-- The organizer gives the money; the credits stay as they are, for staff to decide. Once per refund at Stripe. The
-- caller has locked the payment. Internal. Answers our refund.

create or replace function payments.take_over_refund(
    intent payments.intents, stripe_id text, amount_cents bigint
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
    the_refund payments.refunds;
begin
    insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        (take_over_refund.intent).purchase_id, (take_over_refund.intent).id,
        (take_over_refund.intent).organization_id, (take_over_refund.intent).customer_id,
        take_over_refund.amount_cents, (take_over_refund.intent).currency, 'original',
        'stripe:' || take_over_refund.stripe_id, false
    )
    on conflict do nothing
    returning * into the_refund;

    if found then
        perform payments.move(
            kind => 'refund',
            currency => the_refund.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'organization', 'id', the_refund.organization_id, 'type', 'receivable',
                    'cents', the_refund.amount_cents
                ),
                jsonb_build_object(
                    'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', -the_refund.amount_cents
                )
            ),
            idempotency_key => 'refund:' || the_refund.id,
            reference_type => 'refund',
            reference_id => the_refund.id
        );
    end if;
    return the_refund.id;
end;
$$;

comment on function payments.take_over_refund(payments.intents, text, bigint) is
'Keep a refund of a package that was made at Stripe itself; answers our refund.';
