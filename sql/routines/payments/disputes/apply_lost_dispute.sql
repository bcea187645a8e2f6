-- payments.apply_lost_dispute: count the money of lost disputes as refunds to the customer.
--
-- First it completes refunds of the payment that Stripe has not sent, failed ones first. It splits a refund that is
-- larger than the remaining amount. Then it takes back the credits of a package. The organization bears the unrefunded
-- sale of a booking; credits that its promo code granted lapse when nothing else remains. Any further money was
-- refunded before, or its credits are spent: it is the customer's debt.
--
-- The postings go from the customer's cash to the organization's receivable, from which the dispute was taken: so the
-- organization pays once.
--
-- When a dispute is won after it was lost, its refunds fail again and wait for staff, its debts end, and unspent
-- credits of a promo code are granted again. Repeating it changes nothing. The caller has locked the payment. Locks the
-- refunds. Internal. Returns the number of refunds that it completed.

create or replace function payments.apply_lost_dispute(intent_id uuid)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_intent payments.intents;
    the_cover bigint := payments.dispute_cover(apply_lost_dispute.intent_id);
    the_refundable bigint;
    the_refund payments.refunds;
    settled integer := 0;
begin
    -- Debts make room for a refund that failed after them: the bank's money has paid it instead.
    if the_cover <= 0 and exists (
        select
        from payments.refunds as r
        where
            r.intent_id = apply_lost_dispute.intent_id and r.destination = 'original' and not r.beyond
            and r.status in ('created', 'failed')
    ) then
        perform payments.reverse_refund_by_dispute(r, 'The dispute has paid another refund.')
        from payments.refunds as r
        where
            r.intent_id = apply_lost_dispute.intent_id and r.destination = 'dispute'
            and payments.refund_debt_status(r) = 'owed';
        the_cover := payments.dispute_cover(apply_lost_dispute.intent_id);
    end if;

    while the_cover > 0 loop
        select r.* into the_refund
        from payments.refunds as r
        where
            r.intent_id = apply_lost_dispute.intent_id
            and r.destination = 'original'
            and r.status in ('created', 'failed')
            and not r.beyond
        order by r.status desc, r.id
        limit 1
        for no key update;
        exit when not found;

        if the_refund.amount_cents > the_cover then
            the_refund := payments.split_refund(
                the_refund.id, the_cover, 'dispute:' || the_refund.id || ':' || the_refund.reopened
            );
        end if;
        perform payments.complete_refund_by_dispute(the_refund.id);
        the_cover := the_cover - the_refund.amount_cents;
        settled := settled + 1;
    end loop;

    if the_cover > 0 then
        select i.* into the_intent from payments.intents as i where i.id = apply_lost_dispute.intent_id;
        the_refundable := payments.refundable_cents(the_intent);
        if the_intent.purchase_id is not null then
            settled := settled
            + payments.return_disputed_package(the_intent.purchase_id, least(the_cover, the_refundable));
        elsif the_cover >= the_refundable and payments.has_paid_sale(the_intent.id) then
            perform payments.end_grants(array[the_intent.booking_id]);
        end if;
        if the_cover > the_refundable then
            perform payments.record_excess_dispute(the_intent, the_cover - the_refundable);
        end if;
    end if;

    while the_cover < 0 loop
        select r.* into the_refund
        from payments.refunds as r
        where r.intent_id = apply_lost_dispute.intent_id and r.destination = 'dispute'
        order by r.beyond desc, r.id desc
        limit 1
        for no key update;
        exit when not found;

        perform payments.reverse_refund_by_dispute(
            the_refund,
            case
                when the_refund.beyond then 'The dispute was won, so the customer does not owe this any more.'
                else 'The dispute was won, so this is owed again. Send it again, unless the customer''s bank has paid.'
            end
        );
        the_cover := the_cover + the_refund.amount_cents;
    end loop;

    perform payments.restore_grants(apply_lost_dispute.intent_id);
    return settled;
end;
$$;

comment on function payments.apply_lost_dispute(uuid) is
'Count the money of lost disputes as refunds to the customer.';
