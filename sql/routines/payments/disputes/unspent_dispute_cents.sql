-- payments.unspent_dispute_cents: return the part of a payment's open disputes that returns no spent money.
--
-- An open dispute counts as if it were lost (payments.apply_lost_dispute). First it pays refunds that Stripe has not
-- sent. Then it returns the refundable part of the sale: only this part was spent, unless it bought wallet money. The
-- customer would owe the rest. Zero without an open dispute, because the postings of a lost one say the same.

create or replace function payments.unspent_dispute_cents(intent payments.intents)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        sum(
            c.cents - case
                when exists (
                    select
                    from payments.purchases as p
                    where p.id = (unspent_dispute_cents.intent).purchase_id and p.kind = 'wallet'
                ) then 0
                else greatest(
                    0, least(c.cents - c.unsent_cents, payments.refundable_cents(unspent_dispute_cents.intent))
                )
            end
        ),
        0
    )::bigint
    from (
        select
            (
                select sum(
                    case
                        when d.currency = (unspent_dispute_cents.intent).currency then d.amount_cents
                        else (unspent_dispute_cents.intent).amount_cents
                    end
                )
                from payments.disputes as d
                where d.intent_id = (unspent_dispute_cents.intent).id and d.withdrawn
            )
            - coalesce(sum(r.amount_cents) filter (where r.destination = 'dispute'), 0) as cents,
            coalesce(
                sum(r.amount_cents) filter (
                    where r.destination = 'original' and r.status in ('created', 'failed') and not r.beyond
                ),
                0
            ) as unsent_cents
        from payments.refunds as r
        where r.intent_id = (unspent_dispute_cents.intent).id
    ) as c
    where c.cents > 0 and payments.is_withdrawn((unspent_dispute_cents.intent).id);
$$;

comment on function payments.unspent_dispute_cents(payments.intents) is
'Return the part of a payment''s open disputes that returns no spent money.';
